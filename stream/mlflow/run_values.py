"""Names and values of a run as an MLflow server takes them: its alphabet, its lengths, its sizes of a batch."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

__all__ = ["Figure", "Noted", "batches", "key", "param_text", "tag_text"]

T = TypeVar("T")

_FOREIGN = re.compile(r"[^\w.\- /]")
"""What no name may hold; `:` could stand in one, but not on each system that reads it."""

_LONGEST_KEY = 250
_LONGEST_PARAM = 6_000
_LONGEST_TAG = 5_000
"""Characters: MLflow's limits, since 2.8 for parameters; tags had 5,000 before they had 8,000."""

_PARAMS = _TAGS = 100
_METRICS = 800
"""Of one call: MLflow takes 1,000 of all kinds together."""


@dataclass(frozen=True, slots=True)
class Figure:
    """
    A value of a metric.

    Attributes:
        name: of the metric.
        value: it; MLflow's servers keep NaN and infinity, too.
        step: its place on the metric's curve.
    """

    name: str
    value: float
    step: int = 0


@dataclass(frozen=True, slots=True)
class Noted:
    """
    What one call says of a run.

    Attributes:
        params: texts by name.
        figures: values of metrics.
        tags: texts by name.
    """

    params: Mapping[str, str]
    figures: Sequence[Figure]
    tags: Mapping[str, str]


def key(name: str) -> str:
    """
    A name of a parameter or metric in MLflow's alphabet.

    Args:
        name: any text; `/` separates groups.
    Returns: it, other characters replaced by `_`. A name that had to be changed ends with part of its hash: two
        different ones stay two.
    """
    parts = [part for part in _FOREIGN.sub("_", name).split("/") if part.strip(". ")]
    found = "/".join(parts) or "_"
    if found == name and len(found) <= _LONGEST_KEY:
        return found
    mark = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return f"{found[: _LONGEST_KEY - 7]} {mark}"


def param_text(value: object) -> str:
    """A parameter's value as text, within its length; a long one ends with `…`."""
    return _cut(value if isinstance(value, str) else _text(value), _LONGEST_PARAM)


def tag_text(value: object) -> str:
    """A tag's value as text, likewise."""
    return _cut(value if isinstance(value, str) else _text(value), _LONGEST_TAG)


def _text(value: object) -> str:
    """Plain values as JSON has them, so that `None` is not a text; others as they show themselves."""
    if value is None or isinstance(value, bool | int | float):
        return str(value)
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        return repr(value)


def _cut(text: str, most: int) -> str:
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= most else f"{text[: most - 1]}…"


def batches(
    params: Mapping[str, object], figures: Sequence[Figure], tags: Mapping[str, object]
) -> Iterator[Noted]:
    """
    Args:
        params: values by name.
        figures: values of metrics.
        tags: values by name; MLflow takes any name.
    Returns: all of them as a server takes them, in as few calls as it allows.
    """
    texts = [(key(name), param_text(value)) for name, value in params.items()]
    values = [Figure(key(one.name), float(one.value), one.step) for one in figures]
    marks = [(name[:_LONGEST_KEY], tag_text(value)) for name, value in tags.items()]
    rest = (texts, values, marks)
    while any(rest):
        yield Noted(dict(texts[:_PARAMS]), values[:_METRICS], dict(marks[:_TAGS]))
        texts, values, marks = rest = (texts[_PARAMS:], values[_METRICS:], marks[_TAGS:])
