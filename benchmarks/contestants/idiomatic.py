"""
Idiomatic Faust: an agent on the topic, one event at a time, as tutorials write it.

Nothing is tuned, and nothing made slow: Avro by fastavro, a one-row frame, `predict_proba`, `send`.
`--take N` takes up to N events at a time (`Stream.take_events`), and predicts them together.
"""

from __future__ import annotations

from typing import Any

import faust

from benchmarks.contestants.middle import Batches, Singles
from benchmarks.contestants.task import Task, arguments, read_task

_WITHIN_S = 0.1
"""Longest wait for company, as the hand-written loop's: on a backlog a batch is full long before."""


def create_app(task: Task, take: int) -> faust.App:
    """The app: one agent that predicts for each event, or for up to `take` at a time."""
    app = faust.App(
        task.group,
        broker=f"kafka://{task.bootstrap}",
        consumer_auto_offset_reset="earliest",
        topic_disable_leader=True,
        topic_allow_declare=False,
        web_enabled=False,
        # Room for two batches, so that the next one gathers while one is predicted (default: 4,096 events).
        stream_buffer_maxsize=max(4_096, 2 * take),
    )
    raw: dict[str, Any] = {
        "key_type": bytes,
        "value_type": bytes,
        "key_serializer": "raw",
        "value_serializer": "raw",
    }
    features, predictions = app.topic(task.source, **raw), app.topic(task.target, **raw)
    app.agent(features)(_taking(task, predictions, take) if take else _one_by_one(task, predictions))
    return app


def _one_by_one(task: Task, predictions: Any) -> Any:
    model = Singles(task)

    async def predict(stream: Any) -> None:
        async for event in stream.events():
            value = model.predict(event.value, event.message.partition, event.message.offset)
            await predictions.send(key=event.key, value=value)

    return predict


def _taking(task: Task, predictions: Any, take: int) -> Any:
    model = Batches(task)

    async def predict(stream: Any) -> None:
        async for events in stream.take_events(take, within=_WITHIN_S):
            values = model.predict(
                [event.value for event in events],
                [event.message.partition for event in events],
                [event.message.offset for event in events],
            )
            for event, value in zip(events, values, strict=True):
                await predictions.send(key=event.key, value=value)

    return predict


def main() -> None:
    """Run until SIGTERM."""
    parser = arguments()
    parser.add_argument("--take", type=int, default=0, help="events at a time; 0: one")
    given = parser.parse_args()
    app = create_app(read_task(given.task), given.take)
    faust.Worker(app, loglevel="WARNING", quiet=True).execute_from_commandline()


if __name__ == "__main__":
    main()
