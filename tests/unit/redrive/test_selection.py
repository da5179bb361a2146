"""Which letters a replay sends, and why it leaves others out."""

from __future__ import annotations

from typing import Any

import pytest

from stream.redrive import LEFT_OUT
from stream.redrive.replay_marks import Replayed, TopicId
from stream.redrive.selection import Home, Selection
from tests.unit.redrive.letters import stored

NOTHING = Replayed(TopicId("dead", "d"), TopicId("in", "i"))

HOME = Home("in", "ours", 1_700_000_000_000)


@pytest.mark.parametrize(
    ("letter", "why"),
    [
        ({}, None),
        ({"group": "ours"}, None),
        ({"topic": None}, None),
        ({"topic": "elsewhere"}, "topic"),
        ({"group": "theirs"}, "group"),
        ({"group": "a-connector", "writer": "kafka-connect"}, None),
        ({"group": "an-app", "writer": "spring"}, None),
        ({"topic": "elsewhere", "writer": "spring"}, "topic"),
        ({"copied": False}, "pointer"),
        ({"offset": -1}, "expired"),
    ],
)
def test_letter_is_sent_or_left_out_for_a_reason(letter: dict[str, Any], why: str | None) -> None:
    """Its own topic's and group's are sent, as far as the headers say; the offset makes its time here."""
    selection = Selection(NOTHING, HOME, again=False, limit=None)

    sent = list(selection.of([stored(**{"offset": 0, **letter})]))

    assert (why is None) == bool(sent)
    assert ({} if why is None else {why: 1}) == selection.left_out
    assert set(selection.left_out) <= set(LEFT_OUT)


def test_strangers_are_counted_by_name() -> None:
    """So that whoever shares the topic is found; a name of any length is cut."""
    selection = Selection(NOTHING, HOME, again=False, limit=None)
    topics = ["a", "b", "a", "x" * 1_000]

    assert [] == list(selection.of([stored(0, topic=topic) for topic in topics]))
    assert {"a": 2, "b": 1, "x" * 200 + "…": 1} == selection.strangers["topic"]


def test_any_home_takes_all() -> None:
    """What `--topic` and `--group` ask for was filtered before."""
    selection = Selection(NOTHING, Home(), again=False, limit=None)

    assert 1 == len(list(selection.of([stored(0, topic="elsewhere", group="theirs")])))


def test_limit_counts_what_is_sent() -> None:
    """Letters that are left out do not use it up."""
    selection = Selection(NOTHING, HOME, again=False, limit=1)
    letters = [stored(0, topic="elsewhere"), stored(1), stored(2)]

    assert [1] == [each.offset for each in selection.of(letters)]
