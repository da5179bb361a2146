"""The custom runtime that MLServer loads: an event's Avro bytes in, the prediction's out, both as base64 in JSON."""

from __future__ import annotations

import base64
from pathlib import Path

from mlserver import MLModel
from mlserver.types import InferenceRequest, InferenceResponse, ResponseOutput

from benchmarks.contestants.middle import Batches
from benchmarks.contestants.task import read_task

__all__ = ["Predictions"]


class Predictions(MLModel):
    """Predicts for all requests that MLServer's adaptive batching has put together."""

    async def load(self) -> bool:
        """Open the model of the task that `parameters.uri` names."""
        self._batches = Batches(read_task(Path(self.settings.parameters.uri)))
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Rows of three tensors: event, partition and offset."""
        event, partition, offset = (list(one.data) for one in payload.inputs)
        values = self._batches.predict([base64.b64decode(one) for one in event], partition, offset)
        said = [base64.b64encode(value).decode() for value in values]
        output = ResponseOutput(name="prediction", shape=[len(said), 1], datatype="BYTES", data=said)
        return InferenceResponse(id=payload.id, model_name=self.name, outputs=[output])
