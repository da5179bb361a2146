"""On paper: what a race's figures mean for a million events a second, and for a billion predictions. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Assumptions", "Sizes", "brokers", "cores", "dollars"]


@dataclass(frozen=True, slots=True)
class Assumptions:
    """
    What a race can't measure, stated.

    Attributes:
        vcpu_hour: list price of a vCPU for an hour, US dollars; a general-purpose virtual machine's, on demand.
        use: how much of a core may be used at the rate that is asked for; the rest is for peaks and rebalances.
        replicas: of each topic.
        broker_cores: of a broker.
        broker_mb_s: what a broker's network and disk carry, written and read together, MB a second.
    """

    vcpu_hour: float = 0.05
    use: float = 0.6
    replicas: int = 3
    broker_cores: int = 8
    broker_mb_s: float = 600.0


@dataclass(frozen=True, slots=True)
class Sizes:
    """
    What goes through the broker for each event.

    Attributes:
        event_bytes: of an event, with its key.
        prediction_bytes: of a prediction, with its key.
        broker_us: CPU of the one broker for an event read and a prediction written, µs; None: not measured.
    """

    event_bytes: float
    prediction_bytes: float
    broker_us: float | None


def cores(cpu_us: float, per_s: float, use: float) -> float:
    """
    The cores that a rate takes.

    Args:
        cpu_us: CPU time for an event, µs.
        per_s: events a second.
        use: how much of a core may be used, 0 to 1.
    """
    return cpu_us * per_s / 1e6 / use


def dollars(cpu_us: float, events: float, given: Assumptions) -> float:
    """What the CPU time for so many events costs, US dollars, cores used as far as is assumed."""
    return cpu_us * events / 1e6 / 3_600 / given.use * given.vcpu_hour


def brokers(sizes: Sizes, per_s: float, given: Assumptions) -> dict[str, Any]:
    """
    The brokers that a rate takes, by their CPU and by what they carry.

    A producer writes each event, the worker reads it and writes a prediction, one application reads that; each
    replica beyond the first is read from a leader and written once more, and is taken to cost as much as the leader.

    Returns: `mb_s` carried in all, `by_cpu`, `by_mb_s`, and `brokers`: the larger, and no fewer than the replicas.
    """
    written = (sizes.event_bytes + sizes.prediction_bytes) * given.replicas
    read = (sizes.event_bytes + sizes.prediction_bytes) * given.replicas
    mb_s = (written + read) * per_s / 1e6
    # The producers' writes and the readers' reads cost about what the worker's do: twice what was measured.
    by_cpu = cores(2 * (sizes.broker_us or 0.0) * given.replicas, per_s, given.use) / given.broker_cores
    by_mb_s = mb_s / given.broker_mb_s / given.use
    return {
        "mb_s": mb_s,
        "by_cpu": by_cpu,
        "by_mb_s": by_mb_s,
        "brokers": max(given.replicas, -int(-max(by_cpu, by_mb_s) // 1)),
    }
