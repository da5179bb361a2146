"""
The DAGs of test_one_model.py: one trains, logs and registers a model; its asset begins the other, which scores a file.

Set by environment variables: FLIGHTS, the folder with `train.py` and `rows.csv`; STREAM, the command;
MLFLOW_TRACKING_URI.
"""

from __future__ import annotations

import os
import subprocess

from airflow.sdk import DAG, task

from stream.airflow import StreamBatchOperator, StreamTrainOperator, model_asset

DATA = os.environ.get("FLIGHTS", "/data")
MODEL = f"{DATA}/models/flights"
URI = "models:/late@champion"
TRACK = ("--track", os.environ.get("MLFLOW_TRACKING_URI", ""), "--experiment", "one-model")

with DAG("one_model_train", schedule=None):

    @task(outlets=[model_asset(URI)])  # type: ignore[untyped-decorator]  # Airflow is not installed here
    def push() -> None:
        """Register what was packed, and let the alias name it."""
        command = [os.environ["STREAM"], "models", "push", MODEL, "--name", "late", "--alias", "champion"]
        subprocess.run(command, check=True)

    train = StreamTrainOperator(task_id="train", recipe=f"{DATA}/train.py", out=MODEL, arguments=TRACK)
    train >> push()

with DAG("one_model_score", schedule=[model_asset(URI)]):
    StreamBatchOperator(task_id="score", inputs=f"{DATA}/rows.csv", output_dir=f"{DATA}/scored", model=URI)
