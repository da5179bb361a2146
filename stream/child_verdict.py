"""What a child process says of the version that it opens: lines of JSON, of which nothing is believed but its form."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from errno import errorcode

from stream.child_python import says_something
from stream.errors import PackageError

__all__ = ["Verdict", "hear"]

_STEPS = ("manifest", "signature", "hash", "load", "golden")
"""As in `stream.store`, which this module does not wait for."""

_SAID_BYTES = 64 * 1024
"""All that a child says; more is not from ours."""


@dataclass(slots=True)
class Verdict:
    """
    What a child has said.

    Attributes:
        passed: what it found, by step.
        refused: its refusal.
        errno: the system's number of what that comes from; None where it comes from the version.
        sound: whether it came to its end without one.
        late: whether its time ran out before.
    """

    passed: dict[str, str] = field(default_factory=dict)
    refused: PackageError | None = None
    errno: int | None = None
    sound: bool = False
    late: bool = False

    @property
    def at(self) -> str:
        """The step that it did not come to the end of."""
        return next((step for step in _STEPS if step not in self.passed), _STEPS[-1])


def hear(said: int, deadline: float) -> Verdict:
    """
    Wait for what a child says.

    Args:
        said: the reading end of its pipe.
        deadline: on the monotonic clock.
    Returns: what it said, once it has come to its end, has ended or is late.
    """
    verdict = Verdict()
    for line in _lines(said, deadline):
        match _word(line):
            case {"passed": str(step), "found": str(found)} if step == verdict.at:
                verdict.passed[step] = found
            case {"refused": None}:
                verdict.sound = True
                return verdict
            case {"refused": {"message": str(message), "step": str(step), "hint": str(hint)}, **rest} if (
                step in _STEPS
            ):
                number = rest.get("errno")
                verdict.refused = PackageError(message, step=step, hint=hint)
                verdict.errno = number if isinstance(number, int) and number in errorcode else None
                return verdict
            case _:
                return verdict  # not from ours: a model wrote it
    verdict.late = time.monotonic() >= deadline
    return verdict


def _word(line: bytes) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _lines(said: int, deadline: float) -> Iterator[bytes]:
    """Until the child ends, says too much, or time runs out."""
    rest, left = b"", _SAID_BYTES
    while left > 0 and says_something(said, max(0.0, deadline - time.monotonic())):
        part = os.read(said, left)
        if not part:
            return
        left -= len(part)
        *lines, rest = (rest + part).split(b"\n")
        yield from lines
