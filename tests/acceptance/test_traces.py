"""One trace: from a producer's header through a worker, also one that dies, to the prediction's and to a collector."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from stream.cli import main
from tests.acceptance import visits
from tests.acceptance.process import Setup, Worker
from tests.acceptance.reader import Outputs, reading
from tests.acceptance.visits import Event
from tests.collector import Collector, attributes, black_hole, collecting

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

Make = Callable[..., Setup]
Workers = Callable[..., Worker]

SMALL_BATCHES = {"batching": {"max_records": 50}}


def trace_of(number: int) -> str:
    """The trace that a producer began for event n."""
    return f"{0xFEED << 64 | number:032x}"


def traced(event: Event, number: int) -> Event:
    """An event with its producer's context, and what else may be there."""
    parent = f"00-{trace_of(number)}-{number + 1:016x}-01".encode()
    headers = [("a", b"1"), ("traceparent", parent), ("tracestate", b"vendor=x"), ("a", None)]
    return Event(event.key, event.value, event.timestamp_ms, headers)


def of_records(collector: Collector) -> dict[str, Span]:
    """The spans of records, by their ids."""
    return {span.span_id.hex(): span for span in collector.spans if "kafka.offset" in attributes(span)}


def test_trace_goes_on_through_a_worker_that_is_killed(make: Make, workers: Workers) -> None:
    """Each prediction is in its event's trace, before and after the kill, and the spans say where it comes from."""
    with collecting() as collector:
        setup = make({**SMALL_BATCHES, "telemetry": {"traces": True, "endpoint": collector.url}})
        events = [traced(visits.event(n), n) for n in range(4_000)]
        visits.send(setup.bootstrap, setup.input, events)
        with reading(setup.bootstrap, setup.output, setup.dead, setup.package) as outputs:
            killed = workers(setup, "killed")
            outputs.inputs(100, killed)
            killed.kill()
            last = workers(setup, "last")
            outputs.inputs(len(events), last)
            last.terminate()
            assert 0 == last.end()

        assert 0 == outputs.doubled
        found = of_records(collector)
        followed = 0
        for seen in outputs.predictions:
            number = seen.fields["id"]
            version, trace, span, flags = seen.header("traceparent").split("-")
            assert ("00", trace_of(number), "01") == (version, trace, flags)
            assert ["a", "traceparent", "tracestate", "a"] == [name for name, _ in seen.headers]
            if span in found:
                followed += 1
                assert (trace, f"{number + 1:016x}") == (
                    found[span].trace_id.hex(),
                    found[span].parent_span_id.hex(),
                )
                assert seen.fields["source_offset"] == attributes(found[span])["kafka.offset"]
        # At most 1,000 a second have one; what the killed worker had not sent is lost.
        assert followed >= 500
        assert {"process", "send", "commit"} == {span.name.split()[0] for span in collector.spans}


def test_dead_letter_that_is_sent_back_goes_on_with_its_trace(
    make: Make, workers: Workers, capsys: pytest.CaptureFixture[str]
) -> None:
    """The letter, the replayed record and its next letter carry what the producer wrote; each try is a span of it."""
    with collecting() as collector:
        setup = make({"telemetry": {"traces": True, "endpoint": collector.url}})
        bad = traced(Event(b"bad", visits.framed(visits.visit(1))[:-3], 1_700_000_000_000), 7)
        visits.send(setup.bootstrap, setup.input, [bad])
        with reading(setup.bootstrap, setup.output, setup.dead, setup.package) as outputs:
            worker = workers(setup)
            outputs.until(lambda: len(outputs.letters) == 1, "the letter")
            with pytest.raises(SystemExit) as end:
                main(["deadletters", "replay", "--config", str(setup.write("replay", 1))])
            assert 0 == end.value.code
            outputs.until(lambda: len(outputs.letters) == 2, "the letter of the second try")
            worker.terminate()
            assert 0 == worker.end()

        for letter in outputs.letters:
            assert list(bad.headers) == letter.headers[: len(bad.headers)]
        spans = list(of_records(collector).values())
        assert [trace_of(7)] * 2 == [span.trace_id.hex() for span in spans]
        assert ["truncated"] * 2 == [attributes(span)["error.type"] for span in spans]
        assert 2 == len({span.span_id for span in spans})
    capsys.readouterr()


def test_collector_that_never_answers_changes_nothing_for_a_worker(make: Make, workers: Workers) -> None:
    """It scores everything once, and ends in time with exit 0."""
    with black_hole() as url:
        telemetry = {"traces": True, "metrics": True, "endpoint": url, "sample": 1.0, "interval": "100ms"}
        setup = make({**SMALL_BATCHES, "telemetry": telemetry})
        visits.send(setup.bootstrap, setup.input, map(visits.event, range(3_000)))
        with reading(setup.bootstrap, setup.output, setup.dead, setup.package) as outputs:
            worker = workers(setup)
            outputs.inputs(3_000, worker)
            assert b'stream_spans_total{result="sent"} 0.0' in worker.get("/metrics")[1]
            worker.terminate()
            assert 0 == worker.end(10)

        assert (3_000, 0) == (len(outputs.predictions), outputs.doubled)


def test_headers_arrive_as_they_came_without_spans(setup: Setup, outputs: Outputs, workers: Workers) -> None:
    """The default: of a prediction and of a dead letter; duplicates and nulls too."""
    good = traced(visits.event(1), 1)
    bad = traced(Event(b"bad", b"\x00", 1_700_000_000_000), 2)
    twice = [*good.headers, ("traceparent", b"nonsense"), ("baggage", b"k=v")]
    visits.send(setup.bootstrap, setup.input, [Event(good.key, good.value, good.timestamp_ms, twice), bad])
    outputs.inputs(2, workers(setup))

    assert twice == outputs.predictions[0].headers
    assert list(bad.headers) == outputs.letters[0].headers[: len(bad.headers)]
