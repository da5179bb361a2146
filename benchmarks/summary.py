"""The numbers: rates from timestamps, medians of runs, ratios, a table. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

__all__ = ["Run", "Summary", "events_per_s", "ratio", "summaries", "table"]


@dataclass(frozen=True, slots=True)
class Run:
    """
    One run of one contestant.

    Attributes:
        model: which model.
        contestant: who.
        events: predictions written.
        events_per_s: see `events_per_s`.
        cpu_us: CPU time of the contestant's process per event, µs, user and system, start-up excluded.
        startup_s: from the process's start to its first prediction on the broker, seconds.
        peak_mib: largest resident size, MiB.
    """

    model: str
    contestant: str
    events: int
    events_per_s: float
    cpu_us: float
    startup_s: float
    peak_mib: float


@dataclass(frozen=True, slots=True)
class Summary:
    """Medians over the runs of one contestant with one model; attributes as `Run`'s."""

    model: str
    contestant: str
    runs: int
    events: int
    events_per_s: float
    slowest: float
    fastest: float
    cpu_us: float
    startup_s: float
    peak_mib: float


def events_per_s(timestamps_ms: Sequence[int]) -> float:
    """
    The rate at which records arrived.

    Args:
        timestamps_ms: when the broker appended each (LogAppendTime), ms since the epoch; in any order.
    Returns: the records after those of the first moment, by the time from the first to the last moment.
    Raises: ValueError when all arrived in one moment: too few to have a rate.
    """
    first, last = min(timestamps_ms), max(timestamps_ms)
    if first == last:
        raise ValueError(f"{len(timestamps_ms)} records arrived in one millisecond; take more events")
    # The first append's records were made before the first moment: they are no part of what came after it.
    return (len(timestamps_ms) - list(timestamps_ms).count(first)) / (last - first) * 1_000


def summaries(runs: Sequence[Run]) -> list[Summary]:
    """
    Medians by model and contestant.

    Args:
        runs: of any number of models and contestants.
    Returns: one for each pair, in the order in which the pairs came first.
    """
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.model, run.contestant), []).append(run)
    return [_summary(model, contestant, group) for (model, contestant), group in groups.items()]


def _summary(model: str, contestant: str, group: list[Run]) -> Summary:
    rates = [run.events_per_s for run in group]
    return Summary(
        model,
        contestant,
        len(group),
        int(median(run.events for run in group)),
        median(rates),
        min(rates),
        max(rates),
        median(run.cpu_us for run in group),
        median(run.startup_s for run in group),
        median(run.peak_mib for run in group),
    )


def ratio(found: Sequence[Summary], model: str, contestant: str, to: str) -> float | None:
    """
    How one contestant's median rate compares with another's.

    Args:
        found: what `summaries` gave.
        model: the model of both.
        contestant: the one above the line.
        to: the one below.
    Returns: the ratio; None when one of them did not run.
    """
    rates = {one.contestant: one.events_per_s for one in found if one.model == model}
    if contestant not in rates or to not in rates:
        return None
    return rates[contestant] / rates[to]


def table(found: Sequence[Summary], to: str) -> str:
    """
    The summaries for people.

    Args:
        found: what `summaries` gave.
        to: the contestant that the others are compared with.
    Returns: Markdown.
    """
    lines = [
        f"| model | contestant | events/s (of runs) | × {to} | CPU µs/event | first prediction s | peak MiB |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for one in found:
        times = ratio(found, one.model, one.contestant, to)
        lines.append(
            f"| {one.model} | {one.contestant} | {one.events_per_s:,.0f} ({one.slowest:,.0f}–{one.fastest:,.0f})"
            f" | {'–' if times is None else _times(times)} | {one.cpu_us:,.1f} | {one.startup_s:.1f}"
            f" | {one.peak_mib:,.0f} |"
        )
    return "\n".join(lines)


def _times(value: float) -> str:
    return f"{value:.2f}" if value >= 0.1 else f"{value:.4f}"
