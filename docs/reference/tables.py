"""Metrics, errors, reasons and headers → Markdown tables."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from docs.reference.error_ends import over
from stream import reasons
from stream.deadletter import HEADERS
from stream.errors import Refused, Stopped, StreamError
from stream.log_events import EVENTS
from stream.telemetry import TABLE
from stream.tracing import ATTRIBUTES, MESSAGING_METRICS, SCHEMA_URL
from stream.training.names import NAMES

__all__ = [
    "attributes",
    "classes",
    "errors",
    "headers",
    "log_events",
    "messaging_metrics",
    "metrics",
    "reason_table",
    "recipe",
]


def metrics() -> str:
    """Every metric."""
    lines = ["| metric | kind | labels | meaning |", "|---|---|---|---|"]
    for metric in TABLE:
        labels = ", ".join(f"`{label}`" for label in metric.labels) or "–"
        lines.append(f"| `{metric.name}` | {metric.kind} | {labels} | {metric.meaning} |")
    return "\n".join(lines)


def attributes() -> str:
    """Every attribute of spans and of the conventions' metrics."""
    lines = [f"Schema: `{SCHEMA_URL}`.", "", "| attribute | value |", "|---|---|"]
    return "\n".join([*lines, *(f"| `{name.value}` | {meaning} |" for name, meaning in ATTRIBUTES.items())])


def messaging_metrics() -> str:
    """A worker's metrics that the conventions have a name for."""
    lines = ["| name | unit | operation | from |", "|---|---|---|---|"]
    for row in MESSAGING_METRICS:
        lines.append(f"| `{row.name}` | `{row.unit}` | `{row.operation.name}` | `{row.source}` |")
    return "\n".join(lines)


def log_events() -> str:
    """Every event of the worker's log, and what a JSON line has for it."""
    lines = ["| event | when | fields |", "|---|---|---|"]
    for event in EVENTS:
        fields = ", ".join(f"`{name}`" for name in event.fields) or "–"
        lines.append(f"| `{event.name}` | {event.meaning} | {fields} |")
    return "\n".join(lines)


def classes(root: type[StreamError] = StreamError) -> Iterator[type[StreamError]]:
    """The error tree, each class before those below it."""
    yield root
    for kind in root.__subclasses__():
        # A room's own refinements say nothing more to an operator than what they refine.
        if kind.__module__ == StreamError.__module__:
            yield from classes(kind)


def errors() -> str:
    """Every error: its place in the tree, the exit code, what it means, what to do, how to see that it is over."""
    lines = ["| error | exit code | says | what to do | over when |", "|---|---|---|---|---|"]
    for kind in classes():
        depth = len(kind.__mro__) - len(StreamError.__mro__)
        _, _, action = inspect.cleandoc(kind.__doc__ or "").rpartition("Operator action: ")
        says = kind.summary().rstrip(".")
        lines.append(
            f"| {'– ' * depth}`{kind.__name__}` | {_exit(kind)} | {says} | {_capital(action)} | {over(kind)} |"
        )
    return "\n".join(lines)


def _exit(kind: type[StreamError]) -> str:
    if issubclass(kind, Refused):
        return "2"
    return "1" if issubclass(kind, Stopped) else "–"


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def reason_table() -> str:
    """Every reason of a dead letter."""
    lines = ["| reason | stage | found | what to do | over when |", "|---|---|---|---|---|"]
    for reason in reasons.TABLE:
        stages = ", ".join(f"`{stage}`" for stage in reason.stages)
        lines.append(f"| `{reason.name}` | {stages} | {reason.meaning} | {reason.action} | {reason.over} |")
    return "\n".join(lines)


def headers() -> str:
    """Every header that a dead letter gets."""
    lines = ["| header | value |", "|---|---|"]
    return "\n".join([*lines, *(f"| `{name}` | {meaning} |" for name, meaning in HEADERS.items())])


def recipe() -> str:
    """Everything that a recipe may define."""
    lines = ["| name | type | default | meaning |", "|---|---|---|---|"]
    for name, named in NAMES.items():
        default = "required" if named.required else f"`{named.default!r}`"
        lines.append(f"| `{name}` | {named.expected} | {default} | {_capital(named.meaning)} |")
    return "\n".join(lines)
