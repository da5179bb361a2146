"""The main job: what goes in comes out scored, and nothing of the record is lost on the way."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from tests.acceptance import visits
from tests.acceptance.conftest import PARTITIONS
from tests.acceptance.process import Setup, Worker
from tests.acceptance.reader import Outputs, murmur2
from tests.acceptance.visits import Event

pytestmark = pytest.mark.kafka

Workers = Callable[..., Worker]

TOLERANCE = 1e-9
"""The package's own for float64 answers."""


def test_murmur2_gives_java_s_numbers() -> None:
    """The reference used below agrees with the vectors of Kafka's own UtilsTest."""
    vectors = {
        b"21": -973932308,
        b"foobar": -790332482,
        b"a-little-bit-long-string": -985981536,
        b"a-little-bit-longer-string": -1486304829,
        b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
        b"abc": 479470107,
    }

    assert vectors == {data: (h ^ (1 << 31)) - (1 << 31) for data in vectors for h in [murmur2(data)]}


def test_predictions_are_the_estimator_s_own(setup: Setup, workers: Workers, outputs: Outputs) -> None:
    """Labels are the estimator's exactly, scores within the tolerance, whatever batches were made of them."""
    numbers = range(5_000)
    visits.send(setup.bootstrap, setup.input, map(visits.event, numbers))
    workers(setup)

    outputs.inputs(len(numbers)).to_end()

    frame = pd.DataFrame([visits.visit(n) for n in numbers])[["channel", "pages", "seconds"]]
    labels = visits.estimator().predict(frame)
    scores = visits.estimator().predict_proba(frame)[:, 1]
    found = sorted(outputs.predictions, key=lambda seen: seen.fields["id"])
    assert 0 == len(outputs.letters) + outputs.doubled
    assert list(numbers) == [seen.fields["id"] for seen in found]
    assert list(labels) == [seen.fields["label"] for seen in found]
    assert pytest.approx(list(scores), abs=TOLERANCE) == [seen.fields["score"] for seen in found]
    assert {"visits@1"} == {seen.fields["model"] for seen in found}


def test_record_keeps_what_it_had(setup: Setup, workers: Workers, outputs: Outputs) -> None:
    """Key, timestamp and headers are kept, in order, duplicates and nulls too; only the value's schema id is not."""
    headers = [
        ("a", b"1"),
        ("b", None),
        ("__value_schema_id", b"\0\0\0\0\7"),
        ("a", b"2"),
        ("", b""),
        ("a", b"1"),
    ]
    value = visits.framed(visits.visit(1))
    sent = [
        Event(b"k", value, 1_234_567_890_123, headers),
        Event(None, value, 1),
        Event(b"", value, 2, [("x", b"")]),
    ]
    visits.send(setup.bootstrap, setup.input, sent)
    workers(setup)

    outputs.inputs(3)

    found = {seen.timestamp_ms: (seen.key, seen.headers) for seen in outputs.predictions}
    kept = [("a", b"1"), ("b", None), ("a", b"2"), ("", b""), ("a", b"1")]
    assert {1_234_567_890_123: (b"k", kept), 1: (None, []), 2: (b"", [("x", b"")])} == found


@pytest.mark.slow
def test_predictions_lie_where_java_puts_their_key(setup: Setup, workers: Workers, outputs: Outputs) -> None:
    """The partition is Java's murmur2 of the key, so predictions lie beside their features, in their order."""
    visits.send(setup.bootstrap, setup.input, map(visits.event, range(400)))
    workers(setup)

    outputs.inputs(400)

    by_key = {seen.key or b"": seen.partition for seen in outputs.predictions}
    assert {key: (murmur2(key) & 0x7FFFFFFF) % PARTITIONS for key in by_key} == by_key
    assert 400 == sum(seen.partition == seen.origin[0] for seen in outputs.predictions)
    for partition in range(PARTITIONS):
        offsets = [seen.origin[1] for seen in outputs.predictions if seen.partition == partition]
        assert sorted(offsets) == offsets
