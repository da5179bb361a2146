"""
All checks at once, each in a thread of its own, until a common deadline.

A check begins when those that it *needs* have ended. Where one of them failed, it is not looked at: one fault is one
`fail`. Checks that it only comes *after* may fail. A check that does not come back is left behind in its thread, and
its line says so: whatever hangs, the command ends in time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from stream.doctor.case import Case
from stream.doctor.diagnosis import Diagnosis, fail, of_error, waiting
from stream.errors import SettingsError, StreamError

__all__ = ["ALL_S", "Check", "examine", "unreadable"]

ALL_S = 8.0
"""For all checks together: with its start and end the command takes less than 10 s."""


@dataclass(frozen=True, slots=True)
class Check:
    """
    A line of `stream doctor`.

    Attributes:
        name: short, unique.
        about: what is looked at; for the documentation.
        bad: what makes it `fail`, or `warn`; for the documentation.
        look: looks. A StreamError is a `fail` in that error's words.
        needs: checks that must not have failed.
        after: checks that must have ended.
    """

    name: str
    about: str
    bad: str
    look: Callable[[Case], Diagnosis]
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


class _Run:
    """A check under way."""

    def __init__(self, check: Check) -> None:
        self.check = check
        self.ended = threading.Event()
        self.found: Diagnosis | None = None
        self.bug: BaseException | None = None

    def go(self, case: Case, others: Mapping[str, _Run]) -> None:
        """The thread of the check."""
        try:
            for name in (*self.check.needs, *self.check.after):
                others[name].ended.wait(case.deadline.left_s())
            self.found = self._skipped(others) or self.check.look(case)
        except StreamError as error:
            self.found = of_error("", error)
        except BaseException as error:  # noqa: BLE001 - handed to the main thread, which raises it
            self.bug = error
        finally:
            self.ended.set()

    def _skipped(self, others: Mapping[str, _Run]) -> Diagnosis | None:
        for name in self.check.needs:
            other = others[name].found
            if other is None or other.state == "fail" or not other.looked:
                return waiting((other is not None and other.waits_for) or name)
        return None

    def result(self) -> Diagnosis:
        """What it found, or that it did not come back."""
        if self.bug is not None:
            raise self.bug
        name, found = self.check.name, self.found
        if found is None:
            step = "look at it by itself: docs/operations.md names the command; run the doctor again when this machine"
            found = Diagnosis(
                "warn",
                "",
                f"not finished within {ALL_S:g} s",
                f"{step} is less busy",
                looked=False,
            )
        return replace(found, check=name)


def examine(case: Case, checks: Sequence[Check]) -> list[Diagnosis]:
    """
    Look at everything.

    Args:
        case: what is examined.
        checks: a table in which each comes after those that it waits for.
    Returns: a line for each check, in the table's order.
    Blocks until the case's deadline at most.
    """
    runs = {check.name: _Run(check) for check in checks}
    for run in runs.values():
        threading.Thread(target=run.go, args=(case, runs), name=run.check.name, daemon=True).start()
    for run in runs.values():
        run.ended.wait(case.deadline.left_s())
    found = {name: run.result() for name, run in runs.items()}
    return [_with_root(each, found) for each in found.values()]


def _with_root(found: Diagnosis, others: Mapping[str, Diagnosis]) -> Diagnosis:
    """
    Name what it waits for at last; where that did not come back, neither did this.

    A check that gave up waiting may have seen less than is known by now.
    """
    root = found.waits_for
    while root and (above := others[root].waits_for):
        root = above
    if not root or others[root].looked:
        return replace(found, waits_for=root)
    return replace(others[root], check=found.check)


def unreadable(error: SettingsError) -> Diagnosis:
    """The one line of a configuration that can't be read."""
    return replace(fail("the configuration", error.message, error.hint), check="configuration")
