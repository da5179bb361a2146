"""Transactions: what is asked for, and by which name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stream.doctor import transaction_check
from stream.doctor.transaction_check import transactions
from stream.errors import BrokerRefused, OutcomeUnknown, Retriable, StreamError
from stream.settings import DeliverySettings
from tests.unit.doctor.examined import case_of, settings


def test_id_of_its_own_is_taken_and_never_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker's would fence it; one that begins otherwise would need another right."""
    asked: list[str] = []
    monkeypatch.setattr(transaction_check, "try_transactions", lambda kafka, own, deadline: asked.append(own))
    case = case_of(settings())

    assert "ok" == transactions(case).state
    assert ["scorer.stream doctor"] == asked
    assert case.settings.transactional_id(case.host) != asked[0]
    assert case.trial_s is not None


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (Retriable("timed out"), "__transaction_state"),
        (OutcomeUnknown("fatal"), "__transaction_state"),
        (
            BrokerRefused("no", code="TRANSACTIONAL_ID_AUTHORIZATION_FAILED"),
            "--operation Write --transactional-id scorer. --resource-pattern-type prefixed",
        ),
        (BrokerRefused("too long", hint="shorten it", code="INVALID_TRANSACTION_TIMEOUT"), "shorten it"),
    ],
    ids=str,
)
def test_refusal_is_a_failure_with_its_step(
    monkeypatch: pytest.MonkeyPatch, error: StreamError, words: str
) -> None:
    """A right is granted by its command; where nobody answers, the brokers' own topic is to be looked at."""

    def refuse(kafka: object, own: object, deadline: object) -> None:
        raise error

    monkeypatch.setattr(transaction_check, "try_transactions", refuse)

    line = transactions(case_of(settings()))

    assert "fail" == line.state
    assert words in line.next_step


def test_at_least_once_asks_for_none() -> None:
    """Nobody is asked: the fake cluster knows no transactions."""
    own = replace(settings(), delivery=DeliverySettings("at-least-once"))

    assert "ok" == transactions(case_of(own)).state
