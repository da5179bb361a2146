"""Do the contestants compute the same? A race between programs that don't is worth nothing."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import fastavro
import numpy as np
import numpy.typing as npt

__all__ = ["Answers", "Disagreement", "answers", "compare"]

_TOLERANCE = 1e-9
"""Of two scores: the package's own. Matrix libraries round differently by batch size."""

_PARTITION_SHIFT = 48
"""A record's place as one number: partition above, offset below."""


class Disagreement(Exception):
    """Two contestants said different things of one record, or one said nothing or the same thing twice."""


@dataclass(frozen=True, slots=True)
class Answers:
    """
    What one contestant wrote, by the place of the input record, ascending.

    Attributes:
        places: where each record was.
        labels: of each.
        scores: of each.
        timestamps_ms: when the broker appended each output.
        mean_bytes: of an output with its key.
    """

    places: npt.NDArray[np.int64]
    labels: npt.NDArray[np.bool_]
    scores: npt.NDArray[np.float64]
    timestamps_ms: list[int]
    mean_bytes: float = 0.0

    @property
    def partitions(self) -> npt.NDArray[np.int64]:
        """The partition of each record."""
        return self.places >> _PARTITION_SHIFT


def answers(messages: Iterable[Any], schema: str, prefix: bytes) -> Answers:
    """
    Decode predictions with a decoder that no contestant encodes with.

    Args:
        messages: of the output topic.
        schema: `prediction.avsc`.
        prefix: what stands before each value.
    Raises: Disagreement for a value framed otherwise, a key that is not the flight's, or a record twice.
    """
    parsed = fastavro.parse_schema(json.loads(schema))
    rows: list[tuple[int, bool, float, int]] = []
    bytes_ = 0
    for message in messages:
        value, key = message.value(), message.key()
        if not value.startswith(prefix):
            raise Disagreement(f"a prediction starts with {value[:10].hex(' ')}, not {prefix.hex(' ')}")
        said: Any = fastavro.schemaless_reader(io.BytesIO(value[len(prefix) :]), parsed, None)
        if key != said["flight_id"].encode():
            raise Disagreement(f"the prediction of {said['flight_id']} has the key {key!r}")
        place = (said["source_partition"] << _PARTITION_SHIFT) | said["source_offset"]
        rows.append((place, said["label"], said["score"], message.timestamp()[1]))
        bytes_ += len(value) + len(key)
    rows.sort()
    found = Answers(
        np.array([row[0] for row in rows], np.int64),
        np.array([row[1] for row in rows], np.bool_),
        np.array([row[2] for row in rows], np.float64),
        [row[3] for row in rows],
        bytes_ / max(1, len(rows)),
    )
    doubled = int((np.diff(found.places) == 0).sum())
    if doubled:
        raise Disagreement(f"{doubled} records were predicted twice")
    return found


def compare(one: Answers, other: Answers) -> int:
    """
    Hold two contestants' answers against each other.

    Args:
        one: all or some of the records.
        other: all or some of the records.
    Returns: how many records both have predicted.
    Raises: Disagreement when a label differs, or a score by more than 1e-9, or they share no record.
    """
    places, left, right = np.intersect1d(one.places, other.places, assume_unique=True, return_indices=True)
    if not len(places):
        raise Disagreement("they have no record in common")
    labels = int((one.labels[left] != other.labels[right]).sum())
    gap = float(np.abs(one.scores[left] - other.scores[right]).max())
    if labels or gap > _TOLERANCE:
        raise Disagreement(f"of {len(places)} records {labels} labels differ, scores by up to {gap:.3g}")
    return len(places)
