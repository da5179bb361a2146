"""A dead letter: what its headers say, and what is read of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.deadletter import HEADERS, Author, Letter
from stream.records import Batch, DeadLetter, Headers, Place
from stream.testing import batch_of

FAILURE = DeadLetter("decode", "trailing_bytes", "DecodeError", "3 bytes are left over after the record")

AUTHOR = Author("scorer", 3)


def record(headers: Headers | None = None, offset: int = 41) -> Batch:
    """One record of partition 2 of topic `in`."""
    batch = batch_of([b"value"], partition=2, first_offset=offset)
    batch.headers = [headers]
    return batch


def letter(headers: Headers | None = None, failure: DeadLetter = FAILURE, *, redact: bool = False) -> Letter:
    """What becomes of a record that has these headers."""
    return Letter.for_failure(failure, record(headers), 0, "m@1", AUTHOR, redact=redact)


TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
NUMBER = st.integers(0, 2**31 - 1)
BYTES = st.none() | st.binary(max_size=20)
LETTERS = st.builds(
    Letter,
    key=BYTES,
    value=BYTES,
    timestamp_ms=NUMBER,
    headers=st.lists(st.tuples(TEXT.filter(lambda name: name not in HEADERS), BYTES), max_size=3),
    topic=st.none() | TEXT,
    partition=st.none() | NUMBER,
    offset=st.none() | NUMBER,
    connector=st.none() | TEXT,
    task=st.none() | NUMBER,
    stage=st.none() | TEXT,
    reason=st.none() | TEXT,
    exception=st.none() | TEXT,
    message=st.none() | TEXT,
    model=st.none() | TEXT,
    count=st.none() | NUMBER,
)


@pytest.mark.parametrize(
    ("instance", "task"),
    [
        ("scorer-0", 0),
        ("scorer-12", 12),
        ("host.6066", 6066),
        ("a", 0),
        ("7b", 0),
        ("x" + "9" * 30, 999_999_999),
    ],
)
def test_task_is_the_number_that_the_worker_s_name_ends_with(instance: str, task: int) -> None:
    """Connect's is a small number in decimal text, and tools read it as one."""
    assert Author("g", task) == Author.of_worker("g", instance)


class TestHeaders:
    """What is added, kept and replaced."""

    def test_first_round(self) -> None:
        """The original's headers come first, untouched; ours follow, numbers as decimal text."""
        original = [("trace", b"\x00\xff"), ("trace", None)]

        found = letter(original).wire_headers()

        assert original == found[:2]
        assert {
            "__connect.errors.topic": b"in",
            "__connect.errors.partition": b"2",
            "__connect.errors.offset": b"41",
            "__connect.errors.connector.name": b"scorer",
            "__connect.errors.task.id": b"3",
            "__connect.errors.stage": b"decode",
            "__connect.errors.exception.class.name": b"DecodeError",
            "__connect.errors.exception.message": b"3 bytes are left over after the record",
            "stream.error.reason": b"trailing_bytes",
            "stream.error.count": b"1",
            "stream.model": b"m@1",
        } == dict(found[2:])

    def test_people_are_shown_the_part_after_connect_s_prefix(self) -> None:
        """The names are those of `stream watch`; a header that is absent is left out."""
        assert {
            "topic": "in",
            "partition": "2",
            "offset": "41",
            "connector.name": "scorer",
            "task.id": "3",
            "stage": "decode",
            "exception.class.name": "DecodeError",
            "exception.message": "3 bytes are left over after the record",
            "stream.error.reason": "trailing_bytes",
            "stream.error.count": "1",
            "stream.model": "m@1",
        } == letter().described()
        assert {} == Letter.parse([("mine", b"1")]).described()

    def test_second_round_replaces_ours_and_counts(self) -> None:
        """Headers of an earlier round are replaced, none doubled, and the count is one higher."""
        first = Letter.for_failure(FAILURE, record([("a", b"b")], offset=1), 0, "m@0", AUTHOR, redact=False)

        second = letter(first.wire_headers())

        names = [name for name, _ in second.wire_headers()]
        assert len(names) == len(set(names))
        assert (2, Place("in", 2, 41), "m@1") == (second.count, second.place, second.model)

    def test_count_that_is_not_a_number_starts_anew(self) -> None:
        """A foreign value in our header can't break the dead letter."""
        for foreign in (b"\xffmany", "²".encode(), b"", None):
            assert 1 == letter([("stream.error.count", foreign)]).count

    def test_redacted_message_quotes_nothing(self) -> None:
        """With redaction the text, which may quote the payload, is left out; the reason stays."""
        assert "redacted (trailing_bytes)" == letter(redact=True).message

    def test_long_message_is_cut(self) -> None:
        """However long an error's text, the headers fit the room that the topic gives them."""
        long = DeadLetter("score", "model_raised", "ValueError", "x" * 1_000_000)

        found = letter(failure=long).wire_headers()

        assert sum(len(name) + len(value or b"") for name, value in found) < 65_536


class TestReading:
    """A record of the dead-letter topic."""

    @given(LETTERS)
    def test_what_was_written_is_read(self, written: Letter) -> None:
        """Every part survives the topic, whatever it holds, and what is absent stays absent."""
        key, value, stamp = written.key, written.value, written.timestamp_ms

        read = Letter.read(Batch("dead", [0], [7], [stamp], [key], [value], [written.wire_headers()]), 0)

        assert written == read

    def test_record_is_that_of_the_input(self) -> None:
        """Key, value and timestamp are the original's."""
        found = letter()

        assert (b"k41", b"value", 1_041) == (found.key, found.value, found.timestamp_ms)

    def test_place_is_known_when_all_of_it_is_said(self) -> None:
        """A record that somebody else wrote to the topic may say less, or nonsense."""
        assert Place("in", 2, 41) == letter().place
        headers = letter().wire_headers()
        for missing in ("topic", "partition", "offset"):
            name = f"__connect.errors.{missing}"
            assert Letter.parse([header for header in headers if header[0] != name]).place is None
        assert Letter.parse([*headers, ("__connect.errors.offset", b"-1")]).place is None
