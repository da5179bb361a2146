"""One line of `stream doctor`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from stream.errors import StreamError

__all__ = ["Diagnosis", "State", "fail", "of_error", "ok", "waiting", "warn", "worst"]

State: TypeAlias = Literal["ok", "warn", "fail"]
"""`fail`: a worker would not run, or records would be lost. `warn`: it runs, but look into it."""

_BY_WEIGHT: tuple[State, ...] = ("fail", "warn", "ok")


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """
    What a check found.

    Attributes:
        state: how bad it is.
        looked_at: the thing, by name.
        found: a sentence.
        next_step: what to do; empty where there is nothing to do.
        check: the check's name; the examination puts it in.
        looked: False where it was not looked at, or not to its end.
        waits_for: the check that must be right first, where it was not looked at for that.
    """

    state: State
    looked_at: str
    found: str
    next_step: str = ""
    check: str = ""
    looked: bool = True
    waits_for: str = ""


def ok(looked_at: str, found: str) -> Diagnosis:
    """All is well."""
    return Diagnosis("ok", looked_at, found)


def warn(looked_at: str, found: str, next_step: str) -> Diagnosis:
    """A worker runs, but somebody should look into it."""
    return Diagnosis("warn", looked_at, found, next_step)


def fail(looked_at: str, found: str, next_step: str) -> Diagnosis:
    """A worker would not run, or records would be lost."""
    return Diagnosis("fail", looked_at, found, next_step)


def of_error(looked_at: str, error: StreamError) -> Diagnosis:
    """A failure, in the words of the error that a worker would end with."""
    hint = error.hint or "see docs/operations.md for what it means"
    return Diagnosis("fail", looked_at, error.message, hint)


def waiting(root: str, why: str = "") -> Diagnosis:
    """
    Not looked at.

    Args:
        root: the check that must be right first.
        why: in other words than that.
    """
    found = f"not looked at, since {why or f'{root} must be right first'}"
    return Diagnosis("warn", "", found, f"see {root}", looked=False, waits_for=root)


def worst(looked_at: str, found: Sequence[Diagnosis]) -> Diagnosis:
    """
    Several findings about one thing as one line.

    Args:
        looked_at: the thing.
        found: at least one.
    Returns: the worst state, with what was found and what to do about each that is as bad or bad at all.
    """
    state = next(state for state in _BY_WEIGHT if any(each.state == state for each in found))
    if state == "ok":
        return ok(looked_at, "; ".join(each.found for each in found))
    bad = sorted((each for each in found if each.state != "ok"), key=lambda one: _BY_WEIGHT.index(one.state))
    steps = dict.fromkeys(each.next_step for each in bad)
    return Diagnosis(state, looked_at, "; ".join(each.found for each in bad), "; ".join(steps))
