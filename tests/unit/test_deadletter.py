"""The headers of a dead letter."""

from __future__ import annotations

from stream.deadletter import describe, headers_of
from stream.errors import Place
from stream.records import DeadLetter

LETTER = DeadLetter("decode", "trailing_bytes", "DecodeError", "3 bytes are left over after the record")
PLACE = Place("in", 2, 41)


class TestHeaders:
    """What is added, kept and replaced."""

    def test_first_round(self) -> None:
        """The original's headers come first, untouched; ours follow, numbers as decimal text."""
        original = [("trace", b"\x00\xff"), ("trace", None)]

        found = headers_of(LETTER, PLACE, "m@1", original, redact=False)

        assert original == found[:2]
        assert {
            "topic": "in",
            "partition": "2",
            "offset": "41",
            "stage": "decode",
            "exception.class.name": "DecodeError",
            "exception.message": "3 bytes are left over after the record",
            "stream.error.reason": "trailing_bytes",
            "stream.error.count": "1",
            "stream.model": "m@1",
        } == describe(found)

    def test_second_round_replaces_ours_and_counts(self) -> None:
        """Headers of an earlier round are replaced, none doubled, and the count is one higher."""
        first = headers_of(LETTER, Place("in", 0, 1), "m@1", [("a", b"b")], redact=False)

        second = headers_of(LETTER, PLACE, "m@2", first, redact=False)

        names = [name for name, _ in second]
        assert len(names) == len(set(names))
        assert ("2", "41", "m@2") == tuple(
            describe(second)[name] for name in ("stream.error.count", "offset", "stream.model")
        )

    def test_count_that_is_no_number_starts_anew(self) -> None:
        """A foreign value in our header can't break the dead letter."""
        found = headers_of(LETTER, PLACE, "m@1", [("stream.error.count", b"\xffmany")], redact=False)

        assert "1" == describe(found)["stream.error.count"]

    def test_redacted_message_quotes_nothing(self) -> None:
        """With redaction the text, which may quote the payload, is left out; the reason stays."""
        found = describe(headers_of(LETTER, PLACE, "m@1", None, redact=True))

        assert "redacted (trailing_bytes)" == found["exception.message"]

    def test_long_message_is_cut(self) -> None:
        """However long an error's text, the headers fit the room that the topic gives them."""
        letter = DeadLetter("score", "model_raised", "ValueError", "x" * 1_000_000)

        found = headers_of(letter, PLACE, "m@1", None, redact=False)

        assert sum(len(name) + len(value or b"") for name, value in found) < 65_536
