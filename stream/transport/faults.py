"""librdkafka's errors → our decisions, in one table."""

from __future__ import annotations

from confluent_kafka import KafkaError, KafkaException

from stream.errors import (
    BrokerRefused,
    DeliveryFailed,
    Fenced,
    OutcomeUnknown,
    Retriable,
    Stopped,
    StreamError,
)

__all__ = ["decide", "record_reason", "unwrap", "worth_asking_again"]

_PASSING = {
    KafkaError._TRANSPORT,
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError._RESOLVE,
    KafkaError._TIMED_OUT,
    KafkaError._TIMED_OUT_QUEUE,
    KafkaError._WAIT_COORD,
    KafkaError._RETRY,
    KafkaError._STATE,
    KafkaError._PARTITION_EOF,
    KafkaError._UNKNOWN_PARTITION,
    KafkaError._UNKNOWN_TOPIC,
    KafkaError._MAX_POLL_EXCEEDED,
    KafkaError._NO_OFFSET,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.REQUEST_TIMED_OUT,
    KafkaError.NETWORK_EXCEPTION,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
    KafkaError.NOT_ENOUGH_REPLICAS,
    KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    KafkaError.KAFKA_STORAGE_ERROR,
    KafkaError.OFFSET_NOT_AVAILABLE,
    KafkaError.FENCED_LEADER_EPOCH,
    KafkaError.UNKNOWN_LEADER_EPOCH,
    KafkaError.UNSTABLE_OFFSET_COMMIT,
    KafkaError.BROKER_NOT_AVAILABLE,
    KafkaError.REPLICA_NOT_AVAILABLE,
    KafkaError.THROTTLING_QUOTA_EXCEEDED,
}

_MOVED_ON = {
    KafkaError.ILLEGAL_GENERATION,
    KafkaError.UNKNOWN_MEMBER_ID,
    KafkaError.REBALANCE_IN_PROGRESS,
    KafkaError.STALE_MEMBER_EPOCH,
    KafkaError._ASSIGNMENT_LOST,
}
"""The group has moved on: the commit did not count, others read these records again."""

_FENCED = {
    KafkaError.PRODUCER_FENCED,
    KafkaError._FENCED,
    KafkaError.FENCED_INSTANCE_ID,
    KafkaError.INVALID_PRODUCER_EPOCH,
}

_REFUSED = {
    KafkaError._AUTHENTICATION,
    KafkaError._SSL,
    KafkaError._UNSUPPORTED_FEATURE,
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    KafkaError.UNSUPPORTED_SASL_MECHANISM,
    KafkaError.UNSUPPORTED_VERSION,
    KafkaError.SECURITY_DISABLED,
}

_RECORD = {
    KafkaError.MSG_SIZE_TOO_LARGE: "message_too_large",
    KafkaError.RECORD_LIST_TOO_LARGE: "message_too_large",
    KafkaError.INVALID_TIMESTAMP: "timestamp_refused",
    KafkaError.INVALID_RECORD: "record_refused",
    KafkaError.INVALID_MSG: "record_refused",
    KafkaError.POLICY_VIOLATION: "record_refused",
}
"""What the broker holds against one record, not against the worker."""

_MENDS = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "grant Read on the input topic, Write on the output and dead-letter topics",
    KafkaError.GROUP_AUTHORIZATION_FAILED: "grant Read on the consumer group",
    KafkaError.SASL_AUTHENTICATION_FAILED: "check sasl.username, sasl.password and sasl.mechanism",
    KafkaError._AUTHENTICATION: "check sasl.username, sasl.password and sasl.mechanism",
    KafkaError._SSL: "check ssl.ca.location and the certificates",
}


def unwrap(error: KafkaException | KafkaError) -> KafkaError:
    """The KafkaError inside an exception of the client."""
    if isinstance(error, KafkaError):
        return error
    inner = error.args[0] if error.args else None
    return inner if isinstance(inner, KafkaError) else KafkaError(KafkaError._FAIL, str(error))


def record_reason(error: KafkaError) -> str | None:
    """The dead letter's reason when the broker refuses this one record; None when it is not about the record."""
    return _RECORD.get(error.code())


def worth_asking_again(error: KafkaError) -> bool:
    """
    Whether a refused record may be sound, or refused for another reason than the one given.

    A broker refuses a batch whole, for one record in it or for the size of all together. Then the others fail with
    `_INVALID_DIFFERENT_RECORD`, or with the code of the guilty one. Alone in a batch a record has its own answer.
    Source: KIP-467.
    """
    return error.code() == KafkaError._INVALID_DIFFERENT_RECORD or error.code() in _RECORD


def decide(error: KafkaException | KafkaError, doing: str) -> StreamError:
    """
    What an error of the client means to the worker.

    Args:
        error: as librdkafka gave it.
        doing: what was being done, as in `committing offsets of topic t`.
    Returns: the error to raise: Retriable, OutcomeUnknown, or a kind of Stopped. An error that the table
        does not know stops the worker: going on after something unforeseen is how records get lost.
    """
    inner = unwrap(error)
    code = inner.code()
    message = f"{doing}: {inner.name()}: {inner.str()}"
    if code in _FENCED:
        return Fenced(message, mend="give every worker its own [delivery] instance")
    if code in _REFUSED:
        return BrokerRefused(message, mend=_MENDS.get(code, "check credentials and ACLs"))
    if inner.fatal():
        return Stopped(message, mend="restart the worker; it goes on at the last commit")
    if code in _MOVED_ON:
        return OutcomeUnknown(message)
    if code in _PASSING or inner.retriable():
        return Retriable(message)
    if code in (KafkaError._MSG_TIMED_OUT, KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT):
        return DeliveryFailed(
            message, mend="look at the broker's log; a restart repeats the work that was not committed"
        )
    return Stopped(
        message, mend="look the error up in docs/operations.md; a restart goes on at the last commit"
    )
