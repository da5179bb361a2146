"""The two ends of a backfill as people name them, and the offsets that they mean today."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from stream.backfill.plan import Extent
from stream.errors import InputError
from stream.records import Partition

__all__ = ["Bound", "Resolved", "Topic", "read_bound", "resolve_extents"]

_OFFSET = re.compile(r"[0-9]{1,18}")
_PLACE = re.compile(r"([0-9]{1,9}):([0-9]{1,18})")
_RELATIVE = re.compile(r"(now|earliest|latest|beginning|end|[0-9.]+\s*[smhdw])", re.IGNORECASE)

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

_FORMS = (
    "write an offset (1200), one for some partitions (0:1200,3:900), or an instant (2026-11-27T03:00:00Z)"
)


@dataclass(frozen=True, slots=True)
class Bound:
    """
    One end of the range. Exactly one of the three is given.

    Attributes:
        offset: the same in every partition.
        places: by partition number; the other partitions are left out.
        time_ms: the first record of this time or later, in milliseconds since 1970.
    """

    offset: int | None = None
    places: Mapping[int, int] | None = None
    time_ms: int | None = None

    def __str__(self) -> str:
        """The one spelling of it: two commands mean the same where these are equal."""
        if self.places is not None:
            return ",".join(f"{index}:{offset}" for index, offset in sorted(self.places.items()))
        return str(self.offset) if self.time_ms is None else _instant(self.time_ms)


def read_bound(text: str, now: dt.datetime) -> Bound:
    """
    What a person wrote.

    Args:
        text: an offset, `PARTITION:OFFSET,…`, or an instant by ISO 8601, UTC where it names no zone.
        now: for a hint.
    Raises: InputError. What moves with the clock is refused: the command could not be run again to go on.
    """
    text = text.strip()
    if _OFFSET.fullmatch(text):
        return Bound(offset=int(text))
    places = [_PLACE.fullmatch(part.strip()) for part in text.split(",")]
    if all(places):
        found = {int(place[1]): int(place[2]) for place in places if place}
        if len(found) < len(places):
            raise InputError(f"{text!r} names a partition twice", hint=_FORMS)
        return Bound(places=found)
    if _RELATIVE.fullmatch(text):
        raise InputError(
            f"{text!r} means something else each time it is asked, and a backfill that is run again must go on with the"
            " same range",
            hint=f"write the offset or the instant, such as 0, or {_instant(int(now.timestamp()) * 1_000)} for now",
        )
    try:
        instant = dt.datetime.fromisoformat(text)
        instant = instant.replace(tzinfo=instant.tzinfo or dt.UTC).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise InputError(f"{text!r} is neither an offset nor an instant", hint=_FORMS) from None
    # Rounded up: a record's time is in whole milliseconds, and none before the instant is meant.
    time_ms = -((_EPOCH - instant) // dt.timedelta(milliseconds=1))
    if time_ms < 0:
        # Kafka's protocol has other meanings for such numbers: -1 asks for the end of a partition.
        raise InputError(
            f"{text!r} is before 1970, and so is the time of no record",
            hint="write 0, the first offset of every partition, or a later instant",
        )
    return Bound(time_ms=time_ms)


def _instant(time_ms: int) -> str:
    moment = _EPOCH + dt.timedelta(milliseconds=time_ms)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


OffsetsAt: TypeAlias = Callable[[int], Mapping[int, int | None]]
"""Milliseconds since 1970 → per partition number the first record of that time or later (`Reader.offsets_at`)."""


@dataclass(slots=True)
class Resolved:
    """
    What a range means today.

    Attributes:
        extents: per partition number, of every partition of the topic; empty ones where nothing is to be done.
        remarks: where it is less than was asked for, for people.
    """

    extents: dict[int, Extent] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Topic:
    """
    The input as it is now.

    Attributes:
        name: the topic.
        ends: per partition number its earliest offset, and the one after its last record.
        at: asks for offsets by time.
        now_ms: milliseconds since 1970.
    """

    name: str
    ends: Mapping[int, tuple[int, int]]
    at: OffsetsAt
    now_ms: int


def resolve_extents(topic: Topic, start: Bound, end: Bound) -> Resolved:
    """
    The offsets of a range.

    Args:
        topic: the input.
        start: the first record.
        end: the record after the last.
    Raises: InputError when the range reaches into the future, is empty, or names a partition that is not there; what
        the topic raises.
    """
    there = topic.ends
    _check_future(topic.name, end, there, topic.now_ms)
    chosen = _chosen(topic.name, start, end, there)
    firsts, lasts = (_offsets_of(topic, bound) for bound in (start, end))
    found = Resolved()
    for index, (low, high) in sorted(there.items()):
        if index not in chosen:
            found.extents[index] = Extent(low, low)
            continue
        first, last = min(max(firsts[index], low), high), min(lasts[index], high)
        found.extents[index] = Extent(first, max(first, last))
        name = Partition(topic.name, index)
        if low and firsts[index] <= low < last:
            found.remarks.append(f"{name}: begins with the earliest record that is there, offset {low}")
        if last < lasts[index]:
            found.remarks.append(f"{name}: has no records from {high} on yet, and ends there")
    if not any(found.extents[index].offsets for index in chosen):
        raise InputError(
            f"no record of {topic.name} is from {start} to before {end}: "
            + ", ".join(_held(topic.name, there)),
            hint="--from is the first record, --to the one after the last",
        )
    return found


def _check_future(topic: str, end: Bound, there: Mapping[int, tuple[int, int]], now_ms: int) -> None:
    if end.time_ms is not None and end.time_ms > now_ms:
        raise InputError(
            f"--to {end} is not over yet: a backfill ends with records that are there",
            hint=f"write a time that is over; now it is {_instant(now_ms)}",
        )
    if end.offset is not None and there and end.offset > max(high for _, high in there.values()):
        raise InputError(
            f"--to {end}: no partition has so many records yet: " + ", ".join(_held(topic, there)),
            hint="a backfill ends with records that are there: name an offset or a time that is past",
        )
    for index, offset in (end.places or {}).items():
        if index in there and offset > there[index][1]:
            raise InputError(
                f"--to {index}:{offset}: {Partition(topic, index)} has no such record yet; it ends before"
                f" {there[index][1]}",
                hint="a backfill ends with records that are there",
            )


def _chosen(topic: str, start: Bound, end: Bound, there: Mapping[int, object]) -> set[int]:
    """The partitions that are asked for."""
    named = [set(bound.places) for bound in (start, end) if bound.places is not None]
    if not named:
        return set(there)
    if named[0] != named[-1]:
        raise InputError(
            f"--from {start} and --to {end} name different partitions",
            hint="name the same ones in both, or an offset or a time in one",
        )
    if unknown := sorted(named[0] - set(there)):
        raise InputError(
            f"{topic} has no partition {unknown[0]}", hint=f"it has {len(there)}: 0 to {len(there) - 1}"
        )
    return named[0]


def _offsets_of(topic: Topic, bound: Bound) -> dict[int, int]:
    if bound.time_ms is not None:
        found = topic.at(bound.time_ms)
        later = {index: offset for index, offset in found.items() if offset is not None}
        return {index: later.get(index, high) for index, (_, high) in topic.ends.items()}
    return dict(bound.places) if bound.places is not None else dict.fromkeys(topic.ends, bound.offset or 0)


def _held(topic: str, there: Mapping[int, tuple[int, int]]) -> Iterator[str]:
    for index, (low, high) in sorted(there.items()):
        yield f"{Partition(topic, index)} has {f'{low} to {high - 1}' if low < high else 'none'}"
