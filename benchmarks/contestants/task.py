"""What every hand-written contestant is given: the topics, the model and the schemas."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib

from stream.codec import RecordSchema, single_object_prefix

__all__ = ["CARRY", "Task", "arguments", "task_of"]

CARRY = ("flight_id", "carrier", "origin", "dest")
"""Fields of the event that a prediction repeats, as both recipes say."""


@dataclass(frozen=True, slots=True)
class Task:
    """
    The job, the same for all.

    Attributes:
        bootstrap: the broker.
        source: topic to read, from its first record.
        target: topic to write.
        group: consumer group, a fresh one for each run.
        estimator: the fitted pipeline.
        features: its columns, in order.
        name: `name@version`, published with each prediction.
        event: the events' Avro schema, JSON.
        prediction: the predictions' Avro schema, JSON.
        prefix: what stands before a prediction's Avro bytes.
        prefix_bytes: length of what stands before an event's.
    """

    bootstrap: str
    source: str
    target: str
    group: str
    estimator: Any
    features: list[str]
    name: str
    event: str
    prediction: str
    prefix: bytes
    prefix_bytes: int


def arguments() -> argparse.ArgumentParser:
    """The arguments that the runner calls every contestant with."""
    parser = argparse.ArgumentParser()
    for name in ("bootstrap", "source", "target", "group"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--package", type=Path, required=True, help="the model package's folder")
    parser.add_argument("--schema", type=Path, required=True, help="the events' Avro schema")
    return parser


def task_of(given: argparse.Namespace) -> Task:
    """Load what the arguments name."""
    package: Path = given.package
    version = package / "versions" / (package / "current").read_text().strip()
    manifest = json.loads((version / "manifest.json").read_text())
    estimator = joblib.load(version / "model.joblib")
    event, prediction = given.schema.read_text(), (version / "prediction.avsc").read_text()
    prefix = single_object_prefix(RecordSchema(prediction))
    return Task(
        given.bootstrap,
        given.source,
        given.target,
        given.group,
        estimator,
        [str(name) for name in estimator.feature_names_in_],
        f"{manifest['name']}@{manifest['version']}",
        event,
        prediction,
        prefix,
        len(single_object_prefix(RecordSchema(event))),
    )
