"""How an operator sees that an error is over; docs/operations.md is written from this table."""

from __future__ import annotations

from collections.abc import Mapping

from stream.errors import (
    Aborted,
    BrokerRefused,
    DeadLetterRefused,
    DeliveryFailed,
    Fenced,
    InputError,
    MovedOn,
    OffsetOutOfRange,
    OutcomeUnknown,
    PackageError,
    QueryError,
    QueryFailed,
    RecordError,
    Refused,
    Retriable,
    SampleError,
    SchemaError,
    SettingsError,
    StartupTimeout,
    Stopped,
    StreamError,
    Stuck,
    TooManyDeadLetters,
)

__all__ = ["ENDS", "over"]

ENDS: Mapping[type[StreamError], str] = {
    StreamError: "The same command ends with 0.",
    Refused: "`stream check` ends with 0, and the worker is ready.",
    SettingsError: "`stream doctor` says `ok configuration`.",
    SchemaError: "`stream check` ends with 0.",
    PackageError: "`stream models verify` ends with 0; `stream_model_info` has the version.",
    SampleError: "The same command ends with 0.",
    QueryError: "The same query ends with 0.",
    InputError: "The same call returns rows.",
    QueryFailed: "The same query ends with 0.",
    RecordError: "Its reason comes no more: [reasons](wire-format.md#reasons).",
    Retriable: "The log says that the broker answers again; `/health/ready` is 200.",
    MovedOn: "The group has settled: `stream status` shows each partition with an owner.",
    Aborted: '`stream_commits_total{result="ok"}` grows, `aborted` does not.',
    OutcomeUnknown: '`stream_commits_total{result="ok"}` grows, `unknown` does not.',
    Stopped: "`/health/ready` is 200, and the lag falls.",
    StartupTimeout: "`stream doctor` has no `fail`; `/health/ready` is 200.",
    DeliveryFailed: '`stream_commits_total{result="ok"}` grows.',
    DeadLetterRefused: "`stream doctor` says `ok record sizes`, and the lag of that partition falls.",
    OffsetOutOfRange: "`stream doctor` says `ok lag`; then take the variable away again.",
    TooManyDeadLetters: "The share of dead letters is as before: `StreamDeadLetters` is silent.",
    Fenced: "`stream doctor` says `ok group`; no worker restarts any more.",
    BrokerRefused: "`stream doctor` says `ok login`, and `ok` to each line of `rights`.",
    Stuck: "`stream_last_progress_seconds` stays below 1.",
}
"""Error → what to see. Every error of the tree has one; a test says so."""


def over(kind: type[StreamError]) -> str:
    """
    How to see that it is over.

    Args:
        kind: a class of the tree.
    Raises: KeyError for one that has no sentence.
    """
    return ENDS[kind]
