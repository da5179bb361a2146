"""The events of one run, encoded beforehand, so that no time is spent on it while they are sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stream.codec import single_object_prefix, write_row
from stream.demo.corruption import KINDS, choose
from stream.demo.flights import events, load_flights, split
from stream.errors import SettingsError
from stream.resources import read_schema
from stream.tasks import Message

__all__ = ["Feed", "evenly", "prepare"]


@dataclass(frozen=True, slots=True)
class Feed:
    """
    What is sent, and what is known of it.

    Attributes:
        messages: in time order; keys are the flights' ids, all different; timestamps are left to now.
        late: outcome by flight id; None where the flight landed elsewhere.
        delays_min: departure delay by flight id, minutes.
        spoiled: kind of corruption by flight id, for those that were spoiled.
    """

    messages: list[Message]
    late: Mapping[str, bool | None]
    delays_min: Mapping[str, float]
    spoiled: Mapping[str, str]


def prepare(count: int, schema_file: Path) -> Feed:
    """
    Load the flights that no model was trained on, take some evenly from all their weeks, and encode them.

    Args:
        count: how many events, the spoiled ones included; at least 1.
        schema_file: the event's Avro schema.
    Raises: SettingsError when there are fewer flights than that; SampleError when the flights are not
        installed.
    """
    _, held_out = split(load_flights())
    if count > len(held_out):
        raise SettingsError(
            f"--events {count}: {len(held_out):,} flights are held out from training; there are no more to replay",
            hint=f"ask for {len(held_out)} at most",
        )
    schema = read_schema(schema_file)
    prefix = single_object_prefix(schema)
    chosen = choose(count)
    late, delays, spoiled = dict[str, bool | None](), dict[str, float](), dict[str, str]()
    messages: list[Message] = []
    for position, event in enumerate(events(held_out.iloc[evenly(count, len(held_out))])):
        value = prefix + write_row(schema, event.value)
        kind = chosen.get(position)
        if kind is not None:
            value = KINDS[kind](value, event.key)
            spoiled[event.key] = kind
        messages.append(Message(event.key.encode(), value))
        late[event.key] = event.late
        delays[event.key] = float(str(event.value["dep_delay"]))
    return Feed(messages, late, delays, spoiled)


def evenly(count: int, of: int) -> list[int]:
    """
    Positions spread over a range: few flights then meet the same seasons and storms as all of them.

    Args:
        count: how many; at most `of`.
        of: the range's length.
    Returns: ascending, all different, the first 0.
    """
    return [i * of // count for i in range(count)]
