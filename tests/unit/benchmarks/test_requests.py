"""Responses of the Open Inference Protocol are read as predictions."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

from benchmarks.race.requests import responses


@dataclass
class Record:
    """As Kafka's client gives it."""

    text: str

    def value(self) -> bytes:
        """JSON."""
        return self.text.encode()

    def key(self) -> bytes:
        """The request's."""
        return b"UA1"

    def timestamp(self) -> tuple[int, int]:
        """Appended by the broker."""
        return 2, 1_700_000_000_000


def test_a_response_is_the_prediction_inside_it() -> None:
    """Under its key and at its time."""
    output = {"name": "prediction", "data": [base64.b64encode(b"\x00avro").decode()]}
    (found,) = responses([Record(json.dumps({"id": "UA1", "outputs": [output]}))])

    assert (b"\x00avro", b"UA1", (2, 1_700_000_000_000)) == (found.value(), found.key(), found.timestamp())
