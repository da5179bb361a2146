"""Spark's errors as a line that names the machine and what went wrong."""

from __future__ import annotations

import errno
import os

import pytest

from stream.errors import PackageError, SampleError, StreamError
from stream.spark.failure import cause, on_host

LOST = """Job aborted due to stage failure: Task 0 in stage 0.0 failed 4 times, most recent failure: \
Lost task 0.3 in stage 0.0 (TID 3) (10.0.0.7 executor 1): """

WORKER = f"""{LOST}org.apache.spark.api.python.PythonException: Traceback (most recent call last):
  File "/opt/pyspark/worker.py", line 1, in main
    raise one
KeyError: 'x'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/opt/stream/batch/work.py", line 9, in do
    {{}}
OSError: [Errno 28] No space left on device: '/data/out/part-00001.parquet'

\tat org.apache.spark.api.python.BasePythonRunner.handlePythonException(PythonRunner.scala:5)
JVM stacktrace:
\tat nowhere"""

MISSING = f"""An error occurred while calling o76.collectToPython.
: org.apache.spark.SparkException: {LOST}java.io.IOException: Cannot run program "python9": Exec failed
\tat java.base/java.lang.ProcessBuilder.start(ProcessBuilder.java:1143)
Driver stacktrace:
Caused by: java.io.IOException: Cannot run program "python9": error=2, No such file or directory
\tat java.base/java.lang.ProcessBuilder.start(ProcessBuilder.java:1073)
"""

OWN = f"""{LOST}Traceback (most recent call last):
  File "x.py", line 1, in f
stream.errors.QueryError: predict(struct(*)): the rows lack 'pages'
  try: name columns
"""

UNREADABLE = f"""An error occurred while calling o99.collectToPython.
: org.apache.spark.SparkException: {LOST}org.apache.spark.SparkException: [FAILED_READ_FILE.NO_HINT] Encountered error \
while reading file file:///data/a.parquet. SQLSTATE: KD001
\tat org.apache.spark.sql.errors.QueryExecutionErrors$.cannotReadFilesError(QueryExecutionErrors.scala:856)
Caused by: java.io.IOException: FAILED_TO_UNCOMPRESS(5)
\tat org.xerial.snappy.SnappyNative.rawUncompress(Native Method)
"""

CANCELLED = """An error occurred while calling o76.collectToPython.
: org.apache.spark.SparkException: [SPARK_JOB_CANCELLED] Job 0 cancelled
\tat org.apache.spark.errors.SparkCoreErrors$.sparkJobCancelled(SparkCoreErrors.scala:222)"""


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (WORKER, "on 10.0.0.7: OSError: [Errno 28] No space left on device: '/data/out/part-00001.parquet'"),
        (
            MISSING,
            'on 10.0.0.7: IOException: Cannot run program "python9": error=2, No such file or directory',
        ),
        (OWN, "on 10.0.0.7: predict(struct(*)): the rows lack 'pages'"),
        (UNREADABLE, "on 10.0.0.7: file:///data/a.parquet: IOException: FAILED_TO_UNCOMPRESS(5)"),
        (CANCELLED, "Job 0 cancelled"),
        ("Could not parse Master URL: 'x'", "Could not parse Master URL: 'x'"),
    ],
    ids=["python", "java", "ours", "file", "no-machine", "plain"],
)
def test_the_deepest_cause_is_told(text: str, line: str) -> None:
    """With the machine of the task, where the text has one."""
    assert line == cause(text)


def test_an_error_of_a_machine_is_the_same_here() -> None:
    """Its class, hint and step; the system's becomes ours, since only its text has a machine's name."""
    found = on_host("n7", PackageError("a hash is wrong", step="hashes", hint="pack it again"))
    missing = on_host("n7", FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "/data/x"))

    assert ["step hashes: on n7: a hash is wrong", "  try: pack it again"] == found.lines
    assert PackageError is type(found)
    assert SampleError is type(on_host("n7", SampleError("x")))
    assert StreamError is type(missing)
    assert "on n7: [Errno 2] No such file or directory: '/data/x'; nothing was published" == missing.message
