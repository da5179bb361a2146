"""A worker that can't start says why: waiting, then exit 1; exit 2 at once for what waiting won't solve."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.acceptance import visits
from tests.acceptance.conftest import make_setup
from tests.acceptance.process import Setup, Worker
from tests.acceptance.reader import reading
from tests.damage import damage
from tests.kafka.broker import Broker
from tests.kafka.process import free_ports
from tests.kafka.topics import Topics

Workers = Callable[..., Worker]

IMPATIENT = {"kafka": {"startup_timeout": "2s"}}


@pytest.fixture
def nowhere(tmp_path: Path, package: Path) -> Setup:
    """A configuration whose broker is not there."""
    return Setup(tmp_path, f"127.0.0.1:{free_ports(1)[0]}", "g", "in", "out", "dead", package, IMPATIENT)


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port of the loopback that somebody else has."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken.getsockname()[1]


@pytest.mark.slow
def test_absent_broker_is_waited_for_and_named(nowhere: Setup, workers: Workers) -> None:
    """Without a broker the worker says that it waits, then exits 1 with the address."""
    worker = workers(nowhere)

    assert 1 == worker.end()
    assert f"waiting: no broker answers at {nowhere.bootstrap}" in worker.text()
    assert f"no broker answers at {nowhere.bootstrap}" in worker.text().split("the worker stops:")[1]
    assert "Traceback" not in worker.text()


def test_state_that_cannot_be_had_is_a_setting_s_error(nowhere: Setup, workers: Workers) -> None:
    """A file in the place of `[delivery] state` is exit 2 with the key, the path and what to do."""
    taken = nowhere.folder / "taken"
    taken.touch()
    worker = workers(nowhere, environ={"STREAM_DELIVERY__STATE": str(taken)})

    assert 2 == worker.end()
    assert f"[delivery] state: can't keep the worker's note in {taken}: File exists" in worker.text()
    assert "try: make room there" in worker.text()


@pytest.mark.slow
@pytest.mark.kafka
def test_missing_topic_is_named(setup: Setup, workers: Workers) -> None:
    """A topic that is not there is named while waiting and at the end, with the command that makes it."""
    worker = workers(replace(setup, output=f"{setup.output}.absent", tables=IMPATIENT))

    assert 1 == worker.end()
    reason = worker.text().split("the worker stops:")[1]
    assert f"{setup.output}.absent" in reason
    assert f"{setup.input}," not in reason
    assert "stream topics --create" in reason
    assert "Traceback" not in worker.text()


@pytest.mark.kafka
@pytest.mark.fault
@pytest.mark.fault_core
@pytest.mark.slow
def test_late_broker_is_joined(broker: Broker, tmp_path: Path, package: Path, workers: Workers) -> None:
    """A worker that was started before its broker goes on when the broker comes."""
    setup = make_setup(tmp_path, Topics(broker.bootstrap), package)
    visits.send(setup.bootstrap, setup.input, map(visits.event, range(100)))
    broker.stop()
    worker = workers(setup)
    worker.says("waiting: no broker answers")
    worker.until(lambda: worker.get("/health/live")[0] == 200, 60, "liveness while waiting")
    assert 503 == worker.get("/health/ready")[0]

    broker.start()
    worker.ready()

    with reading(setup.bootstrap, setup.output, setup.dead, package) as outputs:
        outputs.inputs(100)


@pytest.mark.parametrize(
    ("table", "key", "value", "told"),
    [
        ("batching", "max_recods", 5, "did you mean `max_records`?"),
        ("batching", "max_wait", "5 parsecs", "5 parsecs"),
        ("input", "schema", "absent.avsc", "absent.avsc"),
    ],
)
def test_setting_that_can_t_be_used_is_named(
    nowhere: Setup, workers: Workers, table: str, key: str, value: object, told: str
) -> None:
    """A wrong setting is exit 2 at once, with the file, the key and what to do, without a traceback."""
    worker = workers(replace(nowhere, tables={table: {key: value}}))

    assert 2 == worker.end()
    said = worker.text()
    assert told in said
    assert "worker.toml" in said or told.endswith(".avsc")
    assert key in said or told.endswith(".avsc")
    assert "Traceback" not in said


def _absent(package: Path) -> str:
    shutil.rmtree(package)
    return "copy: there is no model package here: there is no such folder"


def _other_model(package: Path) -> str:
    damage(package / "versions" / "1" / "model.joblib")
    return "step hash: "


def _other_manifest(package: Path) -> str:
    manifest = package / "versions" / "1" / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "task": "oracle"}))
    return "step manifest: "


@pytest.mark.parametrize("spoil", [_absent, _other_model, _other_manifest])
def test_package_that_can_t_be_trusted_is_refused(
    nowhere: Setup, workers: Workers, tmp_path: Path, spoil: Callable[[Path], str]
) -> None:
    """A package that is not there, or not as it was written, is exit 2 with the step that failed."""
    copy = tmp_path / "copy"
    shutil.copytree(nowhere.package, copy)
    step = spoil(copy)
    worker = workers(replace(nowhere, package=copy))

    assert 2 == worker.end()
    assert step in worker.text()
    assert str(copy) in worker.text()
    assert "Traceback" not in worker.text()


@pytest.mark.slow
@pytest.mark.kafka
def test_taken_port_is_named(setup: Setup, workers: Workers, silent_port: int) -> None:
    """A web port that somebody else has ends the worker at once, named, and nothing was read."""
    worker = workers(setup, environ={"STREAM_WEB__PORT": str(silent_port)})

    assert worker.end() in (1, 2)
    assert str(silent_port) in worker.text()
    assert "[web] port" in worker.text()
    assert "Traceback" not in worker.text()
