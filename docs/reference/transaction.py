"""The transaction's tables → a diagram, and decisions with their error codes."""

from __future__ import annotations

from confluent_kafka import KafkaError

from stream.transport.decisions import DECISIONS, Decision
from stream.worker.phases import MOVES, Event, Phase

__all__ = ["decisions", "diagram"]

_WITHOUT = {Event.STOPPED}
"""Leads from everywhere to the end: said once beside the diagram."""


def diagram() -> str:
    """The table of phases as a Mermaid state diagram."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {Phase.NEW.value}"]
    for (phase, event), following in MOVES.items():
        if event not in _WITHOUT and phase is not following:
            lines.append(f"    {phase.value} --> {following.value}: {event.value}")
    lines += [f"    {Phase.FENCED.value} --> [*]", "```", ""]
    lines.append(f"From every phase, a stop leads to `{Phase.ENDED.value}`.")
    return "\n".join(lines)


def decisions() -> str:
    """Every decision, and the codes that ask for it."""
    names = {
        getattr(KafkaError, name): name
        for name in dir(KafkaError)
        if name.isupper() and isinstance(getattr(KafkaError, name), int)
    }
    lines = ["| decision | error codes of librdkafka |", "|---|---|"]
    for decision in Decision:
        codes = [f"`{names[code]}`" for code, chosen in DECISIONS.items() if chosen is decision]
        lines.append(f"| {decision.value} | {' '.join(codes)} |")
    return "\n".join(lines)
