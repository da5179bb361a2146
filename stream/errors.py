"""
Every error of the package, as a map.

* ``StreamError``: the root; everything below is one *decision*.

  * ``Refused``: fix what was given and start again (exit 2).

    * ``SettingsError``: a key of ``stream.toml`` or the environment.
    * ``SchemaError``: an Avro schema.
    * ``PackageError``: a model package, or the estimator to be packed.
    * ``SampleError``: a data file.
    * ``QueryError``: a SQL query.
    * ``InputError``: rows that a model is asked about in Python.

  * ``QueryFailed``: a sound query was broken off (exit 1).
  * ``RecordError``: dead-letter this one record and go on.
  * ``Retriable``: nothing happened; try the same thing again.
  * ``MovedOn``: the consumer group has moved on; nothing was committed, and others may own the partitions.
  * ``Aborted``: the transaction can't be committed; abort it, and send its outputs again in a new one.
  * ``OutcomeUnknown``: nobody knows whether it happened; new producer, and read the offsets again.
  * ``Stopped``: the worker must end now (exit 1), nothing is committed beyond what is safe.

    * ``StartupTimeout``: the broker or a topic was not there in time.
    * ``DeliveryFailed``: an output could not be delivered.
    * ``DeadLetterRefused``: not even the dead-letter topic takes the record.
    * ``OffsetOutOfRange``: the records to read next are no longer there.
    * ``TooManyDeadLetters``: the brake: a bad deploy, not bad data.
    * ``Fenced``: another worker has taken this one's place.
    * ``BrokerRefused``: the broker says no: authentication, ACL, unsupported.
    * ``Stuck``: the engine makes no progress.

The first line of a class's docstring is its default message, the last line what an operator does.
"""

from __future__ import annotations

import copyreg

from stream.shown import class_name, shown

__all__ = [
    "Aborted", "BrokerRefused", "DeadLetterRefused", "DeliveryFailed", "Fenced", "InputError", "MovedOn",
    "OffsetOutOfRange", "OutcomeUnknown", "PackageError", "QueryError", "QueryFailed", "RecordError",
    "Refused", "Retriable", "SampleError", "SchemaError", "SettingsError", "StartupTimeout", "Stopped",
    "StreamError", "Stuck", "TooManyDeadLetters", "class_name",
]  # fmt: skip


class StreamError(Exception):
    """
    Something in prediction-stream went wrong.

    Operator action: read the message; it names the place and the next step.
    """

    def __init__(self, message: str = "", *, hint: str = "", quoted: str = "") -> None:
        """
        Args:
            message: what happened and where, shown as one line; the docstring's first line when empty.
            hint: the next thing to try, as an imperative sentence without a full stop.
            quoted: lines of somebody else's, such as the end of a log: shown below, each marked.
        """
        self.message = shown(message or self.summary())
        self.hint = shown(hint)
        self.quoted = [shown(line) for line in quoted.splitlines() if line.strip()]
        super().__init__(self.message, self.hint)

    @classmethod
    def summary(cls) -> str:
        """The docstring's first sentence: the default message."""
        return (cls.__doc__ or cls.__name__).strip().splitlines()[0]

    def __reduce__(self) -> tuple[object, ...]:
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]

    def __str__(self) -> str:
        return "\n".join(self.lines)

    @property
    def lines(self) -> list[str]:
        """What a person reads: the message, what is quoted, the hint."""
        below = [f"  | {line}" for line in self.quoted] + [f"  try: {self.hint}"] * bool(self.hint)
        return [self.message, *below]


class Refused(StreamError):
    """
    What was given can't be used.

    Operator action: change what the message names and start again.
    """


class SettingsError(Refused):
    """
    A setting can't be used.

    Operator action: correct the key that is named, in the file or variable that is named.
    """


class SchemaError(Refused):
    """
    An Avro schema can't be used.

    Operator action: correct the schema file, or the field that is named.
    """


class PackageError(Refused):
    """
    A model package is refused.

    Operator action: pack the model again, or roll back to a version that opens.
    """

    def __init__(self, message: str = "", *, step: str = "", hint: str = "") -> None:
        """
        Args: as `StreamError`, and
            step: the opening step that failed (one of `stream.store.STEPS`), or ``proof`` while packing.
        """
        super().__init__(message, hint=hint)
        self.step = step

    @property
    def lines(self) -> list[str]:
        """As of any error; the first begins with the step."""
        first, *others = super().lines
        return [f"step {self.step}: {first}" if self.step else first, *others]


class SampleError(Refused):
    """
    A data file can't be read.

    Operator action: correct the file at the row and column that are named.
    """


class QueryError(Refused):
    """
    A SQL query can't be used.

    Operator action: correct the query at the place that is named.
    """


class InputError(Refused):
    """
    The rows that a model is asked about can't be used.

    Operator action: correct the column or the type that is named.
    """


class QueryFailed(StreamError):
    """
    A SQL query was broken off.

    Operator action: read the database's message; what the query should have written is not there.
    """


class RecordError(StreamError):
    """
    One record can't be scored.

    Operator action: none; the record is in the dead-letter topic with its reason.
    """

    def __init__(self, message: str, *, reason: str, field: str | None = None) -> None:
        """
        Args:
            message: what is wrong with the record, without payload values where redaction is on.
            reason: a stable snake_case code (docs/wire-format.md lists them).
            field: the dotted path of the field that it concerns; None where it concerns no single field.
        """
        super().__init__(message)
        self.reason = reason
        self.field = field


class Retriable(StreamError):
    """
    A passing fault; nothing has changed.

    Operator action: none, unless it repeats for minutes; then look at the broker.
    """


class MovedOn(StreamError):
    """
    The consumer group has moved on without this member.

    Operator action: none; what stays with this worker is committed later, the rest by its new owner.
    """


class Aborted(StreamError):
    """
    The transaction can't be committed.

    Operator action: none, unless it repeats for minutes; then look at the brokers. Nothing of it is visible.
    """


class OutcomeUnknown(StreamError):
    """
    Whether it happened is not known.

    Operator action: none; the worker takes a new producer, reads the committed offsets and goes on from there.
    """

    def __init__(self, message: str = "", *, fenced: bool = False, hint: str = "") -> None:
        """
        Args: as `StreamError`, and
            fenced: the broker says that a newer producer exists, or has ended a transaction that took too long.
        """
        super().__init__(message, hint=hint)
        self.fenced = fenced


class Stopped(StreamError):
    """
    The worker has stopped.

    Operator action: correct what the message names; the supervisor's restart goes on at the last commit.
    """


class StartupTimeout(Stopped):
    """
    What the worker needs was not there in time.

    Operator action: check that the broker runs, and create missing topics with `stream topics --create`.
    """


class DeliveryFailed(Stopped):
    """
    An output could not be delivered.

    Operator action: look at the broker and the output topic; nothing was committed, a restart repeats the work.
    """


class DeadLetterRefused(Stopped):
    """
    The dead-letter topic refused a record.

    Operator action: raise the topic's `max.message.bytes` as the message says, then restart.
    """


class OffsetOutOfRange(Stopped):
    """
    The records to be read next are no longer on the input topic.

    Operator action: decide what to do about the gap, then set `[input] on_out_of_range`.
    """


class TooManyDeadLetters(Stopped):
    """
    Too many of the last records went to the dead-letter topic.

    Operator action: look at their reasons: a bad deploy of the producer or of the model.
    """


class Fenced(Stopped):
    """
    Another worker took this one's place.

    Operator action: give every worker its own `[delivery] instance`.
    """


class BrokerRefused(Stopped):
    """
    The broker refused the worker.

    Operator action: correct the credentials or ACLs that the message names.
    """

    def __init__(self, message: str = "", *, hint: str = "", code: str = "") -> None:
        """
        Args: as `StreamError`, and
            code: Kafka's name of the error, such as TOPIC_AUTHORIZATION_FAILED; empty where there is none.
        """
        super().__init__(message, hint=hint)
        self.code = code


class Stuck(Stopped):
    """
    The engine has made no progress for too long.

    Operator action: let the supervisor restart it; send the log's stack dump with a bug report.
    """
