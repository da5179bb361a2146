"""`stream backfill` on a real Kafka: a range scored once, beside the live group; counted from outside."""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import re
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from stream.backfill import Backfill, BackfillWish, look_at, opened_backfill, read_bound
from stream.cli import main
from stream.configuration import load_settings
from stream.first_opening import FirstOpening
from stream.store import PackRequest, pack
from tests.acceptance import visits
from tests.acceptance.conftest import make_setup
from tests.acceptance.feed import Feed
from tests.acceptance.process import Process, Setup, Worker, run
from tests.acceptance.reader import Origin, Outputs, ends, reading
from tests.acceptance.registered import Stock, visit_schema
from tests.acceptance.upstream import Upstream
from tests.collector import attributes, collecting
from tests.kafka.broker import Broker
from tests.kafka.process import wait_for
from tests.kafka.registry import Registry
from tests.kafka.topics import Topics

pytestmark = pytest.mark.kafka

READ_S = 90.0

Make = Callable[..., Setup]


@pytest.fixture(autouse=True)
def _as_nice_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that runs within this process leaves the other tests their share of the machine."""
    monkeypatch.setattr(os, "nice", lambda _: 0)


@pytest.fixture
def setup(make: Make) -> Setup:
    """Fresh topics; the package is opened without a child process before, which would take two seconds."""
    return make({"model": {"open_timeout": "off"}})


def backfilled(setup: Setup, *options: str) -> int:
    """Exit code of a backfill in this process."""
    with pytest.raises(SystemExit) as end:
        main(["backfill", *options, "--config", str(setup.write("backfill", 1))])
    assert isinstance(end.value.code, int)
    return end.value.code


@contextmanager
def backfilling(setup: Setup, name: str, *options: str) -> Iterator[Process]:
    """A backfill as a process of its own."""
    config = str(setup.write(name, 1))
    with run(setup.folder, name, "backfill", "--config", config, *options) as process:
        yield process


@contextmanager
def rescored(setup: Setup, output: str | None = None) -> Iterator[Outputs]:
    """What comes of a backfill."""
    topic = output or f"{setup.output}.backfill"
    with reading(setup.bootstrap, topic, f"{setup.dead}.backfill", setup.package) as found:
        yield found


def seen(setup: Setup, count: int, output: str | None = None) -> Counter[Origin]:
    """How often each record has come out, once so many are there."""
    with rescored(setup, output) as found:
        return found.inputs(count).to_end().count


def send(setup: Setup, count: int, first: int = 0) -> None:
    """Events in turn to each of the four partitions."""
    events = (visits.event(n) for n in range(first, first + count))
    visits.send(
        setup.bootstrap,
        setup.input,
        [visits.Event(e.key, e.value, e.timestamp_ms, partition=n % 4) for n, e in enumerate(events)],
    )


def topics_of(setup: Setup) -> set[str]:
    """The topics of this test."""
    admin = AdminClient({"bootstrap.servers": setup.bootstrap, "log_level": 0})
    return {
        name for name in admin.list_topics(timeout=20).topics if name.startswith((setup.input, setup.output))
    }


def test_range_is_scored_once_and_done_for_good(setup: Setup, capsys: pytest.CaptureFixture[str]) -> None:
    """Tried first, which changes nothing; what is outside is left out; run again it says when it was finished."""
    send(setup, 400)
    visits.send(setup.bootstrap, setup.input, [visits.Event(b"bad", b"junk", 5, partition=0)])
    wanted = ["--from", "10", "--to", "101"]
    before = topics_of(setup)

    assert 0 == backfilled(setup, *wanted, "--dry-run", "--json")
    told = json.loads(capsys.readouterr().out)
    assert ([91, 90, 90, 90], 361, 360) == (
        [each["left"] for each in told["partitions"]], told["tried"], told["scored"],
    )  # fmt: skip
    assert before == topics_of(setup)

    assert 0 == backfilled(setup, *wanted)
    said = capsys.readouterr()
    assert "360 predictions and 1 dead letters" in said.out
    assert f"{setup.input}[1]: has no records from 100 on yet" in said.err
    assert 0 == backfilled(setup, *wanted)
    assert "done, at 20" in capsys.readouterr().out

    expected = {(p, n): 1 for p in range(4) for n in range(10, 100)} | {(0, 100): 1}
    assert expected == seen(setup, 361)


@pytest.mark.slow
def test_range_that_ends_in_markers_comes_to_its_end(
    make: Make, topics: Topics, capsys: pytest.CaptureFixture[str]
) -> None:
    """Markers and aborted records at the end of a range, within the topic and at its end; offsets are no records."""
    setup = make({"model": {"open_timeout": "off"}})
    upstream = Upstream(setup.bootstrap, setup.input, topics.name("upstream"))
    upstream.write(20)  # offsets 0 to 9 and a marker, 10, in partition 0 and 1
    upstream.write(10, commits=False)  # 11 to 15 and a marker, 16
    upstream.write(20)  # 17 to 26 and a marker, 27
    upstream.write(10, commits=False)

    # Of the other partitions nothing is there; of these it ends before the marker, at it, and behind aborted records.
    now = dt.datetime.now(dt.UTC).isoformat()
    for end in ("10", "11", "14", "17", "33", now):
        assert 0 == backfilled(setup, "--from", "0", "--to", end), capsys.readouterr().err
    numbers = [int(n) for n in re.findall(r"([0-9]+) predictions", capsys.readouterr().out)]

    assert [20, 20, 20, 20, 40, 40] == numbers


@pytest.mark.slow
def test_trace_goes_on_through_a_backfill(make: Make) -> None:
    """A record's own span, by the backfill's group; and the prediction carries it on."""
    mark, topic = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "messaging.consumer.group.name"
    with collecting() as collector:
        setup = make(
            {"model": {"open_timeout": "off"}, "telemetry": {"traces": True, "endpoint": collector.url}}
        )
        visits.send(
            setup.bootstrap,
            setup.input,
            [
                replace(visits.event(n), headers=[("traceparent", mark.encode())], partition=0)
                for n in range(9)
            ],
        )
        assert 0 == backfilled(setup, "--from", "0:0", "--to", "0:9")
        spans = [span for span in collector.spans if "kafka.offset" in attributes(span)]
        with rescored(setup) as found:
            carried = {each.header("traceparent").split("-")[2] for each in found.inputs(9).predictions}

    assert carried == {span.span_id.hex() for span in spans}
    assert 9 == len(carried)
    assert all(str(attributes(span)[topic]).startswith(f"{setup.group}.backfill.") for span in spans)


def opened(setup: Setup, *, output: str | None = None, rate: float | None = None) -> Backfill:
    """A backfill of everything of 2023, in this process."""
    settings = load_settings(setup.write("backfill", 1), {})
    now = dt.datetime.now(dt.UTC)
    wish = BackfillWish(read_bound("2023-01-01", now), read_bound("2024-01-01", now), output, rate)
    with FirstOpening() as opening:
        return opened_backfill(look_at(settings, wish, opening, dry=False))


@pytest.mark.slow
def test_range_is_what_it_was_when_the_backfill_began(setup: Setup) -> None:
    """Stopped in the middle; then more records of that time come, and it goes on without them."""
    send(setup, 2_000)
    first = opened(setup, rate=1_000)
    stopped = first.run(lambda done: first.stop() if done else None)
    assert (False, True) == (stopped, 0 < first.predictions < 2_000)
    send(setup, 500, 2_000)

    second = opened(setup)
    assert second.run(lambda _: None)

    assert 2_000 == first.predictions + second.predictions
    assert {(p, n): 1 for p in range(4) for n in range(500)} == seen(setup, 2_000)


@pytest.mark.slow
def test_other_version_does_not_begin_anew_unasked(
    setup: Setup, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The current version has changed since: refused with both versions to choose from; each scores all, by name."""
    folder = visits.packed(tmp_path / "own")
    own = replace(setup, package=folder)
    send(own, 1_000)
    first = opened(own, rate=400)
    first.run(lambda done: first.stop() if done else None)
    pack(visits.estimator(), PackRequest("visits", folder, carry=("id",)), schema=visits.SCHEMA)
    words = ["--from", "2023-01-01", "--to", "2024-01-01"]

    assert 2 == backfilled(own, *words)
    said = capsys.readouterr().err
    assert "a backfill of the same range by visits@1 is not finished; visits@2 would begin anew" in said
    for version in ("1", "2"):
        assert f"--model {folder / 'versions' / version}" in said
        assert 0 == backfilled(own, *words, "--model", str(folder / "versions" / version))

    with rescored(own) as found:
        found.until(lambda: len(found.predictions) >= 2_000, "both versions' predictions").to_end()
    by_model = Counter(each.fields["model"] for each in found.predictions)
    assert ({"visits@1": 1_000, "visits@2": 1_000}, {2}) == (by_model, set(found.count.values()))


@pytest.mark.slow
def test_topic_that_would_delete_the_predictions_is_refused(
    setup: Setup, topics: Topics, capsys: pytest.CaptureFixture[str]
) -> None:
    """They have their records' time, which is long past; the live topic may be named where it keeps them."""
    week = topics.create("week", 4, {"retention.ms": "604800000"})
    send(setup, 40)

    assert 2 == backfilled(setup, "--from", "0", "--to", "10", "--output", week)
    assert f"{week} deletes what is older than 7 days" in capsys.readouterr().err
    assert 0 == backfilled(setup, "--from", "0", "--to", "10", "--output", setup.output)
    assert "is the live output topic" in capsys.readouterr().err
    assert {(p, n): 1 for p in range(4) for n in range(10)} == seen(setup, 40, setup.output)


@pytest.mark.slow
def test_group_that_has_lost_its_place_stops(setup: Setup) -> None:
    """Offsets of an empty group expire: what was published is not known then, and nothing is scored by guess."""
    send(setup, 400)
    first = opened(setup, rate=100)
    first.run(lambda done: first.stop() if done else None)
    admin = AdminClient({"bootstrap.servers": setup.bootstrap, "log_level": 0})
    admin.delete_consumer_groups([first.settings.kafka.group])[first.settings.kafka.group].result(READ_S)

    with pytest.raises(Exception, match="the group's offset is gone") as error:
        opened(setup).run(lambda _: None)

    assert "Stopped" == type(error.value).__name__
    assert first.predictions == len(seen(setup, first.predictions))


@pytest.mark.slow
def test_range_whose_records_are_deleted_meanwhile_is_done_where_it_was_done(setup: Setup) -> None:
    """Retention goes on: a partition that was done before its records went is not asked for them again."""
    send(setup, 400)
    first = opened(setup, rate=200)
    half = lambda done: first.stop() if done >= 100 else None  # noqa: E731
    first.run(half)
    committed, high = ends(setup.bootstrap, first.settings.kafka.group, setup.input)
    done = [p for p, offset in committed.items() if offset >= 100]
    admin = AdminClient({"bootstrap.servers": setup.bootstrap, "log_level": 0})
    gone = [TopicPartition(setup.input, p, high[p] if p in done else committed[p]) for p in committed]
    send(setup, 40, 400)
    for future in admin.delete_records(gone).values():
        future.result(READ_S)

    second = opened(setup)
    assert second.run(lambda _: None)

    assert 400 == first.predictions + second.predictions


@pytest.mark.slow
def test_live_group_is_left_alone(setup: Setup, workers: Callable[..., Worker]) -> None:
    """Its offsets are what they were, its worker has seen no rebalance, its topics no record."""
    send(setup, 2_000)
    worker = workers(setup).ready()
    with reading(setup.bootstrap, setup.output, setup.dead, setup.package) as live:
        live.inputs(2_000, worker)
        wait_for(lambda: _at_the_end(setup), READ_S, "the live group to stand at the end")
        before = ends(setup.bootstrap, setup.group, setup.input), _rebalances(worker)

        done = opened(setup)
        assert done.run(lambda _: None)

        assert before == (ends(setup.bootstrap, setup.group, setup.input), _rebalances(worker))
        assert 2_000 == live.to_end().count.total()
    assert 2_000 == done.predictions


def _at_the_end(setup: Setup) -> bool:
    committed, high = ends(setup.bootstrap, setup.group, setup.input)
    return committed == high


def _rebalances(worker: Worker) -> list[str]:
    _, text = worker.get("/metrics")
    return [line for line in text.decode().splitlines() if line.startswith("stream_rebalances_total{")]


@pytest.mark.slow
@pytest.mark.fault
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("count", "kills"), [(60_000, 5), (200_000, 20)])
def test_each_record_is_scored_once_though_processes_are_killed(
    make: Make, workers: Callable[..., Worker], count: int, kills: int
) -> None:
    """Two processes share the work, one or the other is killed, a live worker runs beside; an onlooker counts."""
    setup = make({"batching": {"max_records": 200}})
    moments, each_s = random.Random(kills), ["--rate", "4000"]
    send(setup, count)
    worker = workers(setup).ready()
    bounds = ["--from", "0", "--to", str(count // 4)]
    with ExitStack() as stack:
        found = stack.enter_context(rescored_later(setup))
        feed = stack.enter_context(Feed(setup.bootstrap, setup.input, 200))
        pair = [stack.enter_context(backfilling(setup, f"first-{i}", *bounds, *each_s)) for i in (0, 1)]
        for life in range(kills):
            victim, wanted = life % 2, len(found().count) + moments.randrange(500, count // (2 * kills))
            found().inputs(wanted, timeout_s=READ_S)
            os.kill(pair[victim].pid, signal.SIGKILL)
            pair[victim].end()
            pair[victim] = stack.enter_context(backfilling(setup, f"life-{life}", *bounds, *each_s))
        for each in pair:
            assert 0 == each.end(300), each.tail()
        sent = count + feed.stop()
        outputs = found().inputs(count).to_end()
        with reading(setup.bootstrap, setup.output, setup.dead, setup.package) as live:
            live.inputs(sent, worker).to_end()

    assert {(p, n): 1 for p in range(4) for n in range(count // 4)} == outputs.count
    assert {1} == set(live.count.values())


@contextmanager
def rescored_later(setup: Setup) -> Iterator[Callable[[], Outputs]]:
    """The same as `rescored`, for topics that the command makes."""
    with ExitStack() as stack:
        found: list[Outputs] = []

        def outputs() -> Outputs:
            if not found:
                wait_for(lambda: f"{setup.output}.backfill" in topics_of(setup), READ_S, "the topic")
                found.append(stack.enter_context(rescored(setup)))
            return found[0]

        yield outputs


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_it_cleanly(setup: Setup, number: int) -> None:
    """What is in hand is committed, and the message says that the same command goes on."""
    send(setup, 20_000)
    words = ["--from", "0", "--to", "5000"]
    with backfilling(setup, "first", *words, "--rate", "2000") as first, rescored_later(setup) as found:
        found().inputs(1_000, first)
        os.kill(first.pid, number)
        assert (130 if number == signal.SIGINT else 1) == first.end(), first.tail()
        assert "the same command goes on" in first.text()
        assert "Traceback" not in first.text()
        before = len(found().to_end().count)
        told = re.search(r"([0-9,]+) predictions", first.text())
        assert told is not None
        assert before == int(told[1].replace(",", ""))
        with backfilling(setup, "second", *words) as second:
            assert 0 == second.end(), second.tail()
        assert {1} == set(found().inputs(20_000).to_end().count.values())


@pytest.mark.slow
@pytest.mark.fault
@pytest.mark.timeout(400)
def test_broker_that_is_killed_stops_no_backfill(broker: Broker, tmp_path: Path, package: Path) -> None:
    """Two processes wait for it, and go on: each record once."""
    setup = make_setup(tmp_path, Topics(broker.bootstrap), package, {"batching": {"max_records": 200}})
    send(setup, 40_000)
    words = ["--from", "0", "--to", "10000", "--rate", "1500"]
    with ExitStack() as stack:
        found = stack.enter_context(rescored_later(setup))
        pair = [stack.enter_context(backfilling(setup, f"process-{i}", *words)) for i in (0, 1)]
        for wanted in (4_000, 12_000):
            found().inputs(wanted, timeout_s=READ_S)
            broker.kill()
            broker.start()
        for each in pair:
            assert 0 == each.end(240), each.tail()
        outputs = found().inputs(40_000).to_end()

    assert {(p, n): 1 for p in range(4) for n in range(10_000)} == outputs.count


@pytest.mark.slow
def test_schema_of_the_predictions_is_registered_for_the_topic(
    make: Make, registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    """As `stream topics --create` does it for the live topic, whose subject is left alone."""
    setup = make({"schema_registry": {"url": registry.url}, "model": {"open_timeout": "off"}})
    schema = visit_schema(
        ("id", "long"), ("channel", "string"), ("pages", "int"), ("seconds", ["null", "double"])
    )
    with closing(Stock(registry.url)) as stock:
        visits.send(
            setup.bootstrap,
            setup.input,
            stock.events(setup.input, schema, range(8), {"auto.register.schemas": True}),
        )
        assert 0 == backfilled(setup, "--from", "2023-01-01", "--to", dt.datetime.now(dt.UTC).isoformat())
        assert "8 predictions and 0 dead letters" in capsys.readouterr().out
        rows = stock.read(setup.bootstrap, f"{setup.output}.backfill", 8)
    assert [*range(8)] == sorted(row["id"] for row in rows)
