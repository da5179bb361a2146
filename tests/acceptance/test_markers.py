"""A transactional upstream: its markers and aborted records have offsets, and nobody has to read them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from stream.app import Parts, assemble
from stream.settings import (
    DeadLetterSettings,
    DeliverySettings,
    InputSettings,
    KafkaSettings,
    ModelSettings,
    OutputSettings,
    Settings,
)
from stream.tasks import observe_group
from tests.acceptance.reader import Outputs, ends, reading
from tests.acceptance.rig import running
from tests.acceptance.upstream import Upstream
from tests.conftest import Kafka
from tests.kafka.process import wait_for
from tests.kafka.topics import Topics

pytestmark = pytest.mark.kafka

ANSWER_S = 60.0

GUARANTEES = ("exactly-once", "at-least-once")


@pytest.fixture(params=GUARANTEES)
def settings(request: pytest.FixtureRequest, kafka: Kafka, topics: Topics, package: Path) -> Settings:
    """Fresh topics, the input with two partitions."""
    return Settings(
        kafka=KafkaSettings(kafka.bootstrap, topics.name("group")),
        model=ModelSettings(uri=str(package), open_timeout=None),
        input=InputSettings(topics.create("in", 2)),
        output=OutputSettings(topics.create("out")),
        dead_letters=DeadLetterSettings(topics.create("dead")),
        delivery=DeliverySettings(guarantee=request.param, instance="a"),
    )


@pytest.fixture
def upstream(settings: Settings, topics: Topics) -> Upstream:
    """Writes to the input."""
    return Upstream(settings.kafka.bootstrap_servers, settings.input.topic, topics.name("upstream"))


@pytest.fixture
def outputs(settings: Settings, package: Path) -> Iterator[Outputs]:
    """What comes out."""
    servers = settings.kafka.bootstrap_servers
    with reading(servers, settings.output.topic, settings.dead_letters.topic, package) as found:
        yield found


@pytest.fixture
def work() -> Iterator[Callable[[Settings], Parts]]:
    """Starts workers in threads; all of them must end well with the test."""
    with ExitStack() as stack:

        def start(settings: Settings) -> Parts:
            parts = assemble(settings)
            stack.enter_context(running(parts))
            return parts

        yield start


def _at_the_end(settings: Settings) -> bool:
    committed, high = ends(settings.kafka.bootstrap_servers, settings.kafka.group, settings.input.topic)
    return committed == high


def test_worker_that_has_read_everything_starts_again_on_an_emptied_topic(
    settings: Settings, upstream: Upstream, outputs: Outputs, work: Callable[[Settings], Parts]
) -> None:
    """Lag is 0 for the group and for the worker, retention takes all, and what comes later is scored once."""
    with running(first := assemble(settings)):
        upstream.write(100)
        upstream.write(30, commits=False)
        outputs.inputs(100)
        wait_for(lambda: _at_the_end(settings), ANSWER_S, "the group to stand at the end")
        assert 0 == observe_group(settings, 0.01).lag
        wait_for(lambda: set(first.engine.backlog.lag.values()) == {0}, ANSWER_S, "the worker to see no lag")
    upstream.empty()
    work(settings)
    upstream.write(40)

    outputs.inputs(140).to_end()
    assert {1} == set(outputs.count.values())


def test_second_worker_joins_on_an_emptied_topic(
    settings: Settings, upstream: Upstream, outputs: Outputs, work: Callable[[Settings], Parts]
) -> None:
    """A partition that moves is read on where the first worker stood: past the markers."""
    first = work(settings)
    upstream.write(100)
    outputs.inputs(100)
    wait_for(lambda: _at_the_end(settings), ANSWER_S, "the group to stand at the end")
    upstream.empty()
    second = work(replace(settings, delivery=replace(settings.delivery, instance="b")))
    wait_for(
        lambda: len(first.source.owned) == len(second.source.owned) == 1, ANSWER_S, "a partition for each"
    )
    upstream.write(40)

    outputs.inputs(140).to_end()
    assert {1} == set(outputs.count.values())


def test_idle_worker_stops_committing(
    settings: Settings, upstream: Upstream, work: Callable[[Settings], Parts]
) -> None:
    """Once the end is committed, an idle worker asks nothing of the brokers' transactions."""
    upstream.write(10)
    parts = work(settings)
    wait_for(lambda: _at_the_end(settings), ANSWER_S, "the group to stand at the end")
    commits = parts.metrics.registry.get_sample_value
    observe_group(settings, 1.0)  # the last commit is counted after it is visible

    before = commits("stream_commits_total", {"result": "ok"})
    observe_group(settings, 2.0)
    assert before == commits("stream_commits_total", {"result": "ok"})
