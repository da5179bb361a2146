"""Pipelines under fire: real packages, small, one per way of feeding a model."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from stream.codec import RecordSchema, single_object_prefix
from stream.codec.dict_records import write_row
from stream.resources import build_pipeline
from stream.settings import InputSettings, Settings
from stream.store import PackRequest, open_package, pack
from stream.worker import Process

__all__ = ["SUBJECTS", "Subject", "subject"]

REPO = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Subject:
    """A pipeline, the schema of its predictions, and sound values for it to start from."""

    pipeline: Process
    prediction: RecordSchema
    prefix: bytes
    sound: tuple[bytes, ...]


def _record(*fields: dict[str, object]) -> str:
    return json.dumps({"type": "record", "name": "Event", "fields": list(fields)})


def _made(
    estimator: object, schema: str, rows: list[dict[str, object]], **wish: str | tuple[str, ...]
) -> Subject:
    folder = Path(mkdtemp(prefix="fuzz-")) / "model"
    pack(estimator, PackRequest("fuzzed", folder, **wish), schema=schema)  # type: ignore[arg-type]
    path = folder.parent / "event.avsc"
    path.write_text(schema)
    return _on(folder, path, rows)


def _on(package: Path, schema_file: Path, rows: list[dict[str, object]]) -> Subject:
    schema = RecordSchema(schema_file.read_text("utf-8"))
    settings = Settings(input=InputSettings(schema=schema_file.absolute()))
    prefix = single_object_prefix(schema)
    sound = tuple(prefix + write_row(schema, row) for row in rows)
    opened = open_package(package)
    return Subject(build_pipeline(settings, opened), RecordSchema(opened.prediction), prefix, sound)


def _flights() -> Subject:
    from stream.demo.flights import events, load_flights

    rows = [event.value for event in events(load_flights().iloc[:50])]
    return _on(REPO / "models/flights", REPO / "schemas/flight.avsc", rows)


def _mixed() -> Subject:
    """Text, enum, boolean, date, nested record, nullable number; a pipeline on a frame."""
    schema = _record(
        {"name": "id", "type": "string"},
        {"name": "city", "type": ["null", "string"], "default": None},
        {"name": "size", "type": {"type": "enum", "name": "Size", "symbols": ["S", "M", "L"]}},
        {"name": "paid", "type": "boolean"},
        {
            "name": "where",
            "type": {"type": "record", "name": "Where", "fields": [{"name": "lat", "type": "double"}]},
        },
        {"name": "n", "type": ["null", "long"], "default": None},
        {
            "name": "tags",
            "type": {"type": "map", "values": {"type": "array", "items": "string"}},
            "default": {},
        },
    )
    frame = pd.DataFrame(
        {
            "city": pd.Series(["a", "b", None, "a"], dtype=object),
            "size": pd.Series(["S", "M", "L", "S"], dtype=object),
            "paid": [1.0, 0.0, 1.0, 0.0],
            "where.lat": [1.0, 2.0, 3.0, 4.0],
        }
    )
    model = make_pipeline(
        make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore"), ["city", "size"]), remainder="passthrough"
        ),
        LogisticRegression(),
    ).fit(frame, ["no", "yes", "no", "yes"])
    rows: list[dict[str, object]] = [
        {"id": f"r{i}", "city": None if i % 3 else "a", "size": "SML"[i % 3], "paid": bool(i % 2)}
        | {"where": {"lat": i / 7}, "n": i if i % 2 else None, "tags": {"k": ["x"] * (i % 3)}}
        for i in range(20)
    ]
    return _made(model, schema, rows, carry=("id", "n"))


def _vector() -> Subject:
    schema = _record(
        {"name": "x", "type": {"type": "array", "items": "double"}}, {"name": "b", "type": "bytes"}
    )
    model = Ridge().fit(np.arange(12.0).reshape(4, 3), [1.0, 2.0, 3.0, 4.0])
    rows: list[dict[str, object]] = [{"x": [i, 2.0, 3.0], "b": bytes([i])} for i in range(20)]
    return _made(model, schema, rows, vector="x")


SUBJECTS: dict[str, Callable[[], Subject]] = {"flights": _flights, "mixed": _mixed, "vector": _vector}


@lru_cache
def subject(name: str) -> Subject:
    """One of SUBJECTS, made once."""
    return SUBJECTS[name]()
