"""What is sent."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from stream.demo import feed as room
from stream.demo.feed import evenly, prepare
from stream.demo.flights import split
from stream.errors import SettingsError

SCHEMA = Path(__file__).parents[3] / "schemas" / "flight.avsc"


@pytest.fixture(autouse=True)
def _loaded_once(monkeypatch: pytest.MonkeyPatch, departures: pd.DataFrame) -> None:
    monkeypatch.setattr(room, "load_flights", lambda: departures)


def test_a_feed_is_held_out_flights_in_time_order(departures: pd.DataFrame) -> None:
    """Keys are flights that no model was trained on, in the order of their departures, each once."""
    feed = prepare(500, SCHEMA)

    _, held_out = split(departures)
    order = {flight: i for i, flight in enumerate(held_out["flight_id"])}
    positions = [order[(m.key or b"").decode()] for m in feed.messages]
    assert len(set(positions)) == 500
    assert sorted(positions) == positions
    assert all(m.timestamp_ms == 0 for m in feed.messages)
    assert set(feed.late) == set(feed.delays_min)
    assert len(feed.spoiled) == 6


def test_more_events_than_flights_is_refused_with_the_most_there_are() -> None:
    """One too many: the message names the number that is asked for and the number that there is."""
    with pytest.raises(SettingsError, match="--events 65706: 65,705 flights") as caught:
        prepare(65_706, SCHEMA)

    assert "65705 at most" in caught.value.hint


@pytest.mark.parametrize(("count", "of"), [(1, 7), (3, 7), (6, 7), (7, 7), (500, 65_705)])
def test_positions_are_spread_without_repetition(count: int, of: int) -> None:
    """As many as asked for, ascending, different, within the range."""
    positions = evenly(count, of)

    assert len(positions) == count
    assert sorted(set(positions)) == positions
    assert positions[0] == 0
    assert positions[-1] < of
