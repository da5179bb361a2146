"""The W3C's trace context in headers."""

from __future__ import annotations

import pytest

from stream.records import Headers
from stream.tracing.trace_context import Parent, continued, marked_sampled, parent_of, traceparent

TRACE, SPAN = 0x4BF92F3577B34DA6A3CE929D0E0E4736, 0x00F067AA0BA902B7
GIVEN = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
NEW = traceparent(TRACE, 0xB7)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (GIVEN, Parent(TRACE, SPAN, 1)),
        (GIVEN[:-2] + b"00", Parent(TRACE, SPAN, 0)),
        (b"cc" + GIVEN[2:], Parent(TRACE, SPAN, 1)),
        (b"cc" + GIVEN[2:] + b"-what-may-come", Parent(TRACE, SPAN, 1)),
        (GIVEN + b"-more", None),
        (b"cc" + GIVEN[2:] + b".more", None),
        (b"ff" + GIVEN[2:], None),
        (GIVEN.upper(), None),
        (b"00-" + b"0" * 32 + GIVEN[35:], None),
        (GIVEN[:36] + b"0" * 16 + b"-01", None),
        (GIVEN + b"\n", None),
        (b"", None),
        (b"\xff\x00", None),
    ],
)
def test_traceparent_is_read_as_the_specification_says(value: bytes, expected: Parent | None) -> None:
    """What it does not allow is no context, and no error."""
    assert expected == parent_of(value)


def test_quick_look_finds_what_says_sampled() -> None:
    """It may say yes to what can't be parsed, never no to what is sampled."""
    values = (GIVEN, GIVEN[:-2] + b"03", GIVEN[:-2] + b"00", GIVEN[:-2] + b"02", b"", None, b"x" * 54 + b"1")

    assert [True, True, False, False, False, False, True] == [marked_sampled(value) for value in values]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (None, [("traceparent", NEW)]),
        ([], [("traceparent", NEW)]),
        ([("a", b"1")], [("a", b"1"), ("traceparent", NEW)]),
        ([("traceparent", GIVEN), ("a", None)], [("traceparent", NEW), ("a", None)]),
        (
            [
                ("traceparent", b"old"),
                ("a", b"1"),
                ("traceparent", GIVEN),
                ("tracestate", b"k=v"),
                ("a", b"2"),
            ],
            [("a", b"1"), ("traceparent", NEW), ("tracestate", b"k=v"), ("a", b"2")],
        ),
    ],
)
def test_new_parent_takes_the_place_of_the_last(headers: Headers | None, expected: Headers) -> None:
    """Everything else stays as it was, in order: duplicates, nulls and `tracestate` too."""
    assert expected == continued(headers, NEW)


def test_traceparent_of_a_span_says_sampled_and_keeps_other_flags() -> None:
    """What is written can be read back."""
    assert Parent(5, 7, 3) == parent_of(traceparent(5, 7, 2))
