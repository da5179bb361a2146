"""What marks say: which letters were sent, which have come back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stream.errors import Stopped
from stream.redrive.replay_marks import Mark, Replayed, TopicId
from stream.redrive.selection import Home, Selection
from stream.testing import batch_of
from tests.unit.redrive.letters import stored

DEAD, INPUT = TopicId("dead", "id-1"), TopicId("in", "id-2")

MARK = Mark(DEAD, {0: [(0, 4), (7, 7)], 1: [(3, 3)]}, {0: 10, 1: 10}, INPUT, {1: [(20, 25)]})
"""0:0 to 0:4, 0:7 and 1:3 were sent, and are at 1:20 to 1:25 of `in`; each partition had 10 letters."""


def replayed(*marks: Mark) -> Replayed:
    """What these marks say."""
    found = Replayed(DEAD, INPUT)
    found.add(batch_of([mark.value() for mark in marks]))
    return found


def test_mark_is_read_as_it_was_written() -> None:
    """Its record is JSON."""
    assert MARK == Mark.read(MARK.value(), "marks[0]@0")


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"version":1}',
        MARK.value().replace(b'"version":1', b'"version":2'),
        MARK.value().replace(b"[0,4]", b"[0]"),
        MARK.value().replace(b'"ends"', b'"end"'),
    ],
)
def test_record_that_is_no_mark_stops_the_replay(value: bytes | None) -> None:
    """What was replayed is not known then, and nothing is guessed."""
    with pytest.raises(Stopped, match=r"marks\[0\]@7 is no mark"):
        Mark.read(value, "marks[0]@7")


@pytest.mark.parametrize(
    ("partition", "offset", "sent"),
    [(0, 0, True), (0, 4, True), (0, 5, False), (0, 7, True), (1, 3, True), (1, 0, False), (2, 0, False)],
)
def test_letter_that_a_mark_names_was_sent(partition: int, offset: int, sent: bool) -> None:
    """By partition and offset."""
    assert sent == replayed(MARK).sent(partition, offset)


def test_marks_of_topics_made_anew_say_nothing() -> None:
    """Under the same names offsets begin at 0 again."""
    other = replace(MARK, source=TopicId("dead", "older"), target=TopicId("in", "older"))
    found = replayed(other)

    assert not found.sent(0, 0)
    assert not found.came_back(stored(12, came_from=(1, 20)))


@pytest.mark.parametrize(
    ("offset", "came_from", "topic", "back"),
    [
        (12, (1, 20), "in", True),
        (10, (1, 25), "in", True),
        (9, (1, 20), "in", False),  # it was there before: its headers speak of another topic of that name
        (12, (1, 26), "in", False),
        (12, (0, 20), "in", False),
        (12, (1, 20), "other", False),
    ],
)
def test_letter_of_a_record_that_was_replayed_has_come_back(
    offset: int, came_from: tuple[int, int], topic: str, back: bool
) -> None:
    """It stands where a replay wrote its original, and was not there when that replay began."""
    assert back == replayed(MARK).came_back(stored(offset, came_from=came_from, topic=topic))


def test_ends_of_a_later_replay_do_not_hide_what_an_earlier_one_wrote() -> None:
    """Each replay's records are judged by the letters that it found."""
    later = replace(MARK, letters={0: [(8, 8)]}, ends={0: 50, 1: 50}, written={1: [(40, 40)]})

    found = replayed(MARK, later)

    assert found.came_back(stored(12, came_from=(1, 20)))
    assert not found.came_back(stored(12, came_from=(1, 40)))
    assert found.came_back(stored(50, came_from=(1, 40)))


LETTERS = [
    stored(0),
    stored(5),
    stored(6, None, key=None, copied=False),
    stored(8),
    stored(12, came_from=(1, 20)),
    stored(13),
]


@pytest.mark.parametrize(
    ("again", "limit", "offsets", "left_out"),
    [
        (False, None, [5, 8, 13], {"already": 1, "pointer": 1, "again": 1}),
        (True, None, [5, 8, 12, 13], {"already": 1, "pointer": 1}),
        (False, 2, [5, 8], {"already": 1, "pointer": 1}),
    ],
)
def test_replay_takes_each_letter_once_and_none_in_a_loop(
    again: bool, limit: int | None, offsets: list[int], left_out: dict[str, int]
) -> None:
    """Those left out are counted; the limit counts the others; `--again` sends those that came back, never twice."""
    selection = Selection(replayed(MARK), Home(), again=again, limit=limit)

    assert offsets == [each.offset for each in selection.of(LETTERS)]
    assert left_out == selection.left_out
