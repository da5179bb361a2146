"""
Three DAGs around one model. Each has a schedule of its own; assets join them.

    flights_train     every week: train, compare with the version in use, pack it if it is not worse
    flights_predict   every night: score the file of the day before
    flights_rescore   whenever there is a new version: score all files again with it

Set by the environment variable FLIGHTS (/data): the folder with `train.py`, a recipe, and the rows of each day,
`days/2026-11-27.csv`. What is written there: `models/flights`, `scored` and `rescored`.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG

from stream.airflow import StreamBatchOperator, StreamTrainOperator, model_asset

DATA = os.environ.get("FLIGHTS", "/data")
MODEL = f"{DATA}/models/flights"
START = datetime(2026, 1, 1, tzinfo=UTC)
RETRIED = {"retries": 2, "retry_delay": timedelta(minutes=1)}

with DAG("flights_train", schedule="@weekly", start_date=START, catchup=False, default_args=RETRIED):
    # Its outlet is the asset of MODEL: a new version.
    StreamTrainOperator(task_id="train", recipe=f"{DATA}/train.py", out=MODEL, require="not-worse")

with DAG("flights_predict", schedule="@daily", start_date=START, catchup=False, default_args=RETRIED):
    StreamBatchOperator(
        task_id="score",
        inputs=f"{DATA}/days/{{{{ macros.ds_add(ds, -1) }}}}.csv",
        output_dir=f"{DATA}/scored",
        model=MODEL,
    )

with DAG("flights_rescore", schedule=[model_asset(MODEL)], default_args=RETRIED):
    # A run that an asset began has no date. The worker's place is given back while the command runs.
    StreamBatchOperator(
        task_id="rescore",
        inputs=f"{DATA}/days",
        output_dir=f"{DATA}/rescored",
        model=MODEL,
        deferrable=True,
    )
