"""The downstream example by itself: what it takes for a prediction, and what it makes of one."""

from __future__ import annotations

import importlib.util
import io
import json
from collections.abc import Iterator
from types import ModuleType

import fastavro
import pytest

from stream.codec import RecordSchema, single_object_prefix
from tests.docker.compose import ROOT
from tests.kafka.confluent import Memory, served

SCHEMA_FILE = ROOT / "schemas" / "prediction.avsc"
PREDICTION = {
    "flight_id": "2013-10-20-UA-1545-EWR",
    "carrier": "UA",
    "origin": "EWR",
    "dest": "IAH",
    "label": True,
    "score": 0.91234,
    "model": "flights@1",
    "source_partition": 2,
    "source_offset": 17,
}


@pytest.fixture(scope="module")
def example() -> Iterator[ModuleType]:
    """The example's module, as `faust -A` imports it from the root of the repository."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREDICTION_SCHEMA", str(SCHEMA_FILE))
        spec = importlib.util.spec_from_file_location("late_flights", ROOT / "docs/examples/late_flights.py")
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module


def framed(prediction: dict[str, object]) -> bytes:
    """A prediction as the worker frames it."""
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, json.loads(SCHEMA_FILE.read_text("utf-8")), prediction)
    return single_object_prefix(RecordSchema(SCHEMA_FILE.read_text("utf-8"))) + buffer.getvalue()


def test_prediction_in_the_workers_framing_is_read(example: ModuleType) -> None:
    """Its fingerprint, computed by fastavro, is the one that the worker's codec writes."""
    assert PREDICTION == example.decode(framed(PREDICTION))


def test_value_of_another_schema_is_refused(example: ModuleType) -> None:
    """A fingerprint that is not the prediction's is named, not guessed at."""
    value = framed(PREDICTION)

    with pytest.raises(ValueError, match="starts with c3 01 .*, found c3 01 00"):
        example.decode(value[:2] + b"\0" * 8 + value[10:])


def test_prediction_that_names_its_schema_by_id_is_read(
    example: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a registry: its schema is asked for once, also that of a later version, which is read as the one known."""
    text = json.loads(SCHEMA_FILE.read_text("utf-8"))
    later = {**text, "fields": [*text["fields"], {"name": "gate", "type": "string"}]}
    memory = Memory()
    number = memory.register("flights.predictions-value", json.dumps(later))
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, later, {**PREDICTION, "gate": "A1"})
    value = b"\0" + number.to_bytes(4, "big") + buffer.getvalue()

    with served(memory) as url:
        monkeypatch.setattr(example, "REGISTRY", url)
        assert PREDICTION == example.decode(value) == example.decode(value)
    assert 1 == len(memory.calls)


def test_alert_names_flight_and_event(example: ModuleType) -> None:
    """The alert has the flight's number, the probability, and the event that a repeated alert would repeat."""
    assert example.as_alert(PREDICTION) == {
        "flight": "UA-1545",
        "flight_id": "2013-10-20-UA-1545-EWR",
        "origin": "EWR",
        "dest": "IAH",
        "probability": 0.9123,
        "advice": "rebook connections",
        "model": "flights@1",
        "event": "2@17",
    }


def test_example_imports_nothing_of_ours() -> None:
    """A downstream application depends on the wire alone."""
    source = (ROOT / "docs/examples/late_flights.py").read_text("utf-8")

    assert "import stream" not in source
    assert "from stream" not in source
