"""What stops a worker whose records nearly all fail, and what it says."""

from __future__ import annotations

import pytest

from stream.errors import TooManyDeadLetters
from stream.records import DeadLetter
from stream.settings import DeadLetterSettings
from stream.worker import Brake
from stream.worker.brake import WINDOW


@pytest.mark.parametrize(
    ("redact", "told"), [(False, "too_long: it is 'pineapple'"), (True, "too_long: redacted")]
)
def test_example_is_quoted_unless_payloads_are_not_to_be(redact: bool, told: str) -> None:
    """The reason is said in any case: the message goes to the log."""
    letter = DeadLetter("contract", "too_long", "E", "it is 'pineapple'")

    with pytest.raises(TooManyDeadLetters, match=told):
        Brake(DeadLetterSettings(stop_above=0.5, redact=redact)).check(WINDOW, WINDOW, letter)
