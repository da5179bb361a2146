"""What the page is told each second: one object with the same keys for a worker and for the REST service."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal

__all__ = ["FlowView", "ModelView", "Snapshot", "TopicView", "written"]


@dataclass(frozen=True, slots=True)
class ModelView:
    """
    The model that answers.

    Attributes:
        name: `name@version`.
        since_ms: since when it answers.
        created: when it was packed, RFC 3339.
        task: the kind of answer.
        signature: who vouches for it, in a phrase.
        previous: the version before, where one answered.
        swapped_ms: when this one took over; None = none was before.
        refused: the version that did not, and why; None = none.
        metrics: of its training.
    """

    name: str
    since_ms: int
    created: str
    task: str
    signature: str
    previous: str | None
    swapped_ms: int | None
    refused: str | None
    metrics: Mapping[str, float | int | str]


@dataclass(frozen=True, slots=True)
class TopicView:
    """A topic; partitions None = not known yet."""

    name: str
    partitions: int | None


@dataclass(frozen=True, slots=True)
class FlowView:
    """The three topics of a worker."""

    input: TopicView
    output: TopicView
    dead_letters: TopicView


@dataclass(frozen=True, slots=True)
class Snapshot:
    """
    One moment. None = not known, or there is no such thing; times are milliseconds since the epoch.

    Attributes:
        kind: of process.
        at_ms: now.
        started_ms: when the process began.
        group: the consumer group.
        instance: the process' name.
        version: of this program.
        state: in a word.
        ready: whether it can do its work.
        lacking: why not.
        guarantee: of delivery.
        redacted: whether values are kept back.
        model: that answers.
        flow: the topics.
        now: rates and times of the last seconds.
        history: the same over a quarter of an hour.
        totals: since the start.
        scores: the answers' distribution, now and of the golden rows.
        latest: predictions, the newest first.
        dead_letters: by reason, and the newest.
        partitions: of the input, across the group.
        transactions: or commits, by outcome.
        requests: of the REST service.
    """

    kind: Literal["worker", "service"]
    at_ms: int
    started_ms: int
    group: str | None
    instance: str | None
    version: str
    state: str
    ready: bool
    lacking: Sequence[str]
    guarantee: str | None
    redacted: bool
    model: ModelView
    flow: FlowView | None
    now: Mapping[str, float | None]
    history: Mapping[str, object]
    totals: Mapping[str, int]
    scores: Mapping[str, object] | None
    latest: Sequence[Mapping[str, object]]
    dead_letters: Mapping[str, object]
    partitions: Sequence[Mapping[str, object]] | None
    transactions: Mapping[str, int | None] | None
    requests: Mapping[str, object] | None


def written(snapshot: Snapshot) -> bytes:
    """A snapshot as one line of JSON, in ASCII; numbers that JSON doesn't know are null."""
    try:
        return _json(snapshot)
    except ValueError:  # an infinity, or no number: seldom, and looked for only then
        return _json(_finite(snapshot))


def _json(value: object) -> bytes:
    text = json.dumps(value, default=_object, allow_nan=False, separators=(",", ":"))
    return text.encode("ascii")


def _object(value: Any) -> dict[str, object]:
    """A part of a snapshot as JSON's object."""
    if isinstance(value, Mapping):
        return dict(value)
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _finite(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if is_dataclass(value) or isinstance(value, Mapping):
        return {str(name): _finite(each) for name, each in _object(value).items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return value
