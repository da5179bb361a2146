"""All checks at once: one fault is one `fail`, and nothing that hangs holds the others up."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from stream.doctor import CHECKS, Case, Diagnosis, examine
from stream.doctor.diagnosis import fail, ok, warn, worst
from stream.doctor.examination import Check
from stream.errors import Retriable
from tests.unit.doctor.examined import case_of, settings


def check(
    name: str, look: Callable[[Case], Diagnosis], needs: tuple[str, ...] = (), after: tuple[str, ...] = ()
) -> Check:
    """A line of a test's own table."""
    return Check(name, f"the {name}", "", look, needs, after)


def sound(case: Case) -> Diagnosis:
    """All is well."""
    return ok("it", "sound")


def broken(case: Case) -> Diagnosis:
    """Nothing is."""
    return fail("it", "broken", "mend it")


def test_lines_come_in_the_order_of_the_table_with_the_names_of_the_checks() -> None:
    """Whichever check ends first."""
    first = threading.Event()

    def late(case: Case) -> Diagnosis:
        first.wait(5)
        return ok("it", "late")

    def early(case: Case) -> Diagnosis:
        first.set()
        return ok("it", "early")

    found = examine(case_of(settings()), [check("a", late), check("b", early)])

    assert [("a", "late"), ("b", "early")] == [(each.check, each.found) for each in found]


def test_what_depends_on_a_failure_names_its_root_and_is_no_failure() -> None:
    """One fault, one `fail`: also for what depends on it through others."""
    table = [check("root", broken), check("child", sound, ("root",)), check("grandchild", sound, ("child",))]

    root, *others = examine(case_of(settings()), table)

    assert "fail" == root.state
    assert [("warn", False, "not looked at, since root must be right first")] * 2 == [
        (each.state, each.looked, each.found) for each in others
    ]


def test_a_warning_holds_nothing_up() -> None:
    """A worker would run, so what depends on it is looked at."""
    table = [check("a", lambda case: warn("it", "odd", "look")), check("b", sound, ("a",))]

    assert ["warn", "ok"] == [each.state for each in examine(case_of(settings()), table)]


def test_a_check_that_only_comes_after_another_is_looked_at_all_the_same() -> None:
    """`after` is an order, `needs` a condition."""
    table = [check("a", broken), check("b", sound, after=("a",))]

    assert ["fail", "ok"] == [each.state for each in examine(case_of(settings()), table)]


def test_an_error_of_ours_is_a_failure_in_its_own_words() -> None:
    """With its hint as the next step."""

    def raising(case: Case) -> Diagnosis:
        raise Retriable("no answer", hint="start it")

    [found] = examine(case_of(settings()), [check("a", raising)])

    assert ("fail", "no answer", "start it") == (found.state, found.found, found.next_step)


def test_a_bug_is_not_taken_for_a_finding() -> None:
    """It ends the command."""

    def buggy(case: Case) -> Diagnosis:
        raise ZeroDivisionError("a bug")

    with pytest.raises(ZeroDivisionError, match="a bug"):
        examine(case_of(settings()), [check("a", buggy)])


def test_a_check_that_hangs_is_left_behind_and_says_so() -> None:
    """So are those that wait for it; the others have their lines."""
    over = threading.Event()

    def hanging(case: Case) -> Diagnosis:
        over.wait(30)
        return ok("it", "at last")

    table = [check("a", hanging), check("b", sound, ("a",)), check("c", sound), check("d", sound, ("b",))]

    found = examine(case_of(settings(), seconds=0.2), table)
    over.set()

    late = "not finished within 8 s"
    assert [("a", late), ("b", late), ("c", "sound"), ("d", late)] == [
        (each.check, each.found) for each in found
    ]
    assert [False, False, True, False] == [each.looked for each in found]
    assert {""} == {each.waits_for for each in found}


def test_every_check_comes_after_those_that_it_waits_for() -> None:
    """A name that is misspelt or comes later would never be waited for rightly."""
    names = [each.name for each in CHECKS]

    assert len(set(names)) == len(names)
    for number, each in enumerate(CHECKS):
        assert {*each.needs, *each.after} <= set(names[:number]), each.name


def test_several_findings_are_one_line_of_the_worst() -> None:
    """With every step, the worst first; what is well is left out."""
    found = worst("topic", [ok("a", "well"), warn("b", "odd", "look"), fail("c", "broken", "mend")])

    assert fail("topic", "broken; odd", "mend; look") == found
    assert replace(found, state="ok", found="x; y", next_step="") == worst(
        "topic", [ok("a", "x"), ok("b", "y")]
    )
