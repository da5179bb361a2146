"""One small package for all, and per test: topics, a configuration, and processes that end with the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from stream.store import Wish, pack
from tests.acceptance import visits
from tests.acceptance.process import Setup, Tables, Worker
from tests.acceptance.reader import Outputs, reading
from tests.conftest import Kafka
from tests.kafka.topics import Topics

PARTITIONS = 4

# The events' timestamps are fixed and long past; a broker would drop such records after half a minute.
KEPT = {"retention.ms": "-1"}


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small model of `visits`, packed."""
    folder = tmp_path_factory.mktemp("packages") / "visits"
    pack(visits.estimator(), Wish("visits", folder, carry=("id",)), schema=visits.SCHEMA)
    return folder


@pytest.fixture
def workers() -> Iterator[Callable[..., Worker]]:
    """Starts workers; those that still run at the end of the test are killed."""
    with ExitStack() as stack:

        def start(setup: Setup, name: str = "worker", **options: Any) -> Worker:
            return stack.enter_context(Worker(setup, name, **options))

        yield start


def make_setup(
    folder: Path, topics: Topics, package: Path, tables: Tables | None = None, dead: dict[str, str] | None = None
) -> Setup:
    """Fresh topics, and a configuration that names them."""
    return Setup(
        folder,
        topics.bootstrap,
        topics.name("group"),
        topics.create("in", PARTITIONS, KEPT),
        topics.create("out", PARTITIONS, KEPT),
        topics.create("dead", 1, {**KEPT, **(dead or {})}),
        package,
        tables or {},
    )


@pytest.fixture
def setup(tmp_path: Path, topics: Topics, package: Path) -> Setup:
    """Three fresh topics on the session's Kafka, and a configuration that names them."""
    return make_setup(tmp_path, topics, package)


@pytest.fixture
def outputs(setup: Setup) -> Iterator[Outputs]:
    """What comes out of `setup`."""
    with reading(setup.bootstrap, setup.output, setup.dead, setup.package) as found:
        yield found


@pytest.fixture
def make(tmp_path: Path, kafka: Kafka, topics: Topics, package: Path) -> Callable[..., Setup]:
    """A setup with settings of the test's own: `make(tables, dead={…})`; `dead` are topic settings."""

    def built(tables: Tables | None = None, *, dead: dict[str, str] | None = None, model: Path = package) -> Setup:
        return make_setup(tmp_path, topics, model, tables, dead)

    return built
