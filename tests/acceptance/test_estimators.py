"""Every kind of estimator on a real Kafka: what comes out is what the estimator itself says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stream.codec import RecordSchema
from stream.files import events_of, sample_of
from stream.settings import DeliverySettings
from stream.store import PackRequest, open_package, pack
from tests.acceptance.rig import scored
from tests.conftest import Kafka
from tests.kafka.topics import Topics
from tests.unit.store.estimators import CASES, expected_answers

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning", "ignore::FutureWarning"),
]


@pytest.mark.parametrize("name", CASES)
def test_predictions_on_kafka_are_the_estimators_own(
    name: str, tmp_path: Path, kafka: Kafka, topics: Topics
) -> None:
    """Labels exactly, numbers within the tolerance, each under its record's key, nothing dead."""
    case = CASES[name]()
    folder = tmp_path / "m"
    pack(case.estimator, PackRequest("m", folder, **case.options), sample=case.sample)  # type: ignore[arg-type]
    package = open_package(folder)
    rows = list(events_of(sample_of(case.sample), RecordSchema(package.features)))

    outputs = scored(kafka.bootstrap, topics, folder, rows, DeliverySettings("at-least-once"))

    assert [] == outputs.letters
    found = sorted(outputs.predictions, key=lambda seen: seen.origin)
    assert [b"%d" % i for i in range(len(rows))] == [seen.key for seen in found]
    for field, wanted in expected_answers(case, package).items():
        answers = [seen.fields[field] for seen in found]
        if field in ("label", "labels"):
            assert wanted == answers
        else:
            np.testing.assert_allclose(answers, wanted, rtol=1e-9, atol=1e-9)
