"""Events spoiled on purpose."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from stream.codec import Decoder, single_object_prefix
from stream.codec.dict_records import write_row
from stream.demo.corruption import KINDS, choose
from stream.demo.flights import FIELDS
from stream.resources import read_schema

SCHEMA = read_schema(Path(__file__).parents[3] / "schemas" / "flight.avsc")
FLIGHT = "2013-12-01-UA-15-EWR"
WHEN = datetime(2013, 12, 1, 12, tzinfo=UTC)


def an_event() -> bytes:
    """A sound event, framed."""
    values = {
        "flight_id": FLIGHT, "departed_at": WHEN, "scheduled": WHEN, "carrier": "UA", "flight": 15,
        "origin": "EWR", "dest": "ORD", "distance": 719.0, "dep_delay": 3.0, "month": 12, "weekday": 6, "hour": 7,
    }  # fmt: skip
    return single_object_prefix(SCHEMA) + write_row(SCHEMA, {**dict.fromkeys(FIELDS), **values})


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_found_by_the_decoder_under_its_name(kind: str) -> None:
    """A spoiled event becomes a dead letter whose reason is the kind."""
    decoder = Decoder(SCHEMA, ["flight_id", "dep_delay"], "single-object", SCHEMA)

    decoded = decoder.decode([KINDS[kind](an_event(), FLIGHT), an_event()], [None, None])

    assert {0: kind} == {i: letter.reason for i, letter in decoded.faults.items()}


def test_spoiled_events_are_the_same_in_every_run() -> None:
    """The same seed chooses the same events; another seed others."""
    assert choose(20_000) == choose(20_000)
    assert choose(20_000) != choose(20_000, seed=1)


@pytest.mark.parametrize(
    ("count", "spoiled"), [(1, 0), (9, 0), (10, 1), (30, 3), (500, 6), (20_000, 20), (65_705, 66)]
)
def test_number_of_spoiled_events(count: int, spoiled: int) -> None:
    """One in a thousand, at least six, and never more than a tenth."""
    assert spoiled == len(choose(count))


@pytest.mark.parametrize("count", [60, 500, 65_705])
def test_all_kinds_come_at_the_least_number(count: int) -> None:
    """Six spoiled events are six kinds; positions are within the events."""
    chosen = choose(count)

    assert set(KINDS) == set(chosen.values())
    assert all(0 <= position < count for position in chosen)
