"""What is sent to a collector, and what becomes of it when the collector does not take it."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanKind

from stream.errors import SettingsError
from stream.settings import KafkaSettings, Secret, Settings, TelemetrySettings
from stream.telemetry import TABLE, Metrics
from stream.tracing import ATTRIBUTES, MESSAGING_METRICS, SCHEMA_URL, Reporting, Who, open_reporting
from stream.tracing.collector import Signal, address
from stream.tracing.conventions import own_name
from stream.tracing.span_queue import FULL, MOST_SPANS, SpanQueue, context_of
from tests.collector import Collector, attributes, black_hole, collecting

WHO = Who("flights-scorer", "scorer-0", worker=True)


@pytest.fixture
def collector() -> Iterator[Collector]:
    """One that takes everything, until it is told otherwise."""
    with collecting() as found:
        yield found


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exporters give up soon; no variable of the machine reaches them."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.2")


def opened(counts: Metrics, url: str, **keys: object) -> Reporting:
    """What reports to an address."""
    given = TelemetrySettings(**{"traces": True, "endpoint": url, **keys})  # type: ignore[arg-type]
    found = open_reporting(Settings(kafka=KafkaSettings(group="g"), telemetry=given), counts, WHO, {})
    assert found is not None
    return found


def span(queue: SpanQueue) -> ReadableSpan:
    """Any."""
    return queue.span("process in", SpanKind.CONSUMER, context_of(1, 2), None, (1, 2), {"kafka.offset": 7})


def put(found: Reporting, count: int = 1) -> None:
    """So many spans."""
    assert found.queue is not None
    found.queue.put([span(found.queue)] * count)


class TestSpans:
    """Sent, dropped or failed; each is counted."""

    def test_what_waits_is_sent_at_the_end(self, collector: Collector) -> None:
        """With who made it, with what, and under which version of the conventions."""
        metrics = Metrics()
        found = opened(metrics, collector.url, headers={"X-Key": Secret("s3cr3t")})
        found.reporter.start(lambda: None)
        put(found, 3)
        found.reporter.stop(10)

        [request] = collector.traces
        [resource] = request.resource_spans
        [scope] = resource.scope_spans
        about = attributes(resource.resource)
        assert ("flights-scorer", "scorer-0") == (about["service.name"], about["service.instance.id"])
        assert (SCHEMA_URL, "prediction-stream") == (scope.schema_url, scope.scope.name)
        assert 3 == len(scope.spans)
        assert {"kafka.offset": 7} == attributes(scope.spans[0])
        assert "s3cr3t" == collector.headers[0]["x-key"]
        assert 3 == metrics.value("stream_spans_total", result="sent")

    def test_full_queue_is_sent_at_once(self, collector: Collector) -> None:
        """Without waiting for the end."""
        found = opened(Metrics(), collector.url)
        found.reporter.start(lambda: None)
        put(found, FULL)

        assert collector.came.wait(30)
        found.reporter.stop(10)
        assert FULL == len(collector.spans)

    def test_more_than_there_is_room_for_is_dropped(self) -> None:
        """Nobody waits, and the oldest stay."""
        metrics = Metrics()
        queue = SpanQueue(metrics, Resource({}), InstrumentationScope("test"))
        queue.put([span(queue)] * (MOST_SPANS - 1))
        queue.put([span(queue)] * 3)

        assert MOST_SPANS == len(queue)
        assert 2 == metrics.value("stream_spans_total", result="dropped")

    @pytest.mark.parametrize("status", [400, 503, 302])
    def test_collector_that_refuses_is_said_once(
        self, collector: Collector, status: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A redirection is not followed, and not taken for a success; what was sent may hold a key."""
        caplog.set_level(logging.INFO)
        metrics, collector.status = Metrics(), status
        found = opened(metrics, collector.url, headers={"Authorization": Secret("Bearer s3cr3t")})
        found.reporter.start(lambda: None)
        put(found, 2 * FULL)
        wait_for(metrics, "failed", 2 * FULL)
        collector.status = 200
        put(found, FULL)
        wait_for(metrics, "sent", FULL)
        found.reporter.stop(10)

        said = [record.getMessage() for record in caplog.records]
        assert 2 == len(said), said
        assert f"HTTP {status}" in said[0]
        assert said[1].endswith("takes spans again")
        assert "s3cr3t" not in caplog.text

    def test_collector_that_is_not_there_loses_spans_and_nothing_else(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The log names it, without the path and what else may be in its address."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        metrics = Metrics()
        found = opened(metrics, f"{url}/my-private-path")
        found.reporter.start(lambda: None)
        put(found, FULL)
        wait_for(metrics, "failed", FULL)
        found.reporter.stop(10)

        assert f"{url} takes no spans (ConnectionError)" in caplog.text
        assert "private" not in caplog.text

    def test_collector_that_never_answers_holds_up_nobody(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Neither who puts a span, nor who ends the process: the exporter's own time is far from over."""
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "60")
        metrics = Metrics()
        with black_hole() as url:
            found = opened(metrics, url)
            found.reporter.start(lambda: None)
            put(found, FULL)
            for _ in range(3):
                put(found, MOST_SPANS)
            found.reporter.stop(0.05)

            assert metrics.value("stream_spans_total", result="dropped") >= 2 * MOST_SPANS - FULL
            assert 0 == metrics.value("stream_spans_total", result="sent")
            assert "telemetry" in {thread.name for thread in threading.enumerate()}

    def test_end_of_the_process_is_not_the_collector_s_fault(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """What is given up when time is over is not said to be refused."""
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "60")
        with socket.create_server(("127.0.0.1", 0)) as taken:
            url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        found = opened(Metrics(), url, metrics=True)
        found.reporter.start(lambda: None)
        put(found, FULL)
        found.reporter.stop(0.05)
        while any(thread.name == "telemetry" for thread in threading.enumerate()):
            threading.Event().wait(0.005)

        assert "" == caplog.text

    def test_nothing_is_started_that_was_not_begun(self, collector: Collector) -> None:
        """A process that ends before it began to report just ends."""
        opened(Metrics(), collector.url).reporter.stop(1)

        assert [] == collector.traces


def wait_for(metrics: Metrics, result: str, count: int) -> None:
    """Until so many spans have ended so; the test's own time limit ends it otherwise."""
    pause = threading.Event()
    while metrics.value("stream_spans_total", result=result) < count:
        pause.wait(0.005)


class TestMetrics:
    """The table under two names."""

    def test_counters_are_sent_as_they_are(self, collector: Collector) -> None:
        """Under our names, and under the conventions' with topics and group; gauges are brought up to date before."""
        metrics = Metrics()
        metrics.add("stream_records_total", 10)
        metrics.add("stream_predictions_total", 7)
        metrics.add("stream_dead_letters_total", 3, reason="bad", stage="decode")
        for seconds in (0.0005, 0.003, 0.003, 99.0):
            metrics.observe("stream_process_seconds", seconds)
        found = opened(metrics, collector.url, traces=False, metrics=True)
        found.reporter.start(lambda: metrics.set("stream_ready", 1))
        found.reporter.stop(10)

        sent = collector.measured()
        [point] = sent["messaging.client.consumed.messages"].sum.data_points
        assert 10 == point.as_double
        assert {
            "messaging.system.name": "kafka",
            "messaging.operation.name": "poll",
            "messaging.operation.type": "receive",
            "messaging.destination.name": "flights.features",
            "messaging.consumer.group.name": "g",
        } == attributes(point)
        by_topic = {
            attributes(each)["messaging.destination.name"]: (each.as_double, attributes(each))
            for each in sent["messaging.client.sent.messages"].sum.data_points
        }
        assert 7 == by_topic["flights.predictions"][0]
        dead = by_topic["flights.deadletters"]
        assert (3, "bad", "decode") == (
            dead[0],
            dead[1]["stream.error.reason"],
            dead[1]["stream.error.stage"],
        )
        assert 1 == sent["stream.ready"].gauge.data_points[0].as_double
        assert sent["stream.records"].sum.is_monotonic
        assert 2 == sent["stream.records"].sum.aggregation_temporality
        spread = sent["messaging.process.duration"]
        [times] = spread.histogram.data_points
        assert ("s", 4) == (spread.unit, times.count)
        assert pytest.approx(99.0065) == times.sum
        assert [0.001, 0.002, 0.005] == times.explicit_bounds[:3]
        assert [1, 0, 2] == times.bucket_counts[:3]
        assert 1 == times.bucket_counts[-1]
        assert len(times.explicit_bounds) + 1 == len(times.bucket_counts)
        assert not times.HasField("min")
        assert 0 < times.start_time_unix_nano <= times.time_unix_nano

    def test_each_interval_sends_once_more(self, collector: Collector) -> None:
        """Until the end, which sends the last."""
        found = opened(Metrics(), collector.url, traces=False, metrics=True, interval=0.01)
        found.reporter.start(lambda: None)
        pause = threading.Event()
        while len(collector.metrics) < 3:
            pause.wait(0.005)
        found.reporter.stop(10)

        assert len(collector.metrics) >= 4

    def test_service_has_no_messaging_metrics(self, collector: Collector) -> None:
        """`stream serve` has nothing to do with topics."""
        given = TelemetrySettings(metrics=True, endpoint=collector.url)
        found = open_reporting(Settings(telemetry=given), Metrics("serve"), Who("m", "h.1", worker=False), {})
        assert found is not None
        found.reporter.start(lambda: None)
        found.reporter.stop(10)

        assert "stream.requests_in_flight" in collector.measured()
        assert [] == [name for name in collector.measured() if name.startswith("messaging.")]

    def test_every_metric_has_a_name_of_its_own(self) -> None:
        """And those that the conventions name are in the table."""
        names = [own_name(metric.name)[0] for metric in TABLE]

        assert len(names) == len(set(names))
        assert {row.source for row in MESSAGING_METRICS} <= {
            metric.name for metric in TABLE if "worker" in metric.of
        }

    def test_collector_s_prometheus_exporter_gives_our_names_back(self) -> None:
        """As the specification translates them: dots, the unit, `_total` of counters."""
        for metric in TABLE:
            name, unit = own_name(metric.name)
            back = name.replace(".", "_") + {"s": "_seconds", "By": "_bytes", "": ""}[unit]

            assert metric.name == back + ("_total" if metric.kind == "counter" else "")

    def test_every_attribute_is_explained(self) -> None:
        """The table that the page is written from has them all."""
        assert set(type(next(iter(ATTRIBUTES)))) == set(ATTRIBUTES)


class TestAddress:
    """Where a collector is."""

    @pytest.mark.parametrize(
        ("signal", "endpoint", "environ", "expected"),
        [
            ("traces", "", {}, "http://localhost:4318/v1/traces"),
            ("metrics", "http://c:4318/", {}, "http://c:4318/v1/metrics"),
            ("traces", "https://c/otlp", {}, "https://c/otlp/v1/traces"),
            ("traces", "", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://e:1"}, "http://e:1/v1/traces"),
            (
                "traces",
                "",
                {
                    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://e:1",
                    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://t:2/x",
                },
                "http://t:2/x",
            ),
            ("metrics", "http://c:1", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://e:1"}, "http://c:1/v1/metrics"),
            ("traces", "http://c:1", {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "http://c:1/v1/traces"),
        ],
    )
    def test_setting_comes_before_the_variables(
        self, signal: Signal, endpoint: str, environ: dict[str, str], expected: str
    ) -> None:
        """And a variable of one signal before that of all."""
        assert expected == address(signal, TelemetrySettings(endpoint=endpoint), environ)

    @pytest.mark.parametrize(
        ("endpoint", "environ", "text"),
        [
            ("collector:4318", {}, "expected an address"),
            ("http://", {}, "expected an address"),
            ("http://c:99999999", {}, "expected an address"),
            ("grpc://c:4317", {}, "expected an address"),
            ("http://user:s3cr3t@c:4318", {}, "holds a user"),
            ("http://c:4318/v1/traces", {}, "expected an address"),
            ("http://c:4318?key=s3cr3t", {}, "expected an address"),
            ("", {"OTEL_EXPORTER_OTLP_ENDPOINT": "s3cr3t"}, "OTEL_EXPORTER_OTLP_ENDPOINT"),
            (
                "",
                {
                    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://e:4317",
                    "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
                },
                "http/protobuf only",
            ),
        ],
    )
    def test_unusable_address_is_refused(self, endpoint: str, environ: dict[str, str], text: str) -> None:
        """It is not repeated: it may hold a secret."""
        with pytest.raises(SettingsError, match=text) as found:
            address("traces", TelemetrySettings(endpoint=endpoint), environ)

        assert "s3cr3t" not in str(found.value)

    def test_port_of_grpc_is_doubted(self, caplog: pytest.LogCaptureFixture) -> None:
        """It is somebody's choice, so only a warning."""
        address("traces", TelemetrySettings(endpoint="http://c:4317"), {})

        assert "4318" in caplog.text


def test_disabled_sdk_reports_nothing() -> None:
    """The variable that turns every SDK off."""
    given = Settings(telemetry=TelemetrySettings(traces=True))

    assert open_reporting(given, Metrics(), WHO, {"OTEL_SDK_DISABLED": "TRUE"}) is None


def test_variable_that_changes_nothing_is_named(caplog: pytest.LogCaptureFixture) -> None:
    """Somebody set it for a reason."""
    given = Settings(telemetry=TelemetrySettings(traces=True))
    open_reporting(given, Metrics(), WHO, {"OTEL_TRACES_SAMPLER": "always_on"})

    assert "OTEL_TRACES_SAMPLER is set, but not read" in caplog.text


def test_variables_name_the_service(monkeypatch: pytest.MonkeyPatch, collector: Collector) -> None:
    """What an operator sets for all programs counts more than what we know."""
    monkeypatch.setenv("OTEL_SERVICE_NAME", "scoring")
    monkeypatch.setenv(
        "OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=prod,service.instance.id=pod-3"
    )
    found = opened(Metrics(), collector.url)
    found.reporter.start(lambda: None)
    put(found)
    found.reporter.stop(10)

    about = attributes(collector.traces[0].resource_spans[0].resource)
    assert ("scoring", "pod-3", "prod") == (
        about["service.name"],
        about["service.instance.id"],
        about["deployment.environment.name"],
    )


@pytest.mark.parametrize("signal", ["", "TRACES_", "METRICS_"])
@pytest.mark.parametrize("text", ["s3cr3t", "x=1, s3cr3t", "a b=s3cr3t"])
def test_headers_that_can_not_be_read_are_refused(
    signal: str, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The variable is named; what it says is neither logged nor repeated: it holds a key."""
    name = f"OTEL_EXPORTER_OTLP_{signal}HEADERS"
    given = Settings(telemetry=TelemetrySettings(traces=True))
    with pytest.raises(SettingsError, match=name) as found:
        open_reporting(given, Metrics(), WHO, {name: text})

    assert "s3cr3t" not in str(found.value) + found.value.hint + caplog.text


def test_certificates_that_are_not_there_are_a_reason(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Not only what the network says."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)  # requests prefers them
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", "/nowhere/ca.pem")
    metrics = Metrics()
    found = opened(metrics, "https://127.0.0.1:1")
    found.reporter.start(lambda: None)
    put(found, FULL)
    wait_for(metrics, "failed", FULL)
    found.reporter.stop(10)

    assert "takes no spans (OSError)" in caplog.text
