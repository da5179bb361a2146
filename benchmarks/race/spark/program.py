"""
Spark Structured Streaming: Kafka source, a `pandas_udf`, Kafka sink, a checkpoint; `local[*]`.

The Avro bytes go to Python as they are and are decoded there by the batch, with the other contestants' Rust codec:
`from_avro` and `to_avro` in the JVM would need another pair of jars and a row of 18 columns each way.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql.functions import pandas_udf

from benchmarks.contestants.middle import Batches
from benchmarks.contestants.task import Task, arguments, read_task

_ROWS = 10_000
"""Records at most in an Arrow batch (its own default, and the hand-written loop's)."""

_models: dict[str, Batches] = {}
"""One in each Python worker."""


def model_of(task: Task) -> Batches:
    """Opened when it is first asked for."""
    if task.group not in _models:
        _models[task.group] = Batches(task)
    return _models[task.group]


def session(task: Task, jars: Path) -> SparkSession:
    """One JVM, a task for each core."""
    builder: SparkSession.Builder = SparkSession.builder
    return (
        builder.master("local[*]")
        .appName("race")
        .config("spark.jars", ",".join(map(str, sorted(jars.glob("*.jar")))))
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .config("spark.local.dir", task.folder)
        .config("spark.sql.warehouse.dir", f"{task.folder}/warehouse")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", _ROWS)
        .config("spark.sql.shuffle.partitions", 2)
        .getOrCreate()
    )


def main() -> None:
    """Run until SIGTERM."""
    parser = arguments()
    parser.add_argument("--jars", type=Path, required=True, help="the folder with Spark's Kafka jars")
    given = parser.parse_args()
    task = read_task(given.task)
    os.environ["PYSPARK_PYTHON"] = sys.executable
    spark = session(task, given.jars)
    spark.sparkContext.setLogLevel("WARN")

    @pandas_udf("binary")
    def predict(value: pd.Series, partition: pd.Series, offset: pd.Series) -> pd.Series:
        return pd.Series(model_of(task).predict(value.tolist(), partition.to_numpy(), offset.to_numpy()))

    events = (
        spark.readStream.format("kafka")
        .option("kafka.bootstrap.servers", task.bootstrap)
        .option("subscribe", task.source)
        .option("startingOffsets", "earliest")
        # As large micro-batches as there are events: each costs a second of planning and checkpoints.
        .load()
    )
    query = (
        events.select("key", predict("value", "partition", "offset").alias("value"))
        .writeStream.format("kafka")
        .option("kafka.bootstrap.servers", task.bootstrap)
        .option("topic", task.target)
        .option("kafka.linger.ms", "5")
        .option("kafka.batch.size", "1000000")
        .option("checkpointLocation", f"{task.folder}/checkpoint")
        .start()
    )
    signal.signal(signal.SIGTERM, lambda *_: query.stop())
    query.awaitTermination()
    spark.stop()


if __name__ == "__main__":
    main()
