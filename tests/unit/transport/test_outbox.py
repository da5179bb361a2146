"""A producer that fails for good while the worker waits for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

import pytest
from confluent_kafka import KafkaError, KafkaException

from stream.errors import BrokerRefused, OutcomeUnknown
from stream.settings import KafkaSettings
from stream.transport.failed_records import Failed
from stream.transport.outbox import Outbox
from stream.transport.reachability import Connection


@dataclass
class _Ended:
    """confluent-kafka's producer as it is after a fatal error (2.16); or in an open transaction."""

    error: KafkaError

    def flush(self, wait_s: float) -> NoReturn:
        raise SystemError("<method 'flush'> returned NULL without setting an exception")

    def begin_transaction(self) -> NoReturn:
        raise KafkaException(self.error)


def _ended(code: int, *, fatal: bool = True) -> Outbox:
    failed: list[Failed] = []
    outbox = Outbox(KafkaSettings("127.0.0.1:1", "g"), failed.append, Connection(), 1.0, "g.1")
    outbox.producer = _Ended(KafkaError(code, "the reason", fatal=fatal))
    return outbox


def test_right_that_is_revoked_while_waiting_is_a_refusal() -> None:
    """What the client says of its end decides, not how its call failed."""
    with pytest.raises(BrokerRefused, match="TRANSACTIONAL_ID_AUTHORIZATION_FAILED: the reason"):
        _ended(KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED).serve(1.0)


def test_producer_that_is_fenced_while_waiting_is_renewed() -> None:
    """An epoch that is over asks for a new producer."""
    with pytest.raises(OutcomeUnknown):
        _ended(KafkaError.INVALID_PRODUCER_EPOCH).serve(1.0)


def test_failure_without_a_reason_is_not_swallowed() -> None:
    """Where the client is not at its end, the call's own failure is a bug to be seen."""
    with pytest.raises(SystemError):
        _ended(KafkaError._STATE, fatal=False).serve(1.0)
