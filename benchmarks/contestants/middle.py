"""
The middle of every contestant: values in, predictions out, by the worker's own Rust codec and the same model.

`Batches` is as fast as an expert can make it, and promises less than the worker does: no check that the bytes are
valid Avro, and one bad row ends it. `Singles` is what tutorials write: fastavro, a one-row frame, `predict_proba`.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Sequence
from typing import Any

# Before scikit-learn is loaded: one OpenMP and BLAS thread. On batches of this size more threads mostly wait
# for each other, and spin while they do, on cores that the broker and librdkafka want.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import fastavro
import joblib
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyruhvro

from benchmarks.contestants.task import CARRY, Task

__all__ = ["Batches", "Singles"]

_NAMES = [*CARRY, "label", "score", "model", "source_partition", "source_offset"]


def _classes(task: Task) -> npt.NDArray[np.generic]:
    """As they are published: XGBoost has whole numbers for them, CatBoost the texts `False` and `True`."""
    types = {field["name"]: field["type"] for field in json.loads(task.prediction)["fields"]}
    return np.array([0, 1], np.int32) if types["label"] == "int" else np.array([False, True])


class Batches:
    """
    Predicts for many events at a time.

    Args:
        task: whose model and schemas.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._prefix = bytes.fromhex(task.prefix_hex)
        self._estimator = joblib.load(task.model)
        self._classes = _classes(task)
        self._features = [str(name) for name in self._estimator.feature_names_in_]

    def predict(
        self, values: Sequence[bytes], partitions: Sequence[int], offsets: Sequence[int]
    ) -> list[bytes]:
        """
        Predictions, ready for the wire.

        Args:
            values: of the events.
            partitions: where each was.
            offsets: where each was.
        Returns: one for each, in order.
        """
        task = self._task
        cut = task.prefix_bytes
        batch = pyruhvro.deserialize_array([value[cut:] for value in values], task.event)
        score = self._estimator.predict_proba(batch.select(self._features).to_pandas())[:, 1]
        columns = [batch.column(name) for name in CARRY]
        columns += [
            pa.array(self._classes[(score > 0.5).astype(np.intp)]),
            pa.array(score, pa.float64()),
            pa.repeat(task.name, len(values)),
            pa.array(partitions, pa.int32()),
            pa.array(offsets, pa.int64()),
        ]
        found = pa.RecordBatch.from_arrays(columns, names=_NAMES)
        encoded = pyruhvro.serialize_record_batch(found, task.prediction, 1)
        prefix = self._prefix
        return [prefix + value for value in encoded[0].to_pylist()]


class Singles:
    """
    Predicts for one event at a time.

    Args:
        task: whose model and schemas.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._prefix = bytes.fromhex(task.prefix_hex)
        self._estimator = joblib.load(task.model)
        self._classes = _classes(task)
        self._features = [str(name) for name in self._estimator.feature_names_in_]
        self._event = fastavro.parse_schema(json.loads(task.event))
        self._prediction = fastavro.parse_schema(json.loads(task.prediction))

    def predict(self, value: bytes, partition: int, offset: int) -> bytes:
        """The prediction for one event, ready for the wire."""
        event: Any = fastavro.schemaless_reader(
            io.BytesIO(value[self._task.prefix_bytes :]), self._event, None
        )
        probabilities = self._estimator.predict_proba(pd.DataFrame([event])[self._features])[0]
        prediction = {
            **{name: event[name] for name in CARRY},
            "label": self._classes[probabilities.argmax()].item(),
            "score": float(probabilities[1]),
            "model": self._task.name,
            "source_partition": partition,
            "source_offset": offset,
        }
        out = io.BytesIO()
        fastavro.schemaless_writer(out, self._prediction, prediction)
        return self._prefix + out.getvalue()
