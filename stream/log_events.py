"""
Events that matter to whoever reads a log: one line each, with a name and fields that stay the same.

The table says which there are; `docs/operations.md` is written from it. As JSON a line has `event` and the event's
fields beside `time`, `level`, `logger` and `message`; as text it is the message, which says the same. No field holds a
payload, a key or a secret.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from stream.records import Partition

__all__ = ["BASE_FIELDS", "EVENTS", "EventName", "LogEvent", "fields_of", "tell", "tell_partitions"]

BASE_FIELDS = ("time", "level", "logger", "message", "event", "exception")
"""Of each line as JSON; `event` and `exception` where there is one."""

EventName: TypeAlias = Literal[
    "broker_away",
    "broker_back",
    "commit_failed",
    "dead_letters",
    "model_kept",
    "model_swapped",
    "partitions_assigned",
    "partitions_lost",
    "partitions_revoked",
    "records_recovered",
    "topics_missing",
    "worker_failed",
    "worker_started",
    "worker_stopped",
]


@dataclass(frozen=True, slots=True)
class LogEvent:
    """
    One declaration.

    Attributes:
        name: stays the same.
        meaning: one sentence.
        fields: names of what a JSON line has in addition.
    """

    name: EventName
    meaning: str
    fields: tuple[str, ...] = ()


EVENTS = (
    LogEvent(
        "worker_started",
        "The broker and the topics are there, the model is open; the group is joined next.",
        (
            *(
                "version",
                "python",
                "scikit_learn",
                "librdkafka",
                "model",
                "input",
                "output",
                "dead_letter_topic",
            ),
            *("group", "instance", "guarantee"),
        ),
    ),
    LogEvent("partitions_assigned", "The group gave partitions to this worker.", ("partitions",)),
    LogEvent("partitions_revoked", "The group takes partitions; they are finished first.", ("partitions",)),
    LogEvent("partitions_lost", "Partitions belong to others already.", ("partitions",)),
    LogEvent("model_swapped", "Another version answers from the next batch on.", ("model", "previous")),
    LogEvent(
        "model_kept",
        "A new version was refused, or none can be looked for; the one before goes on answering.",
        ("model", "refused_version", "reason"),
    ),
    LogEvent(
        "dead_letters",
        "Records went to the dead-letter topic: at most one line a minute for each reason.",
        ("reason", "stage", "count", "total", "seconds"),
    ),
    LogEvent("broker_away", "No broker answers; said once until one does.", ("reason",)),
    LogEvent("broker_back", "A broker answers again.", ("seconds",)),
    LogEvent("topics_missing", "Topics of the configuration are not there any more.", ("topics",)),
    LogEvent(
        "commit_failed",
        "What was published is not committed; its records are sent again, or read by who has their partition now.",
        ("error", "reason"),
    ),
    LogEvent("records_recovered", "The records of transactions that could not be committed are."),
    LogEvent("worker_failed", "The worker ends with an error.", ("error", "reason")),
    LogEvent(
        "worker_stopped",
        "The worker has ended as asked; everything that it read is committed.",
        ("records", "predictions", "dead_letters", "skips", "seconds"),
    ),
)

Field: TypeAlias = str | int | float | list[int] | list[str] | None


def tell(
    log: logging.Logger, level: int, event: EventName, message: str, *args: object, **fields: Field
) -> None:
    """
    Write the line of an event.

    Args:
        log: of the module that tells it.
        level: as `logging` has them.
        event: its name in `EVENTS`.
        message: for people; says what the fields say.
        args: of the message.
        fields: all that `EVENTS` has for it, and no others.
    """
    log.log(level, message, *args, extra={"event": event, "event_fields": fields}, stacklevel=2)


def tell_partitions(
    log: logging.Logger, what: Literal["assigned", "revoked", "lost"], partitions: Sequence[Partition]
) -> None:
    """Write the line of a rebalance."""
    events: dict[str, EventName] = {
        "assigned": "partitions_assigned",
        "revoked": "partitions_revoked",
        "lost": "partitions_lost",
    }
    names, indexes = ", ".join(map(str, partitions)) or "none", [partition.index for partition in partitions]
    tell(log, logging.INFO, events[what], "partitions %s: %s", what, names, partitions=indexes)


def fields_of(record: logging.LogRecord) -> dict[str, Field]:
    """The event's name and fields of a line; empty for one that is no event."""
    event = getattr(record, "event", None)
    return {} if event is None else {"event": event, **getattr(record, "event_fields", {})}
