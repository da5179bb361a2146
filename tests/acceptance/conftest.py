"""One small package for all, and per test: topics, a configuration, and processes that end with the test."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.process import Setup, Tables, Worker
from tests.acceptance.reader import Outputs, reading
from tests.conftest import Kafka
from tests.kafka.topics import Topics

PARTITIONS = 4

# The events' timestamps are fixed and long past; a broker would drop such records after half a minute.
KEPT = {"retention.ms": "-1"}


@pytest.fixture
def workers() -> Iterator[Callable[..., Worker]]:
    """Starts workers; those that still run at the end of the test are killed. pytest shows their logs if it failed."""
    started: list[Worker] = []
    with ExitStack() as stack:

        def start(setup: Setup, name: str = "worker", **options: Any) -> Worker:
            started.append(stack.enter_context(Worker(setup, name, **options)))
            return started[-1]

        yield start
    for worker in started:
        sys.stdout.write(f"{worker.tail()}\n")


def make_setup(
    folder: Path,
    topics: Topics,
    package: Path,
    tables: Tables | None = None,
    configs: Mapping[str, Mapping[str, str]] | None = None,
    partitions: int = PARTITIONS,
) -> Setup:
    """Fresh topics, and a configuration that names them; `configs` are topic settings of `in`, `out`, `dead`."""
    wanted = {"in": partitions, "out": partitions, "dead": 1}
    made = {
        name: topics.create(name, count, {**KEPT, **(configs or {}).get(name, {})})
        for name, count in wanted.items()
    }
    names = made["in"], made["out"], made["dead"]
    return Setup(folder, topics.bootstrap, topics.name("group"), *names, package, tables or {})


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
    """
    A setup with settings that the test chooses: `make(tables, dead={…})`.

    `into`, `out` and `dead` are settings of the input, output and dead-letter topic.
    """

    def built(
        tables: Tables | None = None,
        *,
        into: Mapping[str, str] | None = None,
        out: Mapping[str, str] | None = None,
        dead: Mapping[str, str] | None = None,
        model: Path = package,
    ) -> Setup:
        configs = {"in": into or {}, "out": out or {}, "dead": dead or {}}
        return make_setup(tmp_path, topics, model, tables, configs)

    return built
