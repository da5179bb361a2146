"""A fault planted in a process: at which call of which step of the Kafka clients, and what happens then."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

__all__ = ["VARIABLE", "Action", "Client", "Fault", "When", "load", "marks", "spelled"]

VARIABLE = "TEST_FAULTS"
"""The environment variable that carries the faults to the process."""

Client = Literal["Producer", "Consumer"]

When = Literal["before", "during", "after", "failed"]
"""Before the call; while it is under way (and only if it still is); after it has returned; after it has raised."""

Action = Literal["kill", "terminate", "freeze", "sleep", "raise", "note"]
"""SIGKILL, SIGTERM and SIGSTOP to itself; a pause; a KafkaException; or nothing but the mark."""


@dataclass(frozen=True)
class Fault:
    """
    Attributes:
        client: `Producer` or `Consumer`.
        step: a method of the client, or `on_assign`, `on_revoke`, `on_lost`.
        when: before, during or after the call, or when it has raised.
        nth: at which call of the step, counted from 1 over all clients of the process; `during` waits for the
            first from there on that takes long enough.
        action: what happens.
        number: seconds of `sleep`, error code of `raise`, seconds into the call for `during`.
        mark: file to which one line of JSON is added each time it fires, before it does.
        times: at so many calls in a row.
    """

    client: Client
    step: str
    when: When
    nth: int
    action: Action
    mark: str
    number: float = 0.0
    times: int = 1


def spelled(faults: Sequence[Fault]) -> str:
    """The faults as the variable holds them."""
    return json.dumps([asdict(fault) for fault in faults])


def load(text: str) -> list[Fault]:
    """The faults of a variable."""
    return [Fault(**each) for each in json.loads(text)]


def marks(path: Path) -> list[dict[str, Any]]:
    """The marks that a fault has left: `at` (monotonic seconds, the same for all processes), `step`, `call`."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]
