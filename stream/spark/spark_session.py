"""A Spark session for a command, or an error that says why there is none."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from stream.errors import SettingsError, StreamError
from stream.extras import require
from stream.spark.failure import cause, spark_errors

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["open_session", "without_pandas"]

_STANDALONE = "spark://"
_CONNECT = "sc://"
_ANSWER_S = 5.0
"""Spark itself asks a master that isn't there for a minute."""

_CORRECT = "correct --master, or spark.master in spark-defaults.conf (SPARK_CONF_DIR)"

_WAITING = "org.apache.spark.scheduler.TaskSchedulerImpl"
"""Warns that the cluster has no executor for this application, which then waits."""


@contextmanager
def without_pandas() -> Iterator[None]:
    """Spark warns of pandas 3 wherever a function is made; ours take and give Arrow, never pandas."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
        yield


def open_session(master: str | None = None, name: str = "prediction-stream") -> SparkSession:
    """
    The active Spark session, or a new one.

    Args:
        master: `spark://host:7077`, `yarn`, `local[2]` …; None for what Spark's own configuration says, and
            this machine's cores where it says nothing.
        name: of the application.
    Returns: the session. Executors run the Python of PYSPARK_PYTHON or `spark.pyspark.python`, else this very Python.
    Raises: SettingsError when pyspark or Java is missing; StreamError when the cluster can't be reached.
    """
    require("Spark", "spark", "pyspark")
    _refuse_connect(master)
    with without_pandas():
        from pyspark import SparkContext
        from pyspark.errors import PySparkRuntimeError
        from pyspark.sql import SparkSession
    active = SparkContext._active_spark_context is not None
    builder = SparkSession.builder.appName(name).config("spark.ui.showConsoleProgress", "false")
    if master is not None:
        builder = builder.master(master)
    try:
        if not active:
            _check_master(master or _configured())
        spark = builder.getOrCreate()
    except (PySparkRuntimeError, FileNotFoundError) as error:
        raise _not_started() from error
    except spark_errors() as error:
        raise StreamError(f"Spark can't start: {cause(str(error))}", hint=_CORRECT) from error
    if not active:
        _set_up(spark)
    return spark


def _set_up(spark: SparkSession) -> None:
    context = spark.sparkContext
    context.setLogLevel("ERROR")
    log4j = context._jvm.org.apache.logging.log4j
    log4j.core.config.Configurator.setLevel(_WAITING, log4j.Level.WARN)
    if "PYSPARK_PYTHON" not in os.environ:
        context.pythonExec = context.getConf().get("spark.pyspark.python", sys.executable) or sys.executable


def _refuse_connect(master: str | None) -> None:
    remote = master if (master or "").startswith(_CONNECT) else os.environ.get("SPARK_REMOTE", "")
    if remote:
        raise SettingsError(
            f"{remote} is a server of Spark Connect, which these commands don't work with",
            hint="name a cluster's master with --master, and unset SPARK_REMOTE",
        )


def _configured() -> str:
    """The master of Spark's own configuration, which its JVM reads when it starts."""
    from pyspark import SparkConf, SparkContext

    SparkContext._ensure_initialized(conf=SparkConf(loadDefaults=False))
    return SparkConf().get("spark.master", "") or ""


def _check_master(master: str) -> None:
    """Ask a standalone cluster's masters for an answer, of which one is enough."""
    if not master.startswith(_STANDALONE):
        return
    failures: list[str] = []
    for each in master.removeprefix(_STANDALONE).split(","):
        host, _, port = each.rpartition(":")
        if not host or not port.isdecimal():
            raise SettingsError(f"{master}: expected spark://HOST:PORT", hint=_CORRECT)
        try:
            socket.create_connection((host.strip("[]"), int(port)), _ANSWER_S).close()
        except (OSError, OverflowError) as error:
            failures.append(f"{each}: {getattr(error, 'strerror', None) or error}")
        else:
            return
    raise StreamError(f"no Spark master answers at {'; '.join(failures)}", hint=_CORRECT)


def _not_started() -> SettingsError:
    home = os.environ.get("JAVA_HOME")
    java = (Path(home) / "bin" / "java").is_file() if home else shutil.which("java") is not None
    if not java:
        where = f"JAVA_HOME is {home}, which has no bin/java" if home else "there is no java on the PATH"
        return SettingsError(f"Spark can't start: {where}", hint="install Java 17 or newer, or set JAVA_HOME")
    return SettingsError(
        "Spark ended before it had started; what it wrote above says why",
        hint="correct Spark's configuration: spark-defaults.conf, PYSPARK_SUBMIT_ARGS, HADOOP_CONF_DIR; "
        "Java must be 17 or newer",
    )
