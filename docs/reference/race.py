"""docs/race.json, which `python -m benchmarks.race` writes → the tables of docs/performance.md, and the chart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.race.paper import Assumptions, Sizes, brokers, cores, dollars
from docs.reference import race_chart

__all__ = ["RUN", "absent", "chart", "paper", "read", "results"]

RUN = Path(__file__).parents[1] / "race.json"

_MILLION, _BILLION = 1e6, 1e9


def read() -> dict[str, Any]:
    """What the last kept run wrote."""
    found: dict[str, Any] = json.loads(RUN.read_text("utf-8"))
    return found


def _where(run: dict[str, Any]) -> str:
    machine = run["machine"]
    busy = (
        f", which others kept busy (load {machine['load']:.0f})" if machine["load"] > machine["cores"] else ""
    )
    turns = "one turn of each" if run["runs"] == 1 else f"medians of {run['runs']} turns"
    return (
        f"{machine['cores']} cores{busy}, shared with Kafka {machine['kafka']}, {run['events']:,} events "
        f"(fewer for the slowest), {turns}, {run['day']}"
    )


def _by(run: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(one["contestant"], one["model"]): one for one in run["summaries"]}


def _order(run: dict[str, Any]) -> list[str]:
    """Contestants, the fastest with the first model first."""
    found = _by(run)
    model = next(iter(run["models"]))

    def rate(name: str) -> float:
        one = found.get((name, model))
        return 0.0 if one is None else float(one["events_per_s"])

    return sorted((name for name in run["contestants"] if rate(name)), key=rate, reverse=True)


def results(run: dict[str, Any] | None = None) -> str:
    """A table for each model: of the kept run, or of another."""
    run = run or read()
    found = _by(run)
    lines = [f"{_where(run)}: `{run['command']}`.", ""]
    head = (
        "| contestant | after a failure | how | events/s (of turns) | × loop | CPU µs/event | first prediction s "
        "| peak MiB |"
    )
    for model, title in run["models"].items():
        base = found.get(("loop", model))
        lines += [f"With `{model}` ({title}):", "", head, "|---|---|---|--:|--:|--:|--:|--:|"]
        for name in _order(run):
            one = found.get((name, model))
            if one is not None:
                who = run["contestants"][name]
                times = "–" if base is None else _times(one["events_per_s"] / base["events_per_s"])
                rates = f"{one['events_per_s']:,.0f} ({one['slowest']:,.0f}–{one['fastest']:,.0f})"
                lines.append(
                    f"| {who['title']} | {who['guarantee']} | {who['how']} | {rates} | {times} | {one['cpu_us']:,.1f} "
                    f"| {one['startup_s']:.1f} | {one['peak_mib']:,.0f} |"
                )
        lines.append("")
    return "\n".join(lines)


def _times(value: float) -> str:
    return f"{value:.2f}" if value >= 0.1 else f"{value:.4f}"


def absent() -> str:
    """Who takes no part, or failed, and why."""
    run = read()
    lines = ["| contestant | what was tried, and what came of it |", "|---|---|"]
    for title, why in {**run["absent"], **run["failed"]}.items():
        text = " ".join(why.split()).replace("|", "\\|")
        lines.append(f"| {title} | {text} |")
    return "\n".join(lines)


def paper(run: dict[str, Any] | None = None) -> str:
    """What the figures mean for large rates, and what they cost: of the kept run, or of another."""
    run = run or read()
    given, sizes = Assumptions(**run["assumptions"]), Sizes(**run["sizes"])
    lines = [
        f"A vCPU costs ${given.vcpu_hour:.3f} an hour (an assumption: `--vcpu-hour`), and is used to {given.use:.0%}; "
        "a core here is taken for a vCPU. CPU is that of the contestant alone, from the table above.",
        "",
        "| contestant | model | events/s per core, fully used | cores for 1,000,000 events/s | a billion predictions |",
        "|---|---|--:|--:|--:|",
    ]
    found = _by(run)
    for model in run["models"]:
        for name in _order(run):
            one = found.get((name, model))
            if one is not None:
                cpu = one["cpu_us"]
                lines.append(
                    f"| {run['contestants'][name]['title']} | {model} | {1e6 / cpu:,.0f} "
                    f"| {cores(cpu, _MILLION, given.use):,.0f} | ${dollars(cpu, _BILLION, given):,.2f} |"
                )
    return "\n".join([*lines, "", _brokers(sizes, given)])


def _brokers(sizes: Sizes, given: Assumptions) -> str:
    needed = brokers(sizes, _MILLION, given)
    spent = (
        ""
        if sizes.broker_us is None
        else (
            f"; the one broker here spent {sizes.broker_us:.1f} µs of CPU on reading out one and taking in the other, "
            "uncompressed"
        )
    )
    by_cpu = "" if sizes.broker_us is None else f"{needed['by_cpu']:.1f} by their CPU, "
    return (
        f"The brokers: an event is {sizes.event_bytes:.0f} bytes on the topic, a prediction "
        f"{sizes.prediction_bytes:.0f}{spent}. With {given.replicas} replicas, producers, and one reader of the "
        f"predictions, a million events a second are {needed['mb_s']:,.0f} MB/s carried by all brokers together, and "
        f"{needed['brokers']} brokers of {given.broker_cores} cores that carry {given.broker_mb_s:,.0f} MB/s each, "
        f"used to {given.use:.0%}: {by_cpu}{needed['by_mb_s']:.1f} by what they carry. A replica is assumed to cost "
        "what its leader costs; compression, which producers choose, is left out."
    )


def chart(run: dict[str, Any] | None = None) -> str:
    """The SVG, of the kept run or of another."""
    run = run or read()
    found = _by(run)
    bars = []
    for name in _order(run):
        who = run["contestants"][name]
        rates = [found.get((name, model)) for model in run["models"]]
        bars.append(
            race_chart.Bar(
                who["title"],
                who["guarantee"],
                name.startswith("worker"),
                tuple(None if one is None else one["events_per_s"] for one in rates),
            )
        )
    return race_chart.svg(
        "Predictions a second, from Kafka to Kafka", list(run["models"].values()), bars, _where(run)
    )
