"""What can't be scored: kept as it came, with the reason; its neighbours are scored."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from stream.store import PackRequest, pack
from tests.acceptance import visits
from tests.acceptance.process import Setup, Worker
from tests.acceptance.reader import Outputs, Seen, reading
from tests.acceptance.touchy import RAISE, SILENT, Touchy
from tests.acceptance.visits import Event

pytestmark = pytest.mark.kafka

Workers = Callable[..., Worker]
Make = Callable[..., Setup]

GOOD = visits.framed(visits.visit(1))
"""id 1 (02), channel `direct` (0C …), pages 31 (3E), seconds: branch 1 (02) and 8 bytes."""

HEAD = visits.PREFIX
TEXT = b"\x0cdirect"
TAIL = b"\x3e\x02" + struct.pack("<d", 17 / 3)

CORRUPT: dict[str, tuple[bytes | None, str, str]] = {
    "trailing byte": (GOOD + b"\0", "decode", "trailing_bytes"),
    "cut short": (GOOD[:-3], "decode", "truncated"),
    "no body": (HEAD, "decode", "truncated"),
    "empty": (b"", "decode", "not_framed"),
    "not Avro": (b'{"id": 1}', "decode", "not_framed"),
    "registry framing": (b"\0\0\0\0\7" + GOOD[10:], "decode", "wrong_framing"),
    "another schema": (b"\xc3\x01" + b"\x11" * 8 + GOOD[10:], "decode", "unknown_schema"),
    "text not UTF-8": (HEAD + b"\x02" + b"\x04\xff\xfe" + TAIL, "decode", "invalid_utf8"),
    "int beyond 32 bits": (
        HEAD + b"\x02" + TEXT + b"\x80\x80\x80\x80\x20" + TAIL[1:],
        "decode",
        "int_out_of_range",
    ),
    "no such branch": (HEAD + b"\x02" + TEXT + b"\x3e\x04" + TAIL[2:], "decode", "bad_union_index"),
    "negative branch": (HEAD + b"\x02" + TEXT + b"\x3e\x01" + TAIL[2:], "decode", "bad_union_index"),
    "text of negative length": (HEAD + b"\x02" + b"\x01" + TAIL, "decode", "bad_length"),
    "text longer than the value": (HEAD + b"\x02" + b"\xfe\xff\xff\xff\x0f", "decode", "truncated"),
    "null": (None, "decode", "null_value"),
}
"""Per kind of corruption: the value, and the stage and reason that must be told."""


def _mixed() -> list[Event]:
    """Two rounds of every corruption, each between good events, all on one partition so that they share a batch."""
    events: list[Event] = []
    for number, (kind, (value, _, _)) in enumerate([*CORRUPT.items()] * 2):
        headers = [("kind", kind.encode()), ("n", None), ("kind", b"again")]
        events.append(Event(b"bad-%d" % number, value, 1_700_000_000_000 + number, headers, 0))
        events += [Event(b"good", visits.framed(visits.visit(number)), 5, (), 0)] * 20
    return events


def _assert_is(letter: Seen, sent: Event, place: str) -> None:
    """A dead letter is the record as it came, and then our headers."""
    assert (sent.key, sent.value, sent.timestamp_ms) == (letter.key, letter.value, letter.timestamp_ms), place
    assert list(sent.headers) == letter.headers[: len(sent.headers)], place


def test_each_corrupt_event_is_a_dead_letter_of_its_own(
    setup: Setup, workers: Workers, outputs: Outputs
) -> None:
    """Every kind of corruption is a dead letter with the original, place, stage, reason; neighbours are scored."""
    sent = _mixed()
    visits.send(setup.bootstrap, setup.input, sent)
    workers(setup)

    outputs.inputs(len(sent)).to_end()

    assert 0 == outputs.doubled
    assert 2 * len(CORRUPT) == len(outputs.letters)
    for letter in outputs.letters:
        original = sent[letter.origin[1]]
        kind = (original.headers[0][1] or b"").decode()
        _assert_is(letter, original, kind)
        told = letter.header("__connect.errors.stage"), letter.header("stream.error.reason")
        assert CORRUPT[kind][1:] == told, (kind, letter.header("__connect.errors.exception.message"))
        assert setup.input == letter.header("__connect.errors.topic")
        assert letter.header("__connect.errors.exception.class.name")
        assert letter.header("__connect.errors.exception.message")
        assert ("visits@1", "1") == (letter.header("stream.model"), letter.header("stream.error.count"))


@pytest.mark.slow
def test_dead_letter_sent_back_is_counted_once_more(setup: Setup, workers: Workers, outputs: Outputs) -> None:
    """Headers of an earlier round are replaced, the round is counted, the producer's own headers stay."""
    earlier = [("mine", b"1"), ("stream.error.reason", b"old"), ("stream.error.count", b"3")]
    visits.send(setup.bootstrap, setup.input, [Event(None, b"junk", 7, earlier, 2)])
    workers(setup)

    [letter] = outputs.inputs(1).letters

    assert ("not_framed", "4") == (letter.header("stream.error.reason"), letter.header("stream.error.count"))
    assert "1" == letter.header("mine")
    assert (2, 0) == letter.origin


@pytest.mark.slow
def test_rows_that_a_model_raises_on_are_found_one_by_one(
    make: Make, workers: Workers, tmp_path: Path
) -> None:
    """A model that raises, or has no finite answer, loses only the guilty rows."""
    # The package keeps of the events' schema what the model and the prediction need; these events have more.
    (tmp_path / "visit.avsc").write_text(visits.SCHEMA)
    setup = make({"input": {"schema": "visit.avsc"}}, model=_touchy(tmp_path))
    pages = {n: RAISE if n % 50 == 7 else SILENT if n % 80 == 3 else n % 40 for n in range(600)}
    rows = [{**visits.visit(n), "pages": pages[n]} for n in pages]
    visits.send(
        setup.bootstrap, setup.input, [Event(b"%d" % n, visits.framed(row)) for n, row in enumerate(rows)]
    )
    workers(setup)

    with reading(setup.bootstrap, setup.output, setup.dead, setup.package) as outputs:
        outputs.inputs(len(rows)).to_end()

    expected = Counter(pages.values())
    told = Counter(letter.header("__connect.errors.stage") for letter in outputs.letters)
    assert {"score": expected[RAISE] + expected[SILENT]} == told
    raised = [
        seen
        for seen in outputs.letters
        if "I don't get on" in seen.header("__connect.errors.exception.message")
    ]
    assert {"ValueError"} == {seen.header("__connect.errors.exception.class.name") for seen in raised}
    assert expected[RAISE] == len(raised)
    assert {n: 2.0 * p for n, p in pages.items() if p not in (RAISE, SILENT)} == {
        seen.fields["id"]: seen.fields["value"] for seen in outputs.predictions
    }


def _touchy(folder: Path) -> Path:
    wish = PackRequest("touchy", folder / "touchy", carry=("id",))
    pack(Touchy(), wish, schema=visits.SCHEMA)
    return wish.folder


@pytest.mark.slow
@pytest.mark.parametrize("choice", ["skip", "forward"])
def test_null_value_is_dealt_with_as_asked(make: Make, workers: Workers, choice: str) -> None:
    """A tombstone is dropped and counted, or goes on under its key, as `[input] null_value` says."""
    setup = make({"input": {"null_value": choice}})
    tombstone = Event(b"gone", None, 9, [("a", None)])
    visits.send(setup.bootstrap, setup.input, [visits.event(1), tombstone, visits.event(2)])
    worker = workers(setup)

    with reading(setup.bootstrap, setup.output, setup.dead, setup.package) as outputs:
        outputs.inputs(2)
        worker.until(lambda: worker.ready().status()["records"] == 3, 60, "3 records counted")
        outputs.to_end()

    status = worker.status()
    forwarded = [seen for seen in outputs.predictions if seen.value is None]
    assert [] == outputs.letters
    if choice == "skip":
        assert ([], 1, 2) == (forwarded, status["skips"], status["predictions"])
    else:
        assert [(b"gone", 9, [("a", None)])] == [(s.key, s.timestamp_ms, s.headers) for s in forwarded]
        assert (0, 3) == (status["skips"], status["predictions"])


@pytest.mark.slow
def test_prediction_that_its_topic_refuses_is_a_dead_letter(make: Make, workers: Workers) -> None:
    """A record whose own headers make its prediction too large is a dead letter of stage `publish`."""
    setup = make(out={"max.message.bytes": "2000"})
    large = Event(b"b", visits.framed(visits.visit(1)), 5, [("blob", b"x" * 3_000)], 0)
    visits.send(setup.bootstrap, setup.input, [visits.event(1), large, visits.event(2)])
    workers(setup)

    with reading(setup.bootstrap, setup.output, setup.dead, setup.package) as outputs:
        outputs.inputs(3).to_end()

    [letter] = outputs.letters
    _assert_is(letter, large, "too large")
    told = letter.header("__connect.errors.stage"), letter.header("stream.error.reason")
    assert ("publish", "message_too_large") == told
    assert 2 == len(outputs.predictions)


@pytest.mark.slow
def test_timestamp_that_the_broker_refuses_is_a_dead_letter_of_now(make: Make, workers: Workers) -> None:
    """A timestamp that the output topic does not take ends as a dead letter stamped now, never in a loop."""
    limit = {"message.timestamp.after.max.ms": "3600000"}
    setup = make(out=limit, dead=limit, into={"message.timestamp.after.max.ms": str(2**62)})
    far = Event(b"far", visits.framed(visits.visit(1)), 4_000_000_000_000)
    visits.send(setup.bootstrap, setup.input, [visits.event(1), far, visits.event(2)])
    workers(setup)

    with reading(setup.bootstrap, setup.output, setup.dead, setup.package) as outputs:
        outputs.inputs(3).to_end()

    [letter] = outputs.letters
    assert ("publish", "timestamp_refused") == (
        letter.header("__connect.errors.stage"),
        letter.header("stream.error.reason"),
    )
    assert (b"far", far.value) == (letter.key, letter.value)
    assert letter.timestamp_ms < far.timestamp_ms
