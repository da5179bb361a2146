"""Calling foreign code: the one place where whatever a model raises is caught."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from stream.errors import class_name
from stream.records import DeadLetter
from stream.shown import shown

__all__ = ["Raised", "WrongAnswer", "attempt", "raised_by"]

T = TypeVar("T")

_MESSAGE_CHARS = 1_000
"""Longest message kept; a model may put a whole frame into its text, a header can't hold one."""


class WrongAnswer(Exception):
    """The model's answer has another shape or type than its manifest says."""


@dataclass(frozen=True, slots=True)
class Raised:
    """What a call raised: the class's full name and the message."""

    exception: str
    message: str

    def fault(self) -> DeadLetter:
        """The dead letter of the one row that was asked."""
        reason = "wrong_answer" if self.exception == class_name(WrongAnswer) else "model_raised"
        return DeadLetter("score", reason, self.exception, self.message)


def attempt(call: Callable[[], T]) -> T | Raised:
    """
    Call a model.

    Args:
        call: runs the model's code.
    Returns: its result, or what it raised.
    Raises: MemoryError, KeyboardInterrupt and GeneratorExit, which concern the process, not the rows. A
        SystemExit here is the model's own: one row that makes it call `sys.exit` must not end every worker.
    """
    try:
        return call()
    except (MemoryError, KeyboardInterrupt, GeneratorExit):
        raise
    # A model is foreign code: a pipeline may hold functions of the user's own, and extension modules raise
    # panics that are not an `Exception`. Whatever it is, it concerns only these rows.
    except BaseException as error:  # noqa: BLE001
        return raised_by(error)


def raised_by(error: BaseException) -> Raised:
    """What foreign code raised, fit to be shown; its text is the model's code too."""
    return Raised(class_name(type(error)), _text(error))


def _text(error: BaseException) -> str:
    try:
        return shown(error, _MESSAGE_CHARS)
    except BaseException:  # noqa: BLE001  # the text is the model's code too, and may call `sys.exit`
        return "(its message can't be read)"
