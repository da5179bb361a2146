"""Events spoiled on purpose, the same ones in every run, so that a newcomer sees what dead letters say."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

from stream.codec import confluent_prefix

__all__ = ["KINDS", "SEED", "choose"]

SEED = 2013

SHARE = 1 / 1_000
"""Of the events."""

AT_LEAST = 6
"""However few events there are (but never more than a tenth of them)."""

PREFIX_BYTES = 10
"""Before the Avro: single-object encoding's marker and fingerprint."""


def _truncated(value: bytes, key: str) -> bytes:
    return value[: PREFIX_BYTES + (len(value) - PREFIX_BYTES) // 2]


def _trailing(value: bytes, key: str) -> bytes:
    return value + b"\x00\x00\x00"


def _unknown(value: bytes, key: str) -> bytes:
    return value[:2] + bytes(byte ^ 0xFF for byte in value[2:PREFIX_BYTES]) + value[PREFIX_BYTES:]


def _json(value: bytes, key: str) -> bytes:
    return json.dumps({"flight_id": key}).encode()


def _confluent(value: bytes, key: str) -> bytes:
    return confluent_prefix(1) + value[PREFIX_BYTES:]


def _not_utf8(value: bytes, key: str) -> bytes:
    # The first field is the flight's id: one byte of length (22 to 25 characters), then its text.
    start = PREFIX_BYTES + 1
    return value[:start] + b"\xff" + value[start + 1 :]


KINDS: dict[str, Callable[[bytes, str], bytes]] = {
    "truncated": _truncated,
    "unknown_schema": _unknown,
    "trailing_bytes": _trailing,
    "not_framed": _json,
    "wrong_framing": _confluent,
    "invalid_utf8": _not_utf8,
}
"""By the reason that the dead letter gives: what spoils an event in single-object encoding, its flight's id known."""


def choose(count: int, seed: int = SEED) -> dict[int, str]:
    """
    Which of the events are to be spoiled, and how.

    Args:
        count: of events.
        seed: the same seed gives the same answer.
    Returns: kind by position, spread over all events; every kind comes before one comes again.
    """
    spoiled = min(count // 10, max(AT_LEAST, round(count * SHARE)))
    positions = sorted(random.Random(seed).sample(range(count), spoiled))
    kinds = list(KINDS)
    return {position: kinds[i % len(kinds)] for i, position in enumerate(positions)}
