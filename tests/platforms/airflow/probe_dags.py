"""DAGs of the tests: a failing input, tasks that are killed, a command that is held up, tasks that are mapped."""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, BaseOperator

from stream.airflow import StreamBatchOperator, StreamTrainOperator, predictions_asset

DATA = os.environ["FLIGHTS"]
MODEL = f"{DATA}/probe_model"
DAY = f"{DATA}/days/2026-11-20.csv"
RETRIED = {"retries": 2, "retry_delay": timedelta(0)}
"""What is killed needs another attempt; what is refused has attempts, and must not use them."""

WRAPPER = [sys.executable, os.environ["WRAPPER"]]


def env(what: str, dag: str) -> dict[str, str]:
    """What the wrapper is told."""
    return {
        "WRAPPED": what,
        "MARK": f"{DATA}/{dag}.mark",
        "GO": f"{DATA}/{dag}.go",
        "STREAM": os.environ["STREAM"],
    }


for name in ("killed-after", "killed-before", "held", "taken"):
    with DAG(f"probe_{name}", schedule=None, default_args=RETRIED):
        StreamBatchOperator(
            task_id="score",
            inputs=DAY,
            output_dir=f"{DATA}/{name}",
            model=MODEL,
            stream_command=WRAPPER,
            env=env("held" if name == "taken" else name, name),
            deferrable=name in ("held", "taken"),
            poll_s=0.5,
        )

with DAG("probe_stopped", schedule=None, default_args=RETRIED):
    StreamBatchOperator(
        task_id="score",
        inputs=DAY,
        output_dir=f"{DATA}/stopped",
        model=MODEL,
        stream_command=WRAPPER,
        env={**env("held", "stopped"), "GO": f"{DATA}/never"},
    )

with DAG("probe_killed_train", schedule=None, default_args=RETRIED):
    StreamTrainOperator(
        task_id="train",
        recipe=f"{DATA}/train.py",
        out=f"{DATA}/killed_model",
        stream_command=WRAPPER,
        env=env("killed-after", "train"),
    )

with DAG("probe_failing", schedule=None, default_args=RETRIED):
    StreamBatchOperator(
        task_id="score", inputs=f"{DATA}/nothing/*.csv", output_dir=f"{DATA}/failing", model=MODEL
    )

with DAG("probe_mapped", schedule=None, default_args=RETRIED):
    StreamBatchOperator.partial(
        task_id="score",
        output_dir=f"{DATA}/mapped",
        model=MODEL,
        outlets=[predictions_asset(f"{DATA}/mapped")],
    ).expand(inputs=[DAY, [f"{DATA}/days/2026-11-21.csv", f"{DATA}/days/2026-11-22.csv"]])


class Returns(BaseOperator):  # type: ignore[misc]
    """A task with a result."""

    def __init__(self, *, result: Any, **options: Any) -> None:
        super().__init__(**options)
        self.result = result

    def execute(self, context: Any) -> Any:
        """For XCom."""
        return self.result


with DAG("probe_nothing", schedule=None, default_args=RETRIED):
    nothing, models = Returns(task_id="nothing", result=None), Returns(task_id="models", result=["", None])
    scored: dict[str, Any] = {"inputs": DAY, "output_dir": f"{DATA}/nothing_there", "outlets": []}
    StreamBatchOperator(task_id="score", model=nothing.output, **scored)
    StreamBatchOperator(task_id="keyed", model=MODEL, run_key="{{ params.get('key', '') }}", **scored)
    StreamBatchOperator.partial(task_id="mapped", **scored).expand(model=models.output)

with DAG("probe_secret", schedule=None, default_args=RETRIED):
    secret = {"MLFLOW_TRACKING_URI": "{{ conn.tracking.get_uri() }}", "TOKEN": "{{ conn.tracking.password }}"}
    for name in ("here", "deferred"):
        StreamBatchOperator(
            task_id=name,
            inputs=DAY,
            output_dir=f"{DATA}/secret_{name}",
            model=MODEL,
            env=secret,
            deferrable=name == "deferred",
            poll_s=0.5,
        )
    StreamTrainOperator(
        task_id="refused",
        retries=0,
        recipe=f"{DATA}/train.py",
        out=f"{DATA}/secret_model",
        track="{{ conn.tracking.get_uri() }}",
    )
