"""librdkafka's errors → ours, by the decision that each asks for (`decisions`)."""

from __future__ import annotations

from confluent_kafka import KafkaError, KafkaException

from stream.errors import (
    Aborted,
    BrokerRefused,
    DeliveryFailed,
    Fenced,
    MovedOn,
    OutcomeUnknown,
    Retriable,
    Stopped,
    StreamError,
)
from stream.transport.decisions import DECISIONS, RECORD_REASONS, Decision
from stream.transport.refusal_hints import hint_of

__all__ = ["decide", "decide_transaction", "record_reason", "unwrap", "worth_asking_again"]

_TWINS = {
    KafkaError.PRODUCER_FENCED,
    KafkaError._FENCED,
    KafkaError.INVALID_PRODUCER_EPOCH,
    KafkaError.FENCED_INSTANCE_ID,
    KafkaError.UNRELEASED_INSTANCE_ID,
}
"""Another client uses this worker's name."""


def unwrap(error: KafkaException | KafkaError) -> KafkaError:
    """The KafkaError inside an exception of the client."""
    if isinstance(error, KafkaError):
        return error
    inner = error.args[0] if error.args else None
    return inner if isinstance(inner, KafkaError) else KafkaError(KafkaError._FAIL, str(error))


def record_reason(error: KafkaError) -> str | None:
    """The dead letter's reason when the broker refuses this one record; None when it is not about the record."""
    return RECORD_REASONS.get(error.code())


def worth_asking_again(error: KafkaError) -> bool:
    """
    Whether a refused record may be sound, or refused for another reason than the one given.

    A broker refuses a batch whole, for one record in it or for the size of all together. Then the others fail with
    `_INVALID_DIFFERENT_RECORD`, or with the code of the guilty one. Alone in a batch a record has its own answer.
    Source: KIP-467.
    """
    return DECISIONS.get(error.code()) is Decision.RECORD


def decide(error: KafkaException | KafkaError, doing: str) -> StreamError:
    """
    What an error of the client means outside a transaction.

    Args:
        error: as librdkafka gave it.
        doing: what was being done, as in `committing offsets of topic t`.
    Returns: the error to raise: Retriable, MovedOn, or a kind of Stopped. An error that the table
        does not know stops the worker: going on after something unforeseen is how records get lost.
    """
    inner = unwrap(error)
    message = f"{doing}: {inner.name()}: {inner.str()}"
    decision = DECISIONS.get(inner.code(), Decision.STOP)
    if inner.code() in _TWINS or decision is Decision.REFUSED:
        return _refusal(inner, message)
    if inner.fatal() or decision is Decision.RENEW:
        return Stopped(message, hint="restart the worker; it goes on at the last commit")
    if decision is Decision.MOVED_ON:
        return MovedOn(message)
    if decision is Decision.RETRY or inner.retriable():
        return Retriable(message)
    if decision is Decision.ABORT:
        return DeliveryFailed(
            message, hint="look at the broker's log; a restart repeats the work that was not committed"
        )
    return Stopped(
        message, hint="look the error up in docs/operations.md; a restart goes on at the last commit"
    )


def decide_transaction(error: KafkaException | KafkaError, doing: str) -> StreamError:
    """
    What an error of the client means to a transaction.

    Args:
        error: as librdkafka gave it, with what it says of itself: fatal, retriable, abort required.
        doing: what was being done, as in `committing a transaction`.
    Returns: the error to raise: Retriable (the same call again), MovedOn and Aborted (abort; what is still
        this worker's goes into a new transaction), OutcomeUnknown (new producer, offsets read again), or a
        kind of Stopped.
    """
    inner = unwrap(error)
    message = f"{doing}: {inner.name()}: {inner.str()}"
    decision = DECISIONS.get(inner.code(), Decision.STOP)
    if decision is Decision.REFUSED:
        return _refusal(inner, message)
    if inner.fatal() or decision is Decision.RENEW:
        return OutcomeUnknown(message, fenced=inner.code() in _TWINS)
    if decision is Decision.MOVED_ON:
        return MovedOn(message)
    # The client's state is not the one for this call: something before it has failed.
    wrong_state = inner.code() == KafkaError._STATE
    if inner.txn_requires_abort() or wrong_state or decision in (Decision.ABORT, Decision.RECORD):
        return Aborted(message)
    if decision is Decision.RETRY or inner.retriable():
        return Retriable(message)
    return Stopped(
        message, hint="look the error up in docs/operations.md; a restart goes on at the last commit"
    )


def _refusal(inner: KafkaError, message: str) -> Stopped:
    """The error for a broker's refusal."""
    if inner.code() in _TWINS:
        return Fenced(message, hint="give every worker its own [delivery] instance")
    return BrokerRefused(message, hint=hint_of(inner.code()), code=inner.name())
