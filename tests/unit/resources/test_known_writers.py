"""A producer that writes with the schema that the model was packed with, of which the model takes a part."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import fastavro
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from stream.codec import Framing, RecordSchema, single_object_prefix
from stream.records import Batch, DeadLetter, Prediction
from stream.resources import build_pipeline, input_schema, package_writers, row_reader
from stream.settings import InputSettings, ModelSettings, Settings
from stream.store import PackRequest, open_package, pack
from stream.tasks.writers_check import unregistered

FRAME = pd.DataFrame({"a": [0.0, 1.0, 2.0], "b": [1.0, 0.0, 5.0]})
ROW = {"id": "x", "a": 2.0, "extra": 7, "b": 3.0}


def _schema(*names: str) -> RecordSchema:
    types: Mapping[str, object] = {"id": "string", "a": "double", "extra": "int", "b": "double", "c": "long"}
    fields = [{"name": name, "type": types[name]} for name in names]
    return RecordSchema(json.dumps({"type": "record", "name": "Event", "fields": fields}))


EVENTS = _schema("id", "a", "extra", "b")
FEATURES = _schema("a", "b")
OTHER = _schema("c", "b", "a")


def _written(schema: RecordSchema, framing: Framing = "single-object") -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema.parsed, {**ROW, "c": 5})
    prefix = {"single-object": single_object_prefix(schema), "confluent": b"\0\0\0\0\1", "bare": b""}[framing]
    return prefix + out.getvalue()


def _batch(*values: bytes) -> Batch:
    n = len(values)
    return Batch("in", [0] * n, [*range(n)], [0] * n, [None] * n, list(values), [None] * n)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A configuration whose model takes two of the events' four fields."""
    model = LinearRegression().fit(FRAME, [0.0, 1.0, 2.0])
    pack(model, PackRequest("m", tmp_path / "m"), schema=EVENTS.text)
    (tmp_path / "other.avsc").write_text(OTHER.text)
    return Settings(model=ModelSettings(uri="m"), base=tmp_path)


def _framed(settings: Settings, framing: Framing, schema: str | None = None) -> Settings:
    chosen = InputSettings(framing=framing, schema=None if schema is None else Path(schema))
    return replace(settings, input=chosen)


class TestPipeline:
    """What a worker reads."""

    def _outcomes(self, settings: Settings, *values: bytes) -> list[str]:
        pipeline = build_pipeline(settings, open_package(settings.base / "m"))
        outcomes = pipeline.process(_batch(*values))
        assert all(isinstance(one, Prediction | DeadLetter) for one in outcomes)
        return [one.reason if isinstance(one, DeadLetter) else "scored" for one in outcomes]

    @pytest.mark.parametrize("times", [1, 20])
    def test_value_written_with_all_of_the_given_schema_is_scored(
        self, settings: Settings, times: int
    ) -> None:
        """Its own fingerprint and the projection's are both known; another is a dead letter."""
        values = [_written(EVENTS), _written(FEATURES), _written(OTHER)] * times

        assert ["scored", "scored", "unknown_schema"] * times == self._outcomes(settings, *values)

    def test_dead_letter_of_an_unknown_schema_names_those_that_are_known(self, settings: Settings) -> None:
        """Each by the file that it is in."""
        pipeline = build_pipeline(settings, open_package(settings.base / "m"))
        [found] = pipeline.process(_batch(_written(OTHER)))

        assert isinstance(found, DeadLetter)
        assert (
            f"{OTHER.fingerprint.hex()} is known; features.avsc has {FEATURES.fingerprint.hex()}, "
            f"events.avsc has {EVENTS.fingerprint.hex()}"
        ) in found.message

    def test_chosen_schema_is_known_beside_the_packages(self, settings: Settings) -> None:
        """`[input] schema` adds a writer, and takes none away."""
        chosen = _framed(settings, "single-object", "other.avsc")

        assert ["scored"] * 3 == self._outcomes(chosen, *map(_written, (EVENTS, FEATURES, OTHER)))

    @pytest.mark.parametrize("framing", ["bare", "confluent"])
    def test_value_that_names_no_known_schema_is_read_with_the_given_one(
        self, settings: Settings, framing: Framing
    ) -> None:
        """Not with the projection, which nobody writes: those bytes would mean something else."""
        values = [_written(EVENTS, framing), _written(FEATURES, framing)]
        found = self._outcomes(_framed(settings, framing), *values)

        assert "scored" == found[0]
        assert "scored" != found[1]
        assert EVENTS.fingerprint == package_writers(_framed(settings, framing)).default.fingerprint

    def test_predictions_are_the_same_whichever_schema_wrote_them(self, settings: Settings) -> None:
        """The extra fields shift nothing."""
        pipeline = build_pipeline(settings, open_package(settings.base / "m"))
        one, other = pipeline.process(_batch(_written(EVENTS), _written(FEATURES)))

        assert isinstance(one, bytes)
        assert isinstance(other, bytes)
        assert one[:-2] == other[:-2]  # the last byte is the offset


class TestPeople:
    """`stream produce` and `stream watch`."""

    @pytest.mark.parametrize(
        ("framing", "fields"), [("single-object", ("a", "b")), ("bare", ("id", "a", "extra", "b"))]
    )
    def test_events_are_produced_as_they_are_read(
        self, settings: Settings, framing: Framing, fields: tuple[str, ...]
    ) -> None:
        """Where values name their schema, the model's fields are enough."""
        assert fields == input_schema(_framed(settings, framing)).fields

    def test_events_are_shown_whichever_schema_wrote_them(self, settings: Settings) -> None:
        """Each with its own fields."""
        with row_reader(settings, "input", FEATURES) as read:
            assert [ROW, {"a": 2.0, "b": 3.0}] == [
                read(_written(EVENTS), None),
                read(_written(FEATURES), None),
            ]


class TestCheck:
    """`stream check` looks at what the topic's first and last records carry."""

    def _found(self, settings: Settings, *values: bytes) -> list[tuple[str, str]]:
        package = open_package(settings.base / "m")
        return [
            (one.severity, one.message) for one in unregistered(settings, package, lambda: _batch(*values))
        ]

    def test_known_writers_are_said_with_their_fingerprints(self, settings: Settings) -> None:
        """Which values are read, and which are not, can be told from their first ten bytes."""
        [(severity, message)] = self._found(settings, _written(EVENTS), _written(FEATURES))

        assert "info" == severity
        assert f"features.avsc ({FEATURES.fingerprint.hex()})" in message
        assert f"events.avsc ({EVENTS.fingerprint.hex()})" in message

    def test_writer_that_is_not_known_is_named(self, settings: Settings) -> None:
        """All its events would be dead letters."""
        [_, (severity, message)] = self._found(settings, _written(EVENTS), *[_written(OTHER)] * 2)

        assert "warning" == severity
        assert "2 of the 3 records looked at (unknown_schema)" in message
        assert OTHER.fingerprint.hex() in message

    def test_bare_values_of_another_schema_are_named(self, settings: Settings) -> None:
        """Nothing in them says so; they can't be read, which does."""
        [(_, about), (severity, message)] = self._found(_framed(settings, "bare"), _written(FEATURES, "bare"))

        assert "read as written with events.avsc" in about
        assert "warning" == severity
        assert "1 of the 1 records looked at" in message
