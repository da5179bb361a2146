"""A replay that kills itself at a step: `python -m tests.acceptance.dying_replay METHOD WHEN N …`."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from stream.cli import main
from stream.transport import TransactionalSink

__all__ = ["STEPS"]

STEPS = (
    ("send", "before", 2),
    ("commit", "before", 2),
    ("commit", "after", 1),
    ("begin", "before", 2),
    ("begin", "after", 2),
    ("place", "before", 2),
    ("place", "after", 2),
    ("flush", "before", 3),
    ("flush", "after", 3),
    ("flush", "after", 4),
)
"""Which call of the producer's does not happen, or is the last that does; a transaction has two of `flush`."""


def _die_at(method: str, when: str, number: int) -> None:
    """Let the process be killed before or after so many calls of a method."""
    call, calls = getattr(TransactionalSink, method), []

    def dying(*arguments: Any) -> Any:
        calls.append(1)
        if len(calls) == number and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = call(*arguments)
        if len(calls) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    setattr(TransactionalSink, method, dying)


if __name__ == "__main__":
    _die_at(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    main(["deadletters", "replay", *sys.argv[4:]])
