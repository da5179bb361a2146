"""At start: wait for a registry that does not answer yet, of schemas or of models, and log it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from stream.deadline import Deadline
from stream.errors import Retriable, StartupTimeout

__all__ = ["wait_for_registry"]

log = logging.getLogger(__name__)

AGAIN_S = 1.0
"""Between two attempts; each has its own time-out."""

T = TypeVar("T")


def wait_for_registry(
    ask: Callable[[], T], budget_s: float, pause: Callable[[float], object] = time.sleep
) -> T:
    """
    Do what needs an answer from the registry, and try again while it does not answer.

    Args:
        ask: raises Retriable when the registry does not answer.
        budget_s: for all attempts together.
        pause: waits for the given number of seconds.
    Returns: what `ask` returned.
    Raises: StartupTimeout with the last reason; anything else that `ask` raises, at once.
    """
    deadline, logged = Deadline.after(budget_s), ""
    while True:
        try:
            return ask()
        except Retriable as error:
            if error.message != logged:
                log.warning("waiting: %s (at most %g s)", error.message, budget_s)
                logged = error.message
            if deadline.over:
                raise StartupTimeout(
                    f"{error.message} (waited {budget_s:g} s)",
                    hint=error.hint or "start the schema registry or correct `[schema_registry] url`",
                ) from error
        pause(deadline.left_s(AGAIN_S))
