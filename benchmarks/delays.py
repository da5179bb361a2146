"""Latency's arithmetic: when events are meant to be sent, what became of each, percentiles, a table. Pure."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import median

__all__ = ["Delays", "Row", "arrivals", "delays", "percentile", "rows", "table"]

_NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Delays:
    """
    One run of one contestant at one rate.

    Attributes:
        model: which model.
        contestant: who.
        rate: events/s meant to be sent.
        events: measured.
        p50_ms: from the moment an event was meant to be sent to its prediction in a reader's hands.
        p99_ms: of the same.
        max_ms: of the same.
        late_p99_ms: how late the load generator was with its `produce` call; part of the others.
    """

    model: str
    contestant: str
    rate: int
    events: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    late_p99_ms: float


@dataclass(frozen=True, slots=True)
class Row:
    """Medians over the runs of one contestant at one rate, and the p99's spread; attributes as `Delays`'."""

    model: str
    contestant: str
    rate: int
    runs: int
    p50_ms: float
    p99_ms: float
    p99_best_ms: float
    p99_worst_ms: float
    max_ms: float


def arrivals(rate: int, seconds: float, seed: int) -> list[int]:
    """
    When events are meant to be sent: at random, independently of each other and of any answer.

    Args:
        rate: events/s on average.
        seconds: how long, on average.
        seed: the same gives the same moments, so that contestants are asked alike.
    Returns: ns since the start, ascending; rate · seconds of them. Gaps are exponential, so that no
        contestant's own rhythm meets the load's.
    """
    gaps = random.Random(seed)
    return [round(at * 1e9) for at in accumulate(gaps.expovariate(rate) for _ in range(int(rate * seconds)))]


def percentile(ascending: Sequence[int], share: float) -> int:
    """
    The smallest of the values that at least `share` of them don't exceed (nearest rank, never interpolated).

    Args:
        ascending: n ≥ 1 values, sorted.
        share: above 0, at most 1.
    """
    return ascending[math.ceil(share * len(ascending)) - 1]


def delays(
    who: tuple[str, str, int],
    sent_ns: Mapping[int, int],
    seen_ns: Sequence[tuple[int, int]],
    measured_from_ns: int,
) -> Delays:
    """
    Sum up a run.

    Args:
        who: model, contestant, rate.
        sent_ns: per event, named by the moment it was meant to be sent: when it was handed to the client.
        seen_ns: per prediction its event and when a reader had it.
        measured_from_ns: events meant to be sent before this only warmed things up.
    Raises: ValueError when an event has no prediction, or more than one: such a run says nothing.
    """
    arrived = dict(seen_ns)
    if len(arrived) != len(seen_ns) or arrived.keys() != sent_ns.keys():
        raise ValueError(
            f"{who[1]}: {len(seen_ns)} predictions, {len(arrived)} different, of {len(sent_ns)} events"
        )
    meant = [at for at in sent_ns if at >= measured_from_ns]
    waits = sorted(arrived[at] - at for at in meant)
    late = sorted(sent_ns[at] - at for at in meant)
    return Delays(
        *who,
        len(waits),
        percentile(waits, 0.5) / _NS_PER_MS,
        percentile(waits, 0.99) / _NS_PER_MS,
        waits[-1] / _NS_PER_MS,
        percentile(late, 0.99) / _NS_PER_MS,
    )


def rows(runs: Sequence[Delays]) -> list[Row]:
    """Medians by model, rate and contestant, in the order in which these came first."""
    groups: dict[tuple[str, int, str], list[Delays]] = {}
    for run in runs:
        groups.setdefault((run.model, run.rate, run.contestant), []).append(run)
    return [
        Row(
            model,
            contestant,
            rate,
            len(group),
            median(run.p50_ms for run in group),
            median(run.p99_ms for run in group),
            min(run.p99_ms for run in group),
            max(run.p99_ms for run in group),
            median(run.max_ms for run in group),
        )
        for (model, rate, contestant), group in groups.items()
    ]


def table(found: Sequence[Row]) -> str:
    """The rows for people, as Markdown."""
    lines = [
        "| model | events/s | contestant | p50 ms | p99 ms (of runs) | max ms |",
        "|---|--:|---|--:|--:|--:|",
    ]
    for one in found:
        lines.append(
            f"| {one.model} | {one.rate:,} | {one.contestant} | {one.p50_ms:.1f}"
            f" | {one.p99_ms:.1f} ({one.p99_best_ms:.1f}–{one.p99_worst_ms:.1f}) | {one.max_ms:.0f} |"
        )
    return "\n".join(lines)
