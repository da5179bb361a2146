"""A Spark session for a command, or an error that says why there is none."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from stream.errors import SettingsError, StreamError
from stream.extras import require

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["cause", "open_session", "without_pandas"]

_HERE = "local[*]"
"""Where Spark's own configuration names no master."""


@contextmanager
def without_pandas() -> Iterator[None]:
    """Spark warns of pandas 3 wherever a function is made; ours take and give Arrow, never pandas."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
        yield


def cause(text: str) -> str:
    """
    Args:
        text: of an error of Spark's.
    Returns: the last line of the executor's Python traceback, which says what went wrong there; else what Spark says,
        without the JVM's stack.
    """
    lines = [
        line.strip() for line in text.splitlines() if ": " in line and line.strip().startswith("stream.")
    ]
    return lines[-1] if lines else text.partition("JVM stacktrace")[0].strip()


def open_session(master: str | None = None, name: str = "prediction-stream") -> SparkSession:
    """
    The active Spark session, or a new one.

    Args:
        master: `spark://host:7077`, `yarn`, `local[2]` …; None for what Spark's own configuration says, and
            this machine's cores where it says nothing.
        name: of the application.
    Returns: the session. Executors on this machine run this very Python, unless PYSPARK_PYTHON says otherwise.
    Raises: SettingsError when pyspark or Java is missing; StreamError when the cluster can't be reached.
    """
    require("Spark", "spark", "pyspark")
    from pyspark.errors import PySparkException, PySparkRuntimeError
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName(name).config("spark.ui.showConsoleProgress", "false")
    if master is not None:
        builder = builder.master(master)
    elif "PYSPARK_SUBMIT_ARGS" not in os.environ and "SPARK_HOME" not in os.environ:
        builder = builder.master(_HERE)
    try:
        spark = builder.getOrCreate()
    except (PySparkRuntimeError, FileNotFoundError) as error:
        raise SettingsError(
            f"Spark can't start: {error}", hint="install Java 17 or newer, or set JAVA_HOME"
        ) from error
    except PySparkException as error:
        raise StreamError(f"Spark can't start: {error}", hint="check the master's address") from error
    spark.sparkContext.setLogLevel("ERROR")
    return spark
