"""One outcome for each record, in order, wherever it fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pytest

from stream.codec import Decoded
from stream.pipeline import NullValue, Observer, Pipeline
from stream.records import Batch, DeadLetter, Headers, Outcome, Prediction, Skip
from stream.scoring import Scored
from stream.telemetry import Metrics, RowCount


def fault(stage: str) -> DeadLetter:
    """A dead letter that names its stage."""
    return DeadLetter("score", stage, "Fault", stage)


@dataclass(frozen=True)
class Steps:
    """Texts as columns: `d…` does not decode, `s…` is not scored, `e…` is not encoded; `m…` to `z…` are m@2's."""

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
        label = pa.array([texts[i].upper() for i in rows], pa.string())
        models = pa.array(["m@1" if texts[i] < "m" else "m@2" for i in rows], pa.string())
        return Scored(rows, {"label": label}, models, faults)

    def encode(self, columns: Mapping[str, pa.Array]) -> list[bytes | DeadLetter]:
        """See `Encoder.encode`."""
        names = ("carried", "label", "model", "source_partition", "source_offset")
        rows = zip(*(columns[name].to_pylist() for name in names), strict=True)
        return [fault("encode") if row[0].startswith("e") else repr(row).encode() for row in rows]


@dataclass
class Notes:
    """Keeps what it was told."""

    seen: list[tuple[list[str], Scored]] = field(default_factory=list)

    def saw(self, columns: Mapping[str, pa.Array], scored: Scored) -> None:
        """See `Observer.saw`."""
        self.seen.append((columns["text"].to_pylist(), scored))


def batch_of(values: Sequence[bytes | None]) -> Batch:
    """The values at offsets 10, 11, … of partition 3."""
    n = len(values)
    return Batch("in", [3] * n, list(range(10, 10 + n)), [0] * n, [None] * n, list(values), [None] * n)


def process(
    *values: bytes | None, null_value: NullValue = "dead-letter", observer: Observer | None = None
) -> list[Outcome]:
    """What becomes of values."""
    steps = Steps()
    pipeline = Pipeline(steps, steps, steps, "m@1", {"text": "carried"}, null_value, observer)
    return pipeline.process(batch_of(values))


def prediction(text: str, offset: int, model: str = "m@1") -> Prediction:
    """What a sound record of this text becomes."""
    return repr((text, text.upper(), model, 3, offset)).encode()


def test_sound_records_become_predictions_of_themselves() -> None:
    """Carried fields, answer, model, partition and offset are each record's own."""
    assert [prediction("a", 10), prediction("b", 11)] == process(b"a", b"b")


def test_every_kind_of_fault_stays_at_its_record() -> None:
    """Between faults of each step and a null, the sound records keep their places."""
    null = DeadLetter("decode", "null_value", "stream.errors.RecordError", "the record has no value")
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


@pytest.mark.parametrize(("null_value", "outcome"), [("forward", None), ("skip", Skip("null_value"))])
def test_null_becomes_what_the_settings_say(null_value: NullValue, outcome: Outcome) -> None:
    """Nulls alone, and beside a record that is scored."""
    assert [outcome] == process(None, null_value=null_value)
    assert [outcome, prediction("a", 11)] == process(None, b"a", null_value=null_value)


def test_empty_batch_has_no_outcomes() -> None:
    """No step is asked."""
    assert [] == process()


def test_each_prediction_names_the_model_that_gave_it() -> None:
    """Two versions may answer in one batch."""
    assert [prediction("a", 10), prediction("n", 11, "m@2"), prediction("b", 12)] == process(b"a", b"n", b"b")


def test_observer_is_told_once_of_a_batch() -> None:
    """The columns that were scored, with an answer or a fault for each row; neither nulls nor what doesn't decode."""
    notes = Notes()

    process(b"a", b"d", None, b"s", b"b", observer=notes)

    ((texts, scored),) = notes.seen
    assert ["a", "s", "b"] == texts
    assert [0, 2] == list(scored.rows)
    assert [1] == list(scored.faults)
    assert [2, 2] == [len(scored.columns["label"]), len(scored.models)]


def test_row_count_counts_what_the_model_was_asked_for() -> None:
    """Answers and faults of the model; not what never came to it."""
    metrics = Metrics()

    for values in ([b"a", b"d", None, b"s", b"b"], [b"c"]):
        process(*values, observer=RowCount(metrics))

    assert {"prediction": 3.0, "error": 1.0} == metrics.by("stream_rows_total", "result")


def test_observer_is_not_told_of_a_batch_in_which_nothing_decodes() -> None:
    """Nor of an empty one: the model was not asked."""
    notes = Notes()

    process(b"d", None, observer=notes)
    process(observer=notes)

    assert [] == notes.seen


@pytest.mark.parametrize("count", [1, 100])
def test_nobody_to_tell_costs_one_look_a_batch(count: int) -> None:
    """However many records it has."""
    looks: list[str] = []

    class Watched(Pipeline):
        def __getattribute__(self, name: str) -> object:
            looks.append(name)
            return super().__getattribute__(name)

    steps = Steps()
    Watched(steps, steps, steps, "m@1", {"text": "carried"}).process(batch_of([b"a"] * count))

    assert 1 == looks.count("observer")
