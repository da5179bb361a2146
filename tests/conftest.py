"""What every test has: a clean environment, and real servers where the machine can have them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn, Protocol, TypeVar

import hypothesis
import pytest

from tests.kafka.artifacts import ALONE, KAFKA, Unavailable, find_java, kafka_jars, registry_jars
from tests.kafka.broker import Broker
from tests.kafka.registry import Registry
from tests.kafka.secured import SecuredBroker
from tests.kafka.topics import Topics

KAFKA_BOOTSTRAP = os.environ.get("KAFKA_BOOTSTRAP")
"""A Kafka that is already there; its topics are cleaned up, nothing else on it is touched."""

REQUIRED = os.environ.get("STREAM_REQUIRE_KAFKA") == "1"
"""A test that can't have its real server fails instead of being skipped."""

_KEPT = {"KAFKA_BOOTSTRAP", "KAFKA_VERSION"} | {
    f"STREAM_REQUIRE_{each}" for each in ("KAFKA", "BROWSER", "TOOLS")
}

# At import, before any test module can read it: a developer's own settings must not reach the tests.
for _name in [name for name in os.environ if name.startswith(("STREAM_", "KAFKA_")) and name not in _KEPT]:
    del os.environ[_name]


# No test of ours is about time: not one of an example, nor that of making it, on a machine that is busy.
hypothesis.settings.register_profile(
    "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("patient")

_Server = TypeVar("_Server")


class Kafka(Protocol):
    """What a test needs to know of the session's Kafka."""

    @property
    def bootstrap(self) -> str:
        """Where it is."""


class Given:
    """The Kafka of `KAFKA_BOOTSTRAP`."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap


def _missing(why: Unavailable) -> NoReturn:
    if REQUIRED:
        pytest.fail(f"STREAM_REQUIRE_KAFKA=1, and the real server can't be had: {why}", pytrace=False)
    pytest.skip(f"no real server: {why}")


_FETCHED_BY = {"kafka": kafka_jars, "broker": kafka_jars, "secured": kafka_jars, "registry": registry_jars}


def pytest_collection_finish(session: pytest.Session) -> None:
    """Fetch what the chosen tests need before the first one starts, outside any test's time limit."""
    if session.config.option.collectonly:
        return
    wanted = {name for item in session.items for name in getattr(item, "fixturenames", ())}
    if any(item.get_closest_marker("kafka") for item in session.items):
        wanted.add("kafka")  # it may be asked for by a parameter, which no fixture list shows
    if KAFKA_BOOTSTRAP:
        wanted.discard("kafka")
    for fetch in {fetch for name, fetch in _FETCHED_BY.items() if name in wanted}:
        try:
            find_java()
            fetch()
        except Unavailable:
            continue  # the fixture says it, to the tests that it concerns


def pytest_report_header() -> str:
    """Say which real Kafka the run has."""
    if KAFKA_BOOTSTRAP:
        return f"real Kafka: KAFKA_BOOTSTRAP={KAFKA_BOOTSTRAP}"
    try:
        return f"real Kafka: Apache Kafka {KAFKA} is started on demand with {find_java()}"
    except Unavailable as why:
        return f"real Kafka: none, its tests {'fail' if REQUIRED else 'are skipped'}: {why}"


@pytest.fixture(scope="session")
def kafka() -> Iterator[Kafka]:
    """The session's real Kafka; started by the first test that asks. Don't stop it: others use it."""
    if KAFKA_BOOTSTRAP:
        yield Given(KAFKA_BOOTSTRAP)
        return
    with had(Broker) as broker:
        yield broker


@pytest.fixture
def broker() -> Iterator[Broker]:
    """A real Kafka of the test's own, to kill and restart."""
    with had(lambda: Broker(version=ALONE)) as broker:
        yield broker


@pytest.fixture(scope="session")
def secured() -> Iterator[SecuredBroker]:
    """The session's Kafka behind SASL, TLS and ACLs; each test makes users of its own. Don't stop it."""
    with had(SecuredBroker) as secured:
        yield secured


@pytest.fixture(scope="session")
def registry() -> Iterator[Registry]:
    """The session's real schema registry."""
    with had(Registry) as registry:
        yield registry


@pytest.fixture
def topics(kafka: Kafka) -> Iterator[Topics]:
    """Fresh topics on the session's Kafka."""
    topics = Topics(kafka.bootstrap)
    yield topics
    if KAFKA_BOOTSTRAP:
        topics.delete()


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small model of `tests.acceptance.visits`, packed; not to be changed."""
    from tests.acceptance import visits

    return visits.packed(tmp_path_factory.mktemp("packages") / "visits")


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    """A local Spark for one module's tests; needs pyspark and Java."""
    from stream.spark import open_session

    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = open_session("local[2]", "tests")
    yield session
    session.stop()


def had(make: Callable[[], _Server]) -> _Server:
    """A server, or the test is skipped (or fails, where servers are required) because it can't be had."""
    try:
        return make()
    except Unavailable as why:
        _missing(why)
