"""The trace through a worker: from the headers of what comes to the headers of what goes, and the spans between."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanKind, StatusCode

from stream.errors import Aborted
from stream.records import Batch, Headers
from stream.settings import InputSettings, KafkaSettings, OutputSettings, Settings, TelemetrySettings
from stream.telemetry import Metrics
from stream.testing import Sent, batch_of
from stream.tracing import ATTRIBUTES, BatchSpans
from stream.tracing.span_queue import SpanQueue
from stream.tracing.trace_context import Parent, parent_of, traceparent
from stream.worker.span import ScoredBatch
from tests.unit.worker.rig import AtLeastOnceRig, ExactlyOnceRig

TRACE = 0x4BF92F3577B34DA6A3CE929D0E0E4736
GIVEN = ("traceparent", traceparent(TRACE, 0xABC))
STATE = ("tracestate", b"vendor=1,other=2")

Rigs = type[AtLeastOnceRig] | type[ExactlyOnceRig]
RIGS = pytest.mark.parametrize("rigs", [AtLeastOnceRig, ExactlyOnceRig])


def tracing(sample: float = 0.0, most: int = 1_000) -> tuple[BatchSpans, Callable[[], list[ReadableSpan]]]:
    """What makes spans, and what it has made."""
    queue = SpanQueue(Metrics(), Resource({}), InstrumentationScope("test"))
    settings = Settings(
        kafka=KafkaSettings(group="group"),
        input=InputSettings("in"),
        output=OutputSettings("out"),
        telemetry=TelemetrySettings(traces=True, sample=sample, max_per_second=most),
    )
    return BatchSpans(queue, settings), queue.take


def records(values: Sequence[bytes | None], headers: Sequence[Headers | None], first: int = 0) -> Batch:
    """A batch whose records have headers."""
    batch = batch_of(values, first_offset=first)
    batch.headers = list(headers)
    return batch


def parent(sent: Sent) -> Parent:
    """What a record's only `traceparent` says."""
    [value] = [value for name, value in sent.headers if name == "traceparent"]
    found = parent_of(value or b"")
    assert found is not None
    return found


@RIGS
def test_prediction_carries_the_span_of_its_record(rigs: Rigs) -> None:
    """Its parent is what the record brought; everything else in the headers is as it came."""
    spans, made = tracing()
    rig = rigs(records([b"a"], [[("a", b"1"), GIVEN, STATE, ("a", None)]]), spans=spans).run()

    [sent] = rig.sink.on("out")
    of_record = made()[0]
    assert [("a", b"1"), sent.headers[1], STATE, ("a", None)] == sent.headers
    assert Parent(TRACE, of_record.context.span_id, 1) == parent(sent)
    assert of_record.parent is not None
    assert (0xABC, True) == (of_record.parent.span_id, of_record.parent.is_remote)
    assert {"vendor": "1", "other": "2"} == dict(of_record.context.trace_state)
    assert ("process in", SpanKind.CONSUMER) == (of_record.name, of_record.kind)


@RIGS
def test_batch_has_spans_that_link_to_its_records(rigs: Rigs) -> None:
    """One *process* span linked to where its records come from, *send* below it, *commit* linked to both batches."""
    spans, made = tracing()
    rig = rigs(
        records([b"a", b"b"], [[GIVEN], None]), records([b"c"], [[GIVEN]], first=2), span_s=60.0, spans=spans
    ).run()

    found = made()
    batches = [span for span in found if "messaging.batch.message_count" in (span.attributes or {})]
    names = [span.name for span in batches]
    assert ["process in", "send out", "process in", "send out", "commit in"] == names
    assert [2, 2, 1, 1, 3] == [(s.attributes or {})["messaging.batch.message_count"] for s in batches]
    first, sent, second, _, commit = batches
    assert [0xABC] == [link.context.span_id for link in first.links]
    assert sent.parent == first.context
    assert first.context.trace_id == sent.context.trace_id != commit.context.trace_id
    assert [first.context, second.context] == [link.context for link in commit.links]
    of_record = found[0]
    assert [of_record.context] == [link.context for link in sent.links]
    assert [first.context] == [link.context for link in of_record.links]
    assert [b"a", b"b", b"c"] == rig.values("out")


@RIGS
def test_untraced_records_make_no_span_and_go_on_as_they_came(rigs: Rigs) -> None:
    """Not sampled, not readable, or without a trace while none begins here."""
    spans, made = tracing()
    given: list[Headers | None] = [
        [("traceparent", GIVEN[1][:-2] + b"00"), STATE],
        [("traceparent", b"nonsense")],
        [("traceparent", None)],
        None,
    ]
    rig = rigs(records([b"a", b"b", b"c", b"d"], given), spans=spans).run()

    assert [list(each or ()) for each in given] == [sent.headers for sent in rig.sink.on("out")]
    assert [] == made()


@RIGS
def test_headers_arrive_untouched_without_spans(rigs: Rigs) -> None:
    """On predictions, and before our own headers on dead letters."""
    given = [("a", b"1"), GIVEN, STATE, GIVEN]
    rig = rigs(records([b"a", b"x"], [given, given])).run()

    assert given == rig.sink.on("out")[0].headers
    assert given == rig.sink.on("dead")[0].headers[: len(given)]


@RIGS
def test_dead_letter_keeps_its_own_trace(rigs: Rigs) -> None:
    """Its span says what failed and where, without a text that may quote the record; so does no skip's."""
    spans, made = tracing()
    rig = rigs(records([b"x", b"s"], [[GIVEN, STATE], [GIVEN]]), spans=spans).run()

    assert [GIVEN, STATE] == rig.sink.on("dead")[0].headers[:2]
    dead, skipped, _ = made()[:3]
    about = dead.attributes or {}
    assert ("dead_letter", "bad", "decode") == (
        about["stream.outcome"],
        about["error.type"],
        about["stream.error.stage"],
    )
    assert (StatusCode.ERROR, None) == (dead.status.status_code, dead.status.description)
    assert "begins with x" not in dead.to_json()
    assert "skip" == (skipped.attributes or {})["stream.outcome"]
    assert StatusCode.UNSET is skipped.status.status_code


@RIGS
def test_record_without_a_trace_begins_one(rigs: Rigs) -> None:
    """Its span has no parent, and the prediction carries it."""
    spans, made = tracing(sample=1.0)
    rig = rigs(records([b"a"], [[("a", b"1")]]), spans=spans).run()

    of_record = made()[0]
    [sent] = rig.sink.on("out")
    assert of_record.parent is None
    assert Parent(of_record.context.trace_id, of_record.context.span_id, 1) == parent(sent)


@RIGS
def test_names_are_those_of_the_table(rigs: Rigs) -> None:
    """No attribute is made up, and none holds a key or a value."""
    spans, made = tracing()
    rigs(records([b"secret-a", b"x-secret", None], [[GIVEN]] * 3), spans=spans).run()

    found = made()
    assert {name for span in found for name in span.attributes or {}} <= set(ATTRIBUTES)
    assert "secret" not in "".join(span.to_json() for span in found)
    assert "k0" not in "".join(span.to_json() for span in found)
    record = found[0].attributes or {}
    assert ("kafka", "0", 0, "group", "m@1") == (
        record["messaging.system.name"],
        record["messaging.destination.partition.id"],
        record["kafka.offset"],
        record["messaging.consumer.group.name"],
        record["stream.model"],
    )
    assert (found[2].attributes or {})["kafka.message.tombstone"] is True


def test_records_sent_again_keep_their_spans() -> None:
    """After an aborted transaction the same ids go out, and its *commit* span says that it failed."""
    spans, made = tracing()
    rig = ExactlyOnceRig(records([b"a", b"b"], [[GIVEN], [GIVEN]]), spans=spans)
    rig.sink.errors["commit"] = [Aborted("try again")]
    rig.run()

    before, after = rig.sink.aborted, rig.sink.on("out")
    assert [parent(each) for each in before] == [parent(each) for each in after]
    commits = [span for span in made() if span.name == "commit in"]
    assert ["aborted", None] == [(span.attributes or {}).get("error.type") for span in commits]
    assert 2 == len({parent(each).span_id for each in after})


def test_record_refused_late_is_buried_with_the_headers_it_came_with() -> None:
    """The span that was meant for its prediction is not its dead letter's."""
    for rigs in (AtLeastOnceRig, ExactlyOnceRig):
        spans, _ = tracing()
        rig = rigs(records([b"a", b"b"], [[GIVEN], [GIVEN]]), spans=spans)
        rig.sink.refuse = lambda sent: "too_large" if (sent.topic, sent.value) == ("out", b"a") else None
        rig.run()

        assert [b"b"] == [sent.value for sent in rig.sink.on("out")]
        assert TRACE == parent(rig.sink.on("out")[0]).trace_id
        assert GIVEN == rig.sink.on("dead")[0].headers[0]


def test_more_records_than_a_second_has_room_for_pass_untouched() -> None:
    """A producer that samples everything does not make a worker slow."""
    spans, made = tracing(most=1)
    rig = AtLeastOnceRig(records([b"a", b"b"], [[GIVEN], [GIVEN]]), spans=spans).run()

    assert [GIVEN] == rig.sink.on("out")[1].headers
    assert 1 == sum("kafka.offset" in (span.attributes or {}) for span in made())


def test_what_is_left_of_a_batch_keeps_its_spans() -> None:
    """When a partition went, the rows move, and each keeps its own headers."""
    spans, _ = tracing()
    batch = records([b"a", b"b", b"c"], [[GIVEN]] * 3)
    traced = spans.processed(batch, [b""] * 3, "m@1", 0.0)
    assert traced is not None
    whole = ScoredBatch(batch, [b""] * 3, "m@1", traced=traced)

    left = whole.where(lambda partition, offset: offset != 1)

    assert left.traced is not None
    assert [traced.headers[0], traced.headers[2]] == left.traced.onto(left.batch.headers)
    assert traced.batch == left.traced.batch
