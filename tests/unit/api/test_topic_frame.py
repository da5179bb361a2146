"""`stream.read_predictions`: what a topic holds, as a DataFrame."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest
from confluent_kafka import Producer

import stream
from stream.configuration import load_settings
from stream.records import Batch
from stream.resources import build_pipeline, open_configured
from stream.transport import EmbeddedBroker
from tests.acceptance import visits

PARTITIONS = 4
"""Of a topic on the embedded broker."""


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    """A broker of the module's own."""
    with closing(EmbeddedBroker()) as embedded:
        yield embedded.bootstrap_servers


@pytest.fixture
def config(broker: str, package: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A configuration whose output topic is the test's own."""
    path = tmp_path / "stream.toml"
    path.write_text(
        f'[kafka]\nbootstrap_servers = "{broker}"\n[model]\nuri = "{package}"\n'
        f'[output]\ntopic = "{request.node.name}"\n'
    )
    return path


def written(config: Path, numbers: range, topic: str) -> list[bytes]:
    """The worker's predictions for these visits, sent to their partitions in turn."""
    settings = load_settings(config, {})
    events = [visits.event(n) for n in numbers]
    batch = Batch("in", [0] * len(events), list(numbers), [0] * len(events))
    batch.keys, batch.values = [event.key for event in events], [event.value for event in events]
    batch.headers = [None] * len(events)
    outcomes = build_pipeline(settings, open_configured(settings)).process(batch)
    values = [outcome for outcome in outcomes if isinstance(outcome, bytes)]
    send(config, topic, list(zip(numbers, values, strict=True)))
    return values


def send(config: Path, topic: str, values: list[tuple[int, bytes | None]]) -> None:
    """Records to a topic, each to the partition of its number."""
    producer = Producer({"bootstrap.servers": load_settings(config, {}).kafka.bootstrap_servers})
    for number, value in values:
        producer.produce(
            topic, value, b"%d" % number, number % PARTITIONS, timestamp=1_700_000_000_000 + number
        )
    assert 0 == producer.flush(20)


def test_frame_holds_every_prediction_with_its_place(
    config: Path, package: Path, request: pytest.FixtureRequest
) -> None:
    """The answers that Python itself gives, by partition and offset; types as a frame has them."""
    written(config, range(60), request.node.name)
    found = stream.read_predictions(config)
    expected = stream.load(package).predict(pd.DataFrame([visits.visit(n) for n in range(60)]))

    assert 60 == len(found)
    assert [
        (n % PARTITIONS, n // PARTITIONS) for n in sorted(range(60), key=lambda n: n % PARTITIONS)
    ] == list(zip(found["kafka_partition"], found["kafka_offset"], strict=True))
    ordered = found.sort_values("id", ignore_index=True)
    pd.testing.assert_frame_equal(
        expected.drop(columns=["error"]), ordered[["id", "label", "score", "model"]], check_exact=False
    )
    assert [b"%d" % n for n in range(60)] == ordered["kafka_key"].tolist()
    assert pd.Timestamp(1_700_000_000_000, unit="ms", tz="UTC") == ordered["kafka_timestamp"][0]
    assert found["error"].isna().all()
    assert list(range(60)) == ordered["source_offset"].tolist()


def test_what_is_not_a_prediction_has_its_reason(config: Path, request: pytest.FixtureRequest) -> None:
    """A foreign value has an error, a record without a value has nulls only; the others are read."""
    topic = request.node.name
    written(config, range(4), topic)
    send(config, topic, [(0, b"not Avro"), (1, None)])
    found = stream.read_predictions(topic, config=config)

    assert [2, 2, 1, 1] == found["kafka_partition"].value_counts(sort=False).tolist()
    assert ["not_framed"] == [text.partition(":")[0] for text in found["error"].dropna()]
    assert 2 == found["label"].isna().sum()
    assert ["Int64", "Int64"] == [str(found[name].dtype) for name in ("id", "source_offset")]


def test_only_the_last_records_are_read_where_so_many_are_asked_for(
    config: Path, request: pytest.FixtureRequest
) -> None:
    """Of each partition."""
    written(config, range(40), request.node.name)
    found = stream.read_predictions(config, last=2)

    assert sorted([*range(32, 40)]) == sorted(found["id"].tolist())


def test_empty_topic_gives_an_empty_frame_and_a_missing_one_is_said(
    config: Path, broker: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """With the columns that it would have; a configuration that is not there is refused."""
    embedded = Producer({"bootstrap.servers": broker})
    embedded.list_topics(request.node.name, timeout=10)
    found = stream.read_predictions(config)

    assert 0 == len(found)
    assert ["id", "label", "score", "model", "source_partition"] == list(found.columns)[:5]
    with pytest.raises(stream.SettingsError, match="no.toml"):
        stream.read_predictions(tmp_path / "no.toml")
