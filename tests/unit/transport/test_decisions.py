"""Every error code of librdkafka has one decision."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaError, KafkaException

from stream.errors import (
    Aborted,
    BrokerRefused,
    Fenced,
    MovedOn,
    OutcomeUnknown,
    Retriable,
    Stopped,
    StreamError,
)
from stream.transport.decisions import BY_DECISION, DECISIONS, RECORD_REASONS, Decision
from stream.transport.faults import decide, decide_transaction

CODES = {
    name: code
    for name in dir(KafkaError)
    if name.isupper() and isinstance(code := getattr(KafkaError, name), int)
}
"""All that the client library names."""


def test_there_are_codes_to_walk() -> None:
    """The walk below walks something."""
    assert len(CODES) > 150


@pytest.mark.parametrize("name", sorted(CODES))
def test_code_has_a_decision(name: str) -> None:
    """A code without a decision would be one that nobody thought about."""
    assert CODES[name] in DECISIONS


@pytest.mark.parametrize("name", sorted(n for n in CODES if DECISIONS[CODES[n]] is Decision.REFUSED))
def test_refusal_says_what_to_do(name: str) -> None:
    """Credentials are named where they are the cause, and nowhere else."""
    fault = decide(KafkaError(CODES[name]), "testing")

    assert isinstance(fault, BrokerRefused | Fenced)
    assert "check credentials and ACLs" != fault.hint


def test_another_application_in_the_group_is_named() -> None:
    """An eager assignor has nothing to do with credentials."""
    fault = decide(KafkaError(KafkaError.INCONSISTENT_GROUP_PROTOCOL), "joining the group g")

    assert "another application is in this one" in (fault.hint or "")
    assert "joining the group g" in fault.message


def test_no_name_is_listed_twice() -> None:
    """A code with two decisions would have no clear one."""
    names = [name for names in BY_DECISION.values() for name in names.split()]

    assert sorted(set(names)) == sorted(names)


def test_reasons_are_of_codes_that_are_about_records() -> None:
    """A dead letter's reason is only given for what a broker holds against a record."""
    assert {Decision.RECORD} == {DECISIONS[code] for code in RECORD_REASONS}


@pytest.mark.parametrize("name", sorted(CODES))
def test_outside_a_transaction_a_code_is_one_of_four_errors(name: str) -> None:
    """Retry, wait for the group, or stop: there is nothing to abort."""
    fault = decide(KafkaException(KafkaError(CODES[name])), "testing")

    assert isinstance(fault, Retriable | MovedOn | Stopped)
    assert "testing" in fault.message


EXPECTED: dict[Decision, tuple[type[StreamError], ...]] = {
    Decision.RETRY: (Retriable, Aborted),
    Decision.MOVED_ON: (MovedOn,),
    Decision.ABORT: (Aborted,),
    Decision.RECORD: (Aborted,),
    Decision.RENEW: (OutcomeUnknown,),
    Decision.REFUSED: (BrokerRefused, Fenced),
    Decision.STOP: (Stopped,),
}


@pytest.mark.parametrize("name", sorted(CODES))
def test_in_a_transaction_a_code_is_as_its_decision_says(name: str) -> None:
    """What the table says is what the transaction gets."""
    fault = decide_transaction(KafkaException(KafkaError(CODES[name])), "testing")

    assert isinstance(fault, EXPECTED[DECISIONS[CODES[name]]])


def test_fatal_error_asks_for_a_new_producer_whatever_its_code() -> None:
    """The client says of itself that it can't go on."""
    error = KafkaError(KafkaError.REQUEST_TIMED_OUT, "said", fatal=True)

    assert isinstance(decide_transaction(error, "testing"), OutcomeUnknown)


def test_error_that_requires_an_abort_is_not_retried() -> None:
    """Even when its code could be retried: the client's transaction is in its error state."""
    error = KafkaError(KafkaError.REQUEST_TIMED_OUT, "said", retriable=True, txn_requires_abort=True)

    assert isinstance(decide_transaction(error, "testing"), Aborted)


@pytest.mark.parametrize("code", [KafkaError._FENCED, KafkaError.PRODUCER_FENCED])
def test_fenced_producer_says_so(code: int) -> None:
    """The code that looks for a second worker of the same name must know that this was fencing."""
    fault = decide_transaction(KafkaError(code, "said", fatal=True), "testing")

    assert isinstance(fault, OutcomeUnknown)
    assert fault.fenced


def test_missing_right_of_the_transactional_id_stops() -> None:
    """It is fatal to the client, but a new one would be refused as well."""
    error = KafkaError(KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, "said", fatal=True)

    fault = decide_transaction(error, "testing")

    assert isinstance(fault, BrokerRefused)
    assert "TRANSACTIONAL_ID_AUTHORIZATION_FAILED" == fault.code
