"""
What every hand-written contestant is given: the topics, the model and the schemas, as a file.

Nothing of `stream` is imported: most contestants run in an environment that doesn't have it.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["CARRY", "Task", "arguments", "read_task", "write_task"]

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
        model: the fitted pipeline's joblib file.
        name: `name@version`, published with each prediction.
        event: the events' Avro schema, JSON.
        prediction: the predictions' Avro schema, JSON.
        prefix_hex: what stands before a prediction's Avro bytes.
        prefix_bytes: length of what stands before an event's.
        folder: for what a contestant keeps; empty, and its own.
    """

    bootstrap: str
    source: str
    target: str
    group: str
    model: str
    name: str
    event: str
    prediction: str
    prefix_hex: str
    prefix_bytes: int
    folder: str


def write_task(task: Task, file: Path) -> None:
    """Write what `read_task` reads."""
    file.write_text(json.dumps(asdict(task)))


def read_task(file: Path) -> Task:
    """What `write_task` wrote."""
    return Task(**json.loads(file.read_text()))


def arguments() -> argparse.ArgumentParser:
    """The argument that the runner calls every contestant with."""
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--task", type=Path, required=True, help="what is to be done: written by benchmarks.lane"
    )
    return parser
