"""What a child process says of the version that it opens: lines of JSON, of which nothing is believed but its form."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from errno import errorcode

from stream.child_python import says_something
from stream.errors import PackageError

__all__ = ["Verdict", "hear"]

_STEPS = ("manifest", "signature", "hash", "load", "golden", "engine")
"""As in `stream.store`, which this module does not wait for."""

_SAID_BYTES = 64 * 1024
"""All that a child says; more is not from ours."""

_LOOK_S = 0.25
"""How often it is seen whether a silent child is still there: a process that it started may keep its pipe open."""


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


def hear(said: int, deadline: float, ended: Callable[[], bool]) -> Verdict:
    """
    Wait for what a child says.

    Args:
        said: the reading end of its pipe.
        deadline: on the monotonic clock.
        ended: whether the child itself is gone.
    Returns: what it said, once it has come to its end, has ended or is late.
    """
    verdict = Verdict()
    for line in _lines(said, deadline, ended):
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
    verdict.late = time.monotonic() >= deadline and not ended()
    return verdict


def _word(line: bytes) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _lines(said: int, deadline: float, ended: Callable[[], bool]) -> Iterator[bytes]:
    """Until the child ends, says too much, or time runs out."""
    rest, left = b"", _SAID_BYTES
    while left > 0 and _says_more(said, deadline, ended):
        part = os.read(said, left)
        if not part:
            return
        left -= len(part)
        *lines, rest = (rest + part).split(b"\n")
        yield from lines


def _says_more(said: int, deadline: float, ended: Callable[[], bool]) -> bool:
    while True:
        gone, left_s = ended(), max(0.0, deadline - time.monotonic())
        if says_something(said, 0.0 if gone else min(_LOOK_S, left_s)):
            return True
        if gone or left_s == 0.0:
            return False
