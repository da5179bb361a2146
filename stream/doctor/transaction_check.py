"""
Transactions: is there a coordinator, and may this user have one?

Brokers tell nobody what is allowed on a transactional id; only taking one does. Taking a worker's own would fence that
worker, so the doctor has an id of its own, which begins as every worker's does and so needs the same right. Kafka keeps
the id in its list for `transactional.id.expiration.ms`; no record is written, and no transaction is opened.
"""

from __future__ import annotations

import time

from stream.deadline import Deadline
from stream.doctor.case import Case
from stream.doctor.diagnosis import Diagnosis, fail, of_error, ok
from stream.doctor.right_checks import grants
from stream.errors import BrokerRefused, OutcomeUnknown, Retriable
from stream.rights import Right, rights_of
from stream.settings import DOCTOR_INSTANCE
from stream.transport import try_transactions

__all__ = ["transactions"]

ANSWER_S = 4.0
"""On a new cluster the first use makes Kafka's own topic, which takes a second or two."""


def transactions(case: Case) -> Diagnosis:
    """Can a transactional id be had?"""
    settings = case.settings
    if settings.delivery.guarantee != "exactly-once":
        return ok(
            "[delivery] guarantee", f"none are needed: [delivery] guarantee is {settings.delivery.guarantee}"
        )
    own = f"{settings.kafka.group}.{DOCTOR_INSTANCE}"
    about = f"by the transactional id `{own}`"
    begun = time.time()
    try:
        try_transactions(settings.kafka, own, Deadline.after(case.deadline.left_s(ANSWER_S)))
    except BrokerRefused as error:
        if error.code != "TRANSACTIONAL_ID_AUTHORIZATION_FAILED":
            return of_error(about, error)
        wanted = [right for right in rights_of("worker", settings) if right.resource == "transactional-id"]
        return _forbidden(case, about, wanted)
    except (Retriable, OutcomeUnknown) as error:
        return fail(
            about,
            f"no transaction coordinator answers: {error.message}",
            "start the brokers that the lines `broker` and `brokers` name; else look at Kafka's topic "
            "__transaction_state: the brokers must be as many as "
            "transaction.state.log.replication.factor, and its replicas in sync as many as "
            "transaction.state.log.min.isr; or set [delivery] guarantee to at-least-once",
        )
    case.trial_s = begun
    return ok(about, "a coordinator gave it")


def _forbidden(case: Case, about: str, wanted: list[Right]) -> Diagnosis:
    listed = ", ".join(map(str, wanted))
    return fail(about, f"this user may not: {listed}", grants(case, *wanted))
