"""Errors travel between processes."""

from __future__ import annotations

import pickle

import pytest

from stream.errors import BrokerRefused, OutcomeUnknown, PackageError, RecordError, Retriable, StreamError

ERRORS = [
    Retriable(),
    PackageError("it is torn", step="hash", hint="pack it again"),
    RecordError("too short", reason="truncated", field="a.b"),
    OutcomeUnknown(fenced=True),
    BrokerRefused("no", code="TOPIC_AUTHORIZATION_FAILED"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_that_was_pickled_has_all_that_it_had(error: StreamError) -> None:
    """Its class, its text and its own fields."""
    back = pickle.loads(pickle.dumps(error))

    assert (type(error), str(error), vars(error)) == (type(back), str(back), vars(back))
