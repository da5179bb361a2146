"""One outcome for each record, in order, wherever it fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pytest

from stream.codec import Decoded
from stream.pipeline import NullValue, Pipeline
from stream.records import Batch, DeadLetter, Headers, Outcome, Prediction, Skip
from stream.scoring import Scored


def fault(stage: str) -> DeadLetter:
    """A dead letter that names its stage."""
    return DeadLetter("score", stage, "Fault", stage)


@dataclass(frozen=True)
class Steps:
    """Texts as columns: `d…` does not decode, `s…` is not scored, `e…` is not encoded."""

    def decode(self, values: Sequence[bytes], headers: Sequence[Headers | None] | None = None) -> Decoded:
        """See `Decoder.decode`."""
        rows = [i for i, value in enumerate(values) if not value.startswith(b"d")]
        faults = {i: fault("decode") for i in range(len(values)) if i not in rows}
        return Decoded(rows, {"text": pa.array([values[i].decode() for i in rows], pa.string())}, faults)

    def score(self, columns: Mapping[str, pa.Array], n: int) -> Scored:
        """See `Model.score`."""
        texts = columns["text"].to_pylist()
        rows = [i for i, text in enumerate(texts) if not text.startswith("s")]
        faults = {i: fault("score") for i in range(n) if i not in rows}
        return Scored(rows, {"label": pa.array([texts[i].upper() for i in rows], pa.string())}, faults)

    def encode(self, columns: Mapping[str, pa.Array]) -> list[bytes | DeadLetter]:
        """See `Encoder.encode`."""
        names = ("carried", "label", "model", "source_partition", "source_offset")
        rows = zip(*(columns[name].to_pylist() for name in names), strict=True)
        return [fault("encode") if row[0].startswith("e") else repr(row).encode() for row in rows]


def process(*values: bytes | None, null_value: NullValue = "dead-letter") -> list[Outcome]:
    """What becomes of values at offsets 10, 11, … of partition 3."""
    n = len(values)
    batch = Batch("in", [3] * n, list(range(10, 10 + n)), [0] * n, [None] * n, list(values), [None] * n)
    steps = Steps()
    return Pipeline(steps, steps, steps, "m@1", {"text": "carried"}, null_value).process(batch)


def prediction(text: str, offset: int) -> Prediction:
    """What a sound record of this text becomes."""
    return Prediction(repr((text, text.upper(), "m@1", 3, offset)).encode())


def test_sound_records_become_predictions_of_themselves() -> None:
    """Carried fields, answer, model, partition and offset are each record's own."""
    assert [prediction("a", 10), prediction("b", 11)] == process(b"a", b"b")


def test_every_kind_of_fault_stays_at_its_record() -> None:
    """Between faults of each step and a null, the sound records keep their places."""
    null = DeadLetter("decode", "null_value", "NullValue", "the record has no value")
    found = process(b"a", b"d", b"s", None, b"e", b"b", b"s", b"c")

    assert [
        prediction("a", 10),
        fault("decode"),
        fault("score"),
        null,
        fault("encode"),
        prediction("b", 15),
        fault("score"),
        prediction("c", 17),
    ] == found


@pytest.mark.parametrize("value", [b"d", b"s", b"e"])
def test_batch_that_fails_whole_has_a_dead_letter_each(value: bytes) -> None:
    """When one step keeps no row, the steps after it aren't asked for none."""
    assert [DeadLetter] * 3 == [type(outcome) for outcome in process(value, value, value)]


@pytest.mark.parametrize(
    ("null_value", "outcome"), [("forward", Prediction(None)), ("skip", Skip("null_value"))]
)
def test_null_becomes_what_the_settings_say(null_value: NullValue, outcome: Outcome) -> None:
    """Nulls alone, and beside a record that is scored."""
    assert [outcome] == process(None, null_value=null_value)
    assert [outcome, prediction("a", 11)] == process(None, b"a", null_value=null_value)


def test_empty_batch_has_no_outcomes() -> None:
    """No step is asked."""
    assert [] == process()
