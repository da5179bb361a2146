"""Every kind of estimator on a real Kafka: what comes out is what the estimator itself says."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from stream.app.parts import Parts, assemble
from stream.codec import RecordSchema, single_object_prefix
from stream.codec.dict_records import write_row
from stream.deadline import Deadline
from stream.files import events_of, sample_of
from stream.settings import (
    DeadLetterSettings,
    DeliverySettings,
    InputSettings,
    KafkaSettings,
    ModelSettings,
    OutputSettings,
    Settings,
)
from stream.store import PackRequest, open_package, pack
from stream.transport import Sink
from tests.acceptance.reader import reading
from tests.conftest import Kafka
from tests.kafka.topics import Topics
from tests.unit.store.estimators import CASES
from tests.unit.store.test_estimators import expected_answers

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning", "ignore::FutureWarning"),
]


@contextmanager
def running(parts: Parts) -> Iterator[None]:
    """The worker's engine, in a thread; what ends it early fails the test."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            parts.engine.run(parts.source)
        except BaseException as error:
            failed.append(error)
            raise

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        parts.engine.stop()
        thread.join(30)
        assert not thread.is_alive()
        assert [] == failed


@pytest.mark.parametrize("name", CASES)
def test_predictions_on_kafka_are_the_estimators_own(
    name: str, tmp_path: Path, kafka: Kafka, topics: Topics
) -> None:
    """Labels exactly, numbers within the tolerance, each under its record's key, nothing dead."""
    case = CASES[name]()
    folder = tmp_path / "m"
    pack(case.estimator, PackRequest("m", folder, **case.options), sample=case.sample)  # type: ignore[arg-type]
    package = open_package(folder)
    schema = RecordSchema(package.features)
    settings = Settings(
        kafka=KafkaSettings(kafka.bootstrap, topics.name("group")),
        model=ModelSettings(uri=str(folder)),
        input=InputSettings(topics.create("in")),
        output=OutputSettings(topics.create("out")),
        dead_letters=DeadLetterSettings(topics.create("dead")),
        delivery=DeliverySettings("at-least-once"),
    )
    rows = list(events_of(sample_of(case.sample), schema))
    values = [single_object_prefix(schema) + write_row(schema, row) for row in rows]
    keys = [b"%d" % i for i in range(len(rows))]
    sink = Sink(settings.kafka)
    sink.send(settings.input.topic, keys, values, [0] * len(rows), [None] * len(rows))
    assert [] == sink.flush(Deadline.after(30))

    with (
        running(assemble(settings)),
        reading(kafka.bootstrap, settings.output.topic, settings.dead_letters.topic, folder) as outputs,
    ):
        outputs.inputs(len(rows))

    assert [] == outputs.letters
    found = sorted(outputs.predictions, key=lambda seen: seen.origin)
    assert keys == [seen.key for seen in found]
    for field, wanted in expected_answers(case, package).items():
        answers = [seen.fields[field] for seen in found]
        if field in ("label", "labels"):
            assert wanted == answers
        else:
            np.testing.assert_allclose(answers, wanted, rtol=1e-9, atol=1e-9)
