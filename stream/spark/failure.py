"""Spark's errors in one line: what went wrong, on which machine, with which file."""

from __future__ import annotations

import copy
import re

from stream.errors import StreamError
from stream.shown import shown

__all__ = ["cause", "deepest", "on_host", "spark_errors"]

_TRACEBACK = "Traceback (most recent call last):"

_LOST = re.compile(r"Lost task \S+ in stage \S+ \(TID \d+\) \((\S+) executor \S+\)")
"""How the driver names the machine of the task that failed last."""

_CAUSED = re.compile(r"^\s*Caused by: (?:[\w.$]+\.)?([\w$]+): (.+)$", re.MULTILINE)

_FILE = re.compile(r"(?:reading file|File) ([a-z][a-z0-9]*:/\S+?)\.?(?=\s|$)")
"""How Spark names the file that it could not read, in another line than the cause."""

_JVM_CLASS = re.compile(r"^(?:[a-z][\w$]*\.)+([A-Z][\w$]*): ")

_NOISE = re.compile(r"^\[[A-Z_.]+\] ")

_CALLED = re.compile(r"\AAn error occurred while calling \S+\n: ")
"""What Python's way to the JVM puts before an error of Java's."""


def spark_errors() -> tuple[type[Exception], ...]:
    """What a call of Spark's may raise: pyspark's own errors, and Java's where it has none for them."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    return PySparkException, Py4JError


def cause(text: str) -> str:
    """
    Args:
        text: of an error of Spark's.
    Returns: a line: the machine, where it is known, and what went wrong there: the exception of the executor's Python;
        else the deepest cause that the JVM names; else what Spark says, without the stack.
    """
    found = _python(text) or _java(text) or _first(text)
    file = _FILE.search(text)
    if file is not None and file[1] not in found:
        found = f"{file[1]}: {found}"
    lost = _LOST.findall(text)
    return f"on {lost[-1]}: {found}" if lost else found


def deepest(error: Exception) -> str:
    """
    Args:
        error: of pyspark's own.
    Returns: what the JVM says was the cause of it, to be read by `cause`; empty where it names none.
    """
    java = getattr(error, "_origin", None)
    texts: list[str] = []
    while java is not None and (java := java.getCause()) is not None:
        texts.append(f"Caused by: {java}")
    return "\n".join(texts)


def on_host(host: str, error: StreamError | OSError) -> StreamError:
    """
    Args:
        host: a machine's name.
        error: what went wrong there.
    Returns: the same for the driver's user, of the same class where it is ours.
    """
    if isinstance(error, StreamError):
        told = copy.copy(error)
        told.message = shown(f"on {host}: {error.message}")
        return told
    return StreamError(
        f"on {host}: {error}; nothing was published",
        hint="every machine must see the inputs and --output under the same paths, and be allowed to use them",
    )


def _python(text: str) -> str:
    """The last line of the last traceback, without our own classes' modules."""
    _, there, rest = text.rpartition(_TRACEBACK)
    if not there:
        return ""
    for line in rest.splitlines():
        if line.strip() and not line.startswith((" ", "\t")):
            return re.sub(r"^stream\.(?:\w+\.)*\w+: ", "", line.strip())
    return ""


def _java(text: str) -> str:
    causes = _CAUSED.findall(text)
    return f"{causes[-1][0]}: {causes[-1][1].strip()}" if causes else ""


def _first(text: str) -> str:
    lines = _CALLED.sub("", text.partition("JVM stacktrace")[0].strip()).splitlines() or [""]
    return _NOISE.sub("", _JVM_CLASS.sub("", lines[0]))
