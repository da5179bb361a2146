"""
Idiomatic Faust: an agent on the topic, one event at a time, as tutorials write it.

Nothing is tuned, and nothing made slow: Avro by fastavro, a one-row frame, `predict_proba`, `send`.
"""

from __future__ import annotations

import io
import json
from typing import Any

import fastavro
import faust
import pandas as pd

from benchmarks.contestants.task import CARRY, Task, arguments, task_of


def create_app(task: Task) -> faust.App:
    """The app: one agent that predicts for each event."""
    app = faust.App(
        task.group,
        broker=f"kafka://{task.bootstrap}",
        consumer_auto_offset_reset="earliest",
        topic_disable_leader=True,
        topic_allow_declare=False,
        web_enabled=False,
    )
    raw: dict[str, Any] = {
        "key_type": bytes,
        "value_type": bytes,
        "key_serializer": "raw",
        "value_serializer": "raw",
    }
    features = app.topic(task.source, **raw)
    predictions = app.topic(task.target, **raw)
    event_schema = fastavro.parse_schema(json.loads(task.event))
    prediction_schema = fastavro.parse_schema(json.loads(task.prediction))
    classes = task.estimator.classes_

    @app.agent(features)
    async def predict(stream: Any) -> None:
        async for event in stream.events():
            flight: Any = fastavro.schemaless_reader(
                io.BytesIO(event.value[task.prefix_bytes :]), event_schema, None
            )
            frame = pd.DataFrame([flight])[task.features]
            probabilities = task.estimator.predict_proba(frame)[0]
            prediction = {
                **{name: flight[name] for name in CARRY},
                "label": classes[probabilities.argmax()].item(),
                "score": float(probabilities[1]),
                "model": task.name,
                "source_partition": event.message.partition,
                "source_offset": event.message.offset,
            }
            out = io.BytesIO()
            fastavro.schemaless_writer(out, prediction_schema, prediction)
            await predictions.send(key=event.key, value=task.prefix + out.getvalue())

    return app


def main() -> None:
    """Run until SIGTERM."""
    app = create_app(task_of(arguments().parse_args()))
    faust.Worker(app, loglevel="WARNING", quiet=True).execute_from_commandline()


if __name__ == "__main__":
    main()
