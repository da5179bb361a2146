"""What to do when a broker says no, by error code."""

from __future__ import annotations

from collections.abc import Mapping

from confluent_kafka import KafkaError

__all__ = ["hint_of"]

# A client that knows which rights it needs names them instead: `permissions`.
_BY_HINT: Mapping[str, str] = {
    "grant Read on the input topic, Write on the output and dead-letter topics": "TOPIC_AUTHORIZATION_FAILED",
    "grant Read on the consumer group": "GROUP_AUTHORIZATION_FAILED",
    "grant Write on the transactional id": "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
    "grant what the cluster asks for: see docs/security.md": "CLUSTER_AUTHORIZATION_FAILED",
    "check sasl.username, sasl.password and sasl.mechanism": """
        SASL_AUTHENTICATION_FAILED _AUTHENTICATION ILLEGAL_SASL_STATE UNACCEPTABLE_CREDENTIAL INVALID_PRINCIPAL_TYPE
        PRINCIPAL_DESERIALIZATION_FAILURE
    """,
    'set "sasl.mechanism" in [kafka.properties] to one that the broker supports': "UNSUPPORTED_SASL_MECHANISM",
    "check ssl.ca.location and the certificates": "_SSL",
    "renew the delegation token, or log in without one": """
        DELEGATION_TOKEN_AUTHORIZATION_FAILED DELEGATION_TOKEN_AUTH_DISABLED DELEGATION_TOKEN_NOT_FOUND
        DELEGATION_TOKEN_OWNER_MISMATCH DELEGATION_TOKEN_REQUEST_NOT_ALLOWED DELEGATION_TOKEN_EXPIRED
    """,
    "give the worker a `[kafka] group` of its own: another application is in this one, with an eager assignor (range,"
    " roundrobin, sticky) or of another kind, such as Kafka Connect": """
        INCONSISTENT_GROUP_PROTOCOL
    """,
    "take the assignor out of [kafka.consumer]: the group can't use it": "UNSUPPORTED_ASSIGNOR",
    "stop some of the group's members, or raise the broker's group.max.size: it allows no more": """
        GROUP_MAX_SIZE_REACHED
    """,
    "give the group another name: `[kafka] group`": "INVALID_GROUP_ID",
    'set "session.timeout.ms" in [kafka.consumer] to what the broker allows (group.min.session.timeout.ms,'
    " group.max.session.timeout.ms)": "INVALID_SESSION_TIMEOUT",
    'set "transaction.timeout.ms" in [kafka.producer] to less than the broker\'s transaction.max.timeout.ms': """
        INVALID_TRANSACTION_TIMEOUT
    """,
    "use a Kafka from 3.9 to 4.4: this broker lacks what is asked of it": """
        UNSUPPORTED_VERSION _UNSUPPORTED_FEATURE UNSUPPORTED_FOR_MESSAGE_FORMAT SECURITY_DISABLED
    """,
    'set "compression.type" in [kafka.producer] to one that broker and client support': """
        UNSUPPORTED_COMPRESSION_TYPE
    """,
    "set the property that this call needs in [kafka.properties]": "_NOT_CONFIGURED",
}
"""Per hint, the names of its error codes as librdkafka spells them, separated by white space."""

_HINTS: Mapping[int, str] = {
    getattr(KafkaError, name): hint
    for hint, names in _BY_HINT.items()
    for name in names.split()
    # Some names exist only in some of the versions that pyproject.toml allows.
    if hasattr(KafkaError, name)
}


def hint_of(code: int) -> str:
    """What to do about a refusal with this code of librdkafka's."""
    return _HINTS.get(code, "check credentials and ACLs")
