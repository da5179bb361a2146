"""Rows of the matrix: marked, staged, counted, and written down where `RESULTS` says."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import PARTITIONS, make_setup, workers
from tests.acceptance.process import Worker
from tests.acceptance.reader import reading
from tests.conftest import Kafka, had
from tests.faults.row import RESULTS, Row
from tests.faults.scene import Scene
from tests.faults.shaky import Shaky, breakable
from tests.faults.template import Template
from tests.kafka.artifacts import ALONE, KAFKA
from tests.kafka.cluster import Cluster
from tests.kafka.topics import Topics

__all__ = ["stage", "workers"]

ROW_S = 600
"""A row takes 15-60 s on two cores of its own, the session's brokers included; many times that beside others."""

SMALL_BATCHES = 200
"""Records: a transaction then has several batches."""


@pytest.hookimpl(tryfirst=True)  # before xdist reads its marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each row: `fault`, and `fault_core` if it is one of CI's dozen. Its id is the test's name."""
    for item in items:
        mark = item.get_closest_marker("row")
        if mark is not None:
            item.extra_keyword_matches.add(mark.args[0].id)  # `--id` finds it by this
            item.add_marker(pytest.mark.fault)
            item.add_marker(pytest.mark.kafka)
            item.add_marker(pytest.mark.timeout(ROW_S))
            for server in {"cluster", "mortal", "registry"} & {*getattr(item, "fixturenames", ())}:
                item.add_marker(pytest.mark.xdist_group(server))  # started by one of pytest's processes only
            if mark.args[0].core:
                item.add_marker(pytest.mark.fault_core)


@pytest.fixture
def matrix_row(request: pytest.FixtureRequest) -> Row:
    """This test's row."""
    mark = request.node.get_closest_marker("row")
    assert mark is not None, "a test of the matrix has the mark `row`"
    found: Row = mark.args[0]
    return found


@pytest.fixture(scope="session")
def template() -> Iterator[Template]:
    """What the session's workers are forked from."""
    with Template() as template:
        yield template


@pytest.fixture
def stage(
    matrix_row: Row,
    tmp_path: Path,
    package: Path,
    workers: Callable[..., Worker],
    template: Template,
    request: pytest.FixtureRequest,
) -> Iterator[Callable[..., Scene]]:
    """
    Sets a scene on a broker: `stage(bootstrap, tables, configs=…)`.

    The row is written down when the test passes; a test that counts nothing fails.
    """
    scenes: list[Scene] = []
    with ExitStack() as stack:

        def build(
            bootstrap: str,
            tables: Mapping[str, Mapping[str, object]] | None = None,
            *,
            configs: Mapping[str, Mapping[str, str]] | None = None,
            model: Path = package,
            replicas: int = 1,
            partitions: int = PARTITIONS,
        ) -> Scene:
            usual: dict[str, dict[str, object]] = {
                "input": {"null_value": "skip"},
                "batching": {"max_records": SMALL_BATCHES},
                "delivery": {"guarantee": matrix_row.guarantee},
                "model": {"reload": "off"},
            }
            for table, keys in (tables or {}).items():
                usual[table] = {**usual.get(table, {}), **keys}
            setup = make_setup(
                tmp_path, Topics(bootstrap, replicas=replicas), model, usual, configs, partitions
            )
            outputs = stack.enter_context(reading(bootstrap, setup.output, setup.dead, model))
            scenes.append(Scene(matrix_row, setup, outputs, workers, template.spawn))
            return scenes[-1]

        yield build
    results = [scene.result for scene in scenes if scene.result is not None]
    if request.node.stash.get(PASSED, False):
        assert results, "a row counts its records"
        _write_down(results[-1].plain())


@pytest.fixture(scope="session")
def shaky_broker() -> Iterator[Shaky]:
    """The session's broker to break."""
    with breakable(KAFKA) as shaky:
        yield shaky


@pytest.fixture
def shaky(shaky_broker: Shaky) -> Iterator[Shaky]:
    """The broker to break, repaired after the test; tests that take it down use `mortal`."""
    yield shaky_broker
    _mend(shaky_broker)


@pytest.fixture(scope="session")
def mortal_broker() -> Iterator[Shaky]:
    """The session's broker to kill."""
    with breakable(ALONE) as mortal:
        yield mortal


@pytest.fixture
def mortal(mortal_broker: Shaky) -> Iterator[Shaky]:
    """The broker to kill, at work again after the test."""
    yield mortal_broker
    _mend(mortal_broker)


def _mend(shaky: Shaky) -> None:
    shaky.proxy.restore()
    shaky.proxy.reset()
    if not shaky.broker.running:
        shaky.broker.start()


@pytest.fixture(scope="session")
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path | None]:
    """A file system of its own that is soon full; None where there can't be one."""
    folder = tmp_path_factory.mktemp("disk")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_MB}m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        yield None  # it needs root
        return
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture(scope="session")
def cluster(small_disk: Path | None) -> Iterator[Cluster]:
    """The session's three brokers; the last has the small disk."""
    with had(lambda: Cluster(None if small_disk is None else small_disk / "data")) as cluster:
        yield cluster


@pytest.fixture
def scene(stage: Callable[..., Scene], kafka: Kafka) -> Scene:
    """The usual scene on the session's Kafka."""
    return stage(kafka.bootstrap)


SMALL_MB = 256
"""Kafka's own topics take a fifth of it."""

PASSED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Iterator[None]:
    """Keep whether the test itself passed, for the fixture that writes its row down."""
    report = yield
    if call.when == "call":
        item.stash[PASSED] = report.passed  # type: ignore[attr-defined]
    return report


def _write_down(result: Mapping[str, Any]) -> None:
    if named := os.environ.get(RESULTS):
        folder = Path(named)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{result['id']}.json").write_text(json.dumps(result))
