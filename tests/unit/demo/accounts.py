"""A small feed and what comes back of it."""

from __future__ import annotations

from stream.deadletter import Letter
from stream.demo.feed import Feed
from stream.demo.ledger import Ledger
from stream.tasks import Message

__all__ = ["dead_letter", "ledger_of", "row"]


def ledger_of(*outcomes: bool | None) -> Ledger:
    """Accounts of as many flights, `f0`, `f1` …, each sent at second 10."""
    ids = [f"f{i}" for i in range(len(outcomes))]
    feed = Feed(
        [Message(i.encode(), b"event") for i in ids],
        dict(zip(ids, outcomes, strict=True)),
        dict.fromkeys(ids, 5.0),
        {},
    )
    return Ledger(feed, dict.fromkeys(ids, 10.0))


def row(flight_id: str, score: float) -> dict[str, object]:
    """A prediction's fields."""
    return {"flight_id": flight_id, "origin": "JFK", "dest": "ORD", "score": score, "label": score >= 0.5}


def dead_letter(flight_id: str, message: str) -> Letter:
    """A flight's dead letter."""
    return Letter(flight_id.encode(), b"", 0, stage="decode", reason="truncated", message=message)
