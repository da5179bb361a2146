"""The ends of a backfill's range: read, and turned into offsets."""

from __future__ import annotations

import datetime as dt

import pytest

from stream.backfill.bounds import Bound, Topic, read_bound, resolve_extents
from stream.errors import InputError

NOW = dt.datetime(2026, 11, 27, 8, 0, tzinfo=dt.UTC)
NOW_MS = int(NOW.timestamp()) * 1_000


ENDS = {0: (100, 200), 1: (0, 50)}


def at(time_ms: int) -> dict[int, int | None]:
    """A record a second of 1970."""
    second = time_ms // 1_000
    return {index: max(low, second) if second < high else None for index, (low, high) in ENDS.items()}


TOPIC = Topic("in", ENDS, at, NOW_MS)


def resolved(start: str, end: str) -> dict[int, tuple[int, int]]:
    """Per partition the offsets that are meant."""
    found = resolve_extents(TOPIC, read_bound(start, NOW), read_bound(end, NOW))
    return {index: (extent.start, extent.end) for index, extent in found.extents.items()}


@pytest.mark.parametrize(
    ("text", "expected", "spelling"),
    [
        ("0", Bound(offset=0), "0"),
        (" 0012 ", Bound(offset=12), "12"),
        ("3:9, 0:7", Bound(places={0: 7, 3: 9}), "0:7,3:9"),
        ("1970-01-01T00:00:01Z", Bound(time_ms=1_000), "1970-01-01T00:00:01.000Z"),
        ("1970-01-01T01:00:01+01:00", Bound(time_ms=1_000), "1970-01-01T00:00:01.000Z"),
        ("1970-01-02", Bound(time_ms=86_400_000), "1970-01-02T00:00:00.000Z"),
        ("1970-01-01 00:00:00.0019", Bound(time_ms=2), "1970-01-01T00:00:00.002Z"),
        ("1970-01-01", Bound(time_ms=0), "1970-01-01T00:00:00.000Z"),
    ],
)
def test_end_has_one_spelling(text: str, expected: Bound, spelling: str) -> None:
    """Offsets, places and instants; what is spelt alike is the same backfill."""
    found = read_bound(text, NOW)

    assert (expected, spelling) == (found, str(found))


@pytest.mark.parametrize(
    "text",
    [
        "1969-12-31T23:59:59.999Z",
        "1969-12-31T23:59:59.998Z",
        "1969-12-31T23:59:59.997Z",
        "1900-01-01",
        "0001-01-01",
        "1970-01-01T00:00:00+00:01",
    ],
)
def test_time_before_1970_is_refused(text: str) -> None:
    """Kafka takes -1, -2 and -3 for the end, the beginning and the largest time, and refuses the others."""
    with pytest.raises(InputError, match="is before 1970"):
        read_bound(text, NOW)


@pytest.mark.parametrize("text", ["now", "2h", "latest", "Earliest", "30 m", "1.5d", "end"])
def test_end_that_moves_with_the_clock_is_refused(text: str) -> None:
    """The command could not be run again to go on; the hint has the instant to write."""
    with pytest.raises(InputError, match="each time it is asked") as error:
        read_bound(text, NOW)

    assert "2026-11-27T08:00:00.000Z" in error.value.hint


@pytest.mark.parametrize("text", ["", "-1", "0:1,0:2", "0:", "tomorrow", "2026-13-01", "1e3", "9" * 30])
def test_end_that_is_none_is_refused(text: str) -> None:
    """The hint has every form."""
    with pytest.raises(InputError) as error:
        read_bound(text, NOW)

    assert "0:1200,3:900" in error.value.hint


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("0", "40", {0: (100, 100), 1: (0, 40)}),
        ("110", "120", {0: (110, 120), 1: (50, 50)}),
        ("20", "200", {0: (100, 200), 1: (20, 50)}),
        ("0:150", "0:160", {0: (150, 160), 1: (0, 0)}),
        ("0:150", "2026-11-27", {0: (150, 200), 1: (0, 0)}),
        ("1970-01-01T00:00:20Z", "1970-01-01T00:02:00Z", {0: (100, 120), 1: (20, 50)}),
        ("1970-01-01", "2026-11-27T08:00:00Z", {0: (100, 200), 1: (0, 50)}),
    ],
)
def test_range_is_what_is_there(start: str, end: str, expected: dict[int, tuple[int, int]]) -> None:
    """Cut to the records that there are; partitions that are not named are left out."""
    assert expected == resolved(start, end)


def test_range_that_is_cut_is_told() -> None:
    """Deleted records at its beginning, none yet at its end."""
    found = resolve_extents(TOPIC, Bound(offset=0), Bound(offset=150))

    assert [
        "in[0]: begins with the earliest record that is there, offset 100",
        "in[1]: has no records from 50 on yet, and ends there",
    ] == found.remarks


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        ("0", "2026-11-27T08:00:00.001Z", "not over yet"),
        ("0", "201", "no partition has so many records yet"),
        ("1:0", "1:51", "has no such record yet"),
        ("120", "120", "no record of in is from 120 to before 120"),
        ("130", "120", "no record of in"),
        ("2026-01-01", "2026-01-02", "no record of in"),
        ("2:0", "2:5", "in has no partition 2"),
        ("0:110,1:0", "0:120", "name different partitions"),
    ],
)
def test_range_that_can_not_be_meant_is_refused(start: str, end: str, message: str) -> None:
    """The future, nothing at all, and partitions that are not there."""
    with pytest.raises(InputError, match=message):
        resolved(start, end)
