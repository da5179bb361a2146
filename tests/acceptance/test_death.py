"""A worker that can't go on ends, non-zero and with its reason, and commits nothing that is not done."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from stream.store import PackRequest, pack
from tests.acceptance import visits
from tests.acceptance.process import Setup, Worker
from tests.acceptance.reader import ends, reading
from tests.acceptance.touchy import CRASH, HANG, Touchy
from tests.acceptance.visits import Event

pytestmark = pytest.mark.kafka

Workers = Callable[..., Worker]
Make = Callable[..., Setup]

JUNK = b"\xff" * 10_000

ANSWER_S = 60.0


def _one_partition(count: int) -> list[Event]:
    return [Event(b"k", visits.framed(visits.visit(n)), 0, (), 1) for n in range(count)]


def test_record_that_fits_nowhere_stops_the_worker(make: Make, workers: Workers) -> None:
    """A dead letter that its topic refuses ends the worker, names the record, and nothing after it is committed."""
    setup = make(dead={"max.message.bytes": "4000"})
    events = [*_one_partition(30), Event(b"big", JUNK, 0, (), 1), *_one_partition(30)]
    visits.send(setup.bootstrap, setup.input, events)
    worker = workers(setup)

    assert 1 == worker.end()
    reason = worker.text().split("the worker stops:")[1]
    assert f"{setup.input}[1]@30" in reason
    assert f"max.message.bytes of {setup.dead}" in reason
    assert "Traceback" not in worker.text()
    committed, _ = ends(setup.bootstrap, setup.group, setup.input)
    assert committed[1] <= 30


@pytest.mark.slow
def test_repaired_topic_lets_the_same_record_through(make: Make, workers: Workers) -> None:
    """Once the dead-letter topic takes it, the record that stopped the worker is a dead letter like any other."""
    setup = make(dead={"max.message.bytes": "100000"})
    visits.send(setup.bootstrap, setup.input, [*_one_partition(5), Event(b"big", JUNK, 0, (), 1)])
    workers(setup)

    with reading(setup.bootstrap, setup.output, setup.dead, setup.package) as outputs:
        [letter] = outputs.inputs(6).to_end().letters

    assert (b"big", JUNK) == (letter.key, letter.value)


@pytest.mark.slow
def test_bad_deploy_stops_the_worker(setup: Setup, workers: Workers) -> None:
    """When nearly everything is a dead letter the worker stops, says the share and an example."""
    visits.send(setup.bootstrap, setup.input, [Event(b"k", b"junk", 0, (), 0)] * 3_000)
    worker = workers(setup)

    assert 1 == worker.end()
    reason = worker.text().split("the worker stops:")[1]
    assert "stop_above" in reason
    assert "not_framed" in reason
    assert "Traceback" not in worker.text()
    committed, high = ends(setup.bootstrap, setup.group, setup.input)
    assert committed[0] < high[0]


def _lose_records(setup: Setup, committed: int, low: int) -> None:
    """Commit an offset for the group, then remove the records up to a later one, as retention does."""
    consumer = Consumer(
        {"bootstrap.servers": setup.bootstrap, "group.id": setup.group, "enable.auto.commit": False}
    )
    consumer.commit(offsets=[TopicPartition(setup.input, 1, committed)], asynchronous=False)
    consumer.close()
    admin = AdminClient({"bootstrap.servers": setup.bootstrap})
    [future] = admin.delete_records([TopicPartition(setup.input, 1, low)]).values()
    assert low == future.result(ANSWER_S).low_watermark


@pytest.mark.slow
def test_lost_records_stop_the_worker(setup: Setup, workers: Workers) -> None:
    """When the records to be read next are gone the worker stops and says which, and what may be set."""
    visits.send(setup.bootstrap, setup.input, _one_partition(100))
    _lose_records(setup, 10, 60)
    worker = workers(setup)

    assert 1 == worker.end()
    reason = worker.text().split("the worker stops:")[1]
    assert f"{setup.input}[1]" in reason
    assert "offsets 60 to 99" in reason
    assert "on_out_of_range" in reason
    committed, _ = ends(setup.bootstrap, setup.group, setup.input)
    assert 10 == committed[1]


@pytest.mark.slow
@pytest.mark.parametrize(("choice", "first"), [("earliest", 60), ("latest", 100)])
def test_lost_records_are_passed_over_when_asked(
    make: Make, workers: Workers, choice: str, first: int
) -> None:
    """With `on_out_of_range` the worker says what is missing and goes on at that end."""
    setup = make({"input": {"on_out_of_range": choice}})
    visits.send(setup.bootstrap, setup.input, _one_partition(100))
    _lose_records(setup, 10, 60)
    worker = workers(setup)
    worker.says("offset out of range")
    visits.send(setup.bootstrap, setup.input, _one_partition(5))

    with reading(setup.bootstrap, setup.output, setup.dead, setup.package) as outputs:
        outputs.inputs(105 - first).to_end()

    assert {(1, offset) for offset in range(first, 105)} == set(outputs.count)


def _never_answers(make: Make, workers: Workers, folder: Path) -> Worker:
    """A ready worker that was sent a record over which its model hangs."""
    wish = PackRequest("touchy", folder / "touchy", carry=("id",))
    pack(Touchy(), wish, schema=visits.SCHEMA)
    (folder / "visit.avsc").write_text(visits.SCHEMA)
    setup = make({"input": {"schema": "visit.avsc"}}, model=wish.folder)
    worker = workers(setup).ready()
    assert 200 == worker.get("/health/live")[0]
    visits.send(
        setup.bootstrap, setup.input, [Event(None, visits.framed({**visits.visit(1), "pages": HANG}))]
    )
    return worker


@pytest.mark.slow
def test_stuck_model_turns_liveness_red(make: Make, workers: Workers, tmp_path: Path) -> None:
    """An idle worker is alive; one whose model never returns is not, within 30 s."""
    worker = _never_answers(make, workers, tmp_path)

    worker.until(lambda: worker.get("/health/live")[0] == 503, 30, "liveness to turn red")


@pytest.mark.slow
def test_stop_that_cannot_finish_is_not_a_clean_end(make: Make, workers: Workers, tmp_path: Path) -> None:
    """SIGTERM while the model is busy with a batch: the worker still ends soon, but with exit 1 and the reason."""
    worker = _never_answers(make, workers, tmp_path)
    worker.until(lambda: worker.status()["last_progress_seconds"] > 3, 60, "the model to hold the batch")

    asked = time.monotonic()
    worker.terminate()

    assert 1 == worker.end()
    assert 7 < time.monotonic() - asked < 15  # 10 s, and some for a machine that is busy
    assert "the worker stops: the engine did not end within 8.5 s" in worker.text()
    assert "NoneType" not in worker.text()


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_record_that_crashes_the_interpreter_is_buried_by_the_third_start(
    make: Make, workers: Workers, tmp_path: Path
) -> None:
    """Two workers die of it; the third scores it in a child process, which finds it. Its neighbours are predictions."""
    wish = PackRequest("touchy", tmp_path / "touchy", carry=("id",))
    pack(Touchy(), wish, schema=visits.SCHEMA)
    (tmp_path / "visit.avsc").write_text(visits.SCHEMA)
    tables = {"input": {"schema": "visit.avsc"}, "delivery": {"instance": "one", "state": "state"}}
    setup = make(tables, model=wish.folder)
    pages = [CRASH if n == 70 else n % 40 for n in range(200)]
    rows = [{**visits.visit(n), "pages": count} for n, count in enumerate(pages)]
    visits.send(
        setup.bootstrap, setup.input, [Event(b"%d" % n, visits.framed(row)) for n, row in enumerate(rows)]
    )

    for life in range(2):
        assert -signal.SIGABRT == workers(setup, f"worker-{life}").end(60)
    third = workers(setup, "worker-2")
    with reading(setup.bootstrap, setup.output, setup.dead, setup.package) as outputs:
        outputs.inputs(len(rows), third, 90).to_end()

    [letter] = outputs.letters
    assert "model_crashed" == letter.header("stream.error.reason")
    assert "SIGABRT" in letter.header("__connect.errors.exception.message")
    assert b"70" == letter.key
    assert set(range(200)) - {70} == {seen.fields["id"] for seen in outputs.predictions}
    assert 0 == outputs.doubled


@pytest.mark.slow
def test_deleted_topic_ends_an_idle_worker(make: Make, workers: Workers) -> None:
    """A topic that stays missing is named by readiness, and then ends the worker, which must not idle for ever."""
    setup = make({"kafka": {"startup_timeout": "3s"}})
    worker = workers(setup)
    worker.ready()

    admin = AdminClient({"bootstrap.servers": setup.bootstrap})
    admin.delete_topics([setup.dead])[setup.dead].result(ANSWER_S)

    assert 1 == worker.end()
    reason = worker.text().split("the worker stops:")[1]
    assert "have been gone" in reason
    assert setup.dead in reason
