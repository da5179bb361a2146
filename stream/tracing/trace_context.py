"""
The context of a trace, as it travels in headers: which trace, which span is the parent, whether it is sampled.

Source: W3C Trace Context, https://www.w3.org/TR/trace-context/.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from stream.records import Headers

__all__ = ["TRACEPARENT", "TRACESTATE", "Parent", "continued", "marked_sampled", "parent_of", "traceparent"]

TRACEPARENT, TRACESTATE = "traceparent", "tracestate"

_FORM = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.S)

_LENGTH = 55
"""Bytes of version 00; later versions may append more, after another hyphen."""

_ODD = frozenset(b"13579bdf")
"""The last digit of flags whose lowest bit, *sampled*, is set."""

_SAMPLED = 1


@dataclass(frozen=True, slots=True)
class Parent:
    """
    The span that a record or request comes from.

    Attributes:
        trace_id: 128 bits, not 0.
        span_id: 64 bits, not 0.
        flags: 8 bits.
    """

    trace_id: int
    span_id: int
    flags: int


def marked_sampled(value: bytes | None) -> bool:
    """Whether a `traceparent` may say *sampled*: a quick look, before it is parsed."""
    return value is not None and len(value) >= _LENGTH and value[_LENGTH - 1] in _ODD


def parent_of(value: bytes) -> Parent | None:
    """What a `traceparent` says; None for one that can't be read."""
    found = _FORM.fullmatch(value)
    if found is None or found[1] == b"ff" or (found[1] == b"00" and found[5] is not None):
        return None
    parent = Parent(int(found[2], 16), int(found[3], 16), int(found[4], 16))
    return parent if parent.trace_id and parent.span_id else None


def traceparent(trace_id: int, span_id: int, flags: int = _SAMPLED) -> bytes:
    """The header's value, of version 00."""
    return b"00-%032x-%016x-%02x" % (trace_id, span_id, flags | _SAMPLED)


def continued(headers: Headers | None, value: bytes) -> Headers:
    """
    The headers of what is sent on.

    Args:
        headers: of the record that came.
        value: the new `traceparent`.
    Returns: the headers with it: once, in the place of the last one that was there, else at the end. All others stay,
        `tracestate` too.
    """
    kept: Sequence[tuple[str, bytes | None]] = headers or ()
    last = max((i for i, (name, _) in enumerate(kept) if name == TRACEPARENT), default=len(kept))
    return [
        *(each for each in kept[:last] if each[0] != TRACEPARENT),
        (TRACEPARENT, value),
        *kept[last + 1 :],
    ]
