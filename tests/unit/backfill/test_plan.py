"""Plans of backfills, as the topic keeps them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stream.backfill.plan import Extent, Plan, PlanBook, Purpose, finished_key, finished_value
from stream.errors import Stopped
from stream.records import Batch

PURPOSE = Purpose(("in", "a"), ("out", "b"), "0", "9", "m@1", "f" * 64)
PLAN = Plan(PURPOSE, {0: Extent(0, 9), 1: Extent(4, 4), 2: Extent(5, 8)}, 17)


def book(*values: bytes | None) -> PlanBook:
    """What these records say."""
    found, count = PlanBook(), len(values)
    found.add(
        Batch(
            "in.backfills", [0] * count, [*range(count)], [0] * count,
            [None] * count, [*values], [None] * count,
        )
    )  # fmt: skip
    return found


def test_plan_is_read_as_it_was_written() -> None:
    """The first of an id counts; its end is kept with its time."""
    later = replace(PLAN, extents={0: Extent(0, 99)})
    found = book(PLAN.value(), later.value(), finished_value(PLAN.id, 21), finished_value(PLAN.id, 22))

    assert ({PLAN.id: PLAN}, {PLAN.id: 21}) == (found.plans, found.finished)


@pytest.mark.parametrize(
    "other",
    [
        replace(PURPOSE, source=("in", "z")),
        replace(PURPOSE, source=("on", "a")),
        replace(PURPOSE, target=("out", "z")),
        replace(PURPOSE, start="1"),
        replace(PURPOSE, end="8"),
        replace(PURPOSE, model="m@2"),
        replace(PURPOSE, manifest="0" * 64),
    ],
)
def test_backfills_that_differ_have_different_ids(other: Purpose) -> None:
    """Topics that were made anew, the range, the model: each is part of it."""
    assert other.id != PURPOSE.id


@pytest.mark.parametrize("value", [None, b"", b"{}", b'{"version":2}', b"[]", b'{"version":1,"id":"x"}'])
def test_record_that_is_no_plan_stops(value: bytes | None) -> None:
    """What was backfilled is not known then; the message names the record."""
    with pytest.raises(Stopped, match=r"in\.backfills\[0\]@1 is not a plan"):
        book(PLAN.value(), value)


def test_only_another_models_unfinished_backfill_is_a_twin() -> None:
    """Of the same range into the same topic."""
    twin = replace(PLAN, purpose=replace(PURPOSE, model="m@2"))
    other = replace(PLAN, purpose=replace(PURPOSE, model="m@2", start="3"))

    assert [twin] == book(PLAN.value(), twin.value(), other.value()).unfinished_twins(PURPOSE)
    assert [] == book(twin.value(), finished_value(twin.id, 1)).unfinished_twins(PURPOSE)


@pytest.mark.parametrize(
    ("purpose", "extent", "meets"),
    [
        (replace(PURPOSE, end="20"), Extent(8, 20), True),
        (replace(PURPOSE, end="20"), Extent(9, 20), False),
        (replace(PURPOSE, end="20"), Extent(3, 3), False),
        (PURPOSE, Extent(0, 9), False),
        (replace(PURPOSE, end="20", model="m@2"), Extent(0, 20), False),
        (replace(PURPOSE, end="20", manifest="0" * 64), Extent(0, 20), False),
        (replace(PURPOSE, end="20", target=("other", "b")), Extent(0, 20), False),
    ],
)
def test_backfill_that_has_some_of_the_offsets_is_found(
    purpose: Purpose, extent: Extent, *, meets: bool
) -> None:
    """By the same version into the same topic: their predictions will be there twice."""
    assert ([PLAN] if meets else []) == book(PLAN.value()).overlapping(purpose, {0: extent, 7: extent})


def test_end_without_its_plan_is_known() -> None:
    """The two have different keys, so that compaction leaves both; what was deleted otherwise is found out."""
    assert PLAN.id.encode() != finished_key(PLAN.id)
    assert [] == book(PLAN.value(), finished_value(PLAN.id, 1)).without_plan
    assert [PLAN.id] == book(finished_value(PLAN.id, 1)).without_plan


@pytest.mark.parametrize(
    ("committed", "left"),
    [({}, 12), ({0: 0}, 12), ({0: 4}, 8), ({0: 9, 1: 4, 2: 8}, 0), ({0: 500, 2: 500}, 0), ({2: 1}, 12)],
)
def test_what_is_left_is_counted_within_the_range(committed: dict[int, int], left: int) -> None:
    """Whatever the group's offset is."""
    assert left == PLAN.left(committed)
