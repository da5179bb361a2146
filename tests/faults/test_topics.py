"""Topics that change under a worker, and records that they do not take."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin._acl import AclOperation
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType
from confluent_kafka.cimpl import NewPartitions, NewTopic

from tests.acceptance import visits
from tests.acceptance.conftest import KEPT, PARTITIONS
from tests.acceptance.reader import ends
from tests.conftest import Kafka
from tests.faults.mix import Mix
from tests.faults.row import row
from tests.faults.scene import Scene
from tests.faults.shaky import Shaky
from tests.kafka.process import wait_for

ANSWER_S = 60.0

Stage = Callable[..., Scene]


def _odd_ones_are_refused(scene: Scene, reason: str) -> None:
    """Every odd event of 3,000, and no other, is a dead letter of stage publish."""
    scene.send(3_000)
    worker = scene.start()
    scene.follow(worker)
    refused = scene.reasons("publish")
    scene.struck(f"dead letters of stage publish: {dict(refused)}")
    assert refused[reason]
    assert scene.mix.odds(scene.sent) == refused.total()
    scene.settle(worker)


@row("output-recreated", "the output topic is deleted and made again")
def test_output_recreated(stage: Stage, kafka: Kafka) -> None:
    """What is sent while the topic is away is scored when it is back."""
    scene = stage(kafka.bootstrap)
    worker = scene.start()
    scene.send(1_000)
    good, junk, _ = scene.mix.split(scene.sent)
    scene.outputs.inputs(len(good) + len(junk), worker)
    admin, topic = scene.admin, scene.setup.output
    admin.delete_topics([topic])[topic].result(ANSWER_S)
    wait_for(
        lambda: topic not in admin.list_topics(timeout=ANSWER_S).topics, ANSWER_S, "the topic to be gone"
    )
    scene.struck(f"{topic} was not among the broker's topics", drain=False)
    scene.send(2_000)
    worker.says("topics are gone", 40)
    admin.create_topics([NewTopic(topic, PARTITIONS, 1, config=KEPT)])[topic].result(ANSWER_S)
    scene.outputs.again()
    worker = scene.recovers_by(worker)
    scene.settle(worker)


@row("prediction-too-large", "predictions that the output topic finds too large", core=True)
def test_too_large(stage: Stage, kafka: Kafka) -> None:
    """A record whose own headers make its prediction too large is a dead letter; its neighbours are scored."""
    scene = stage(kafka.bootstrap, configs={"out": {"max.message.bytes": "20000"}})
    scene.mix = Mix(
        scene.row.seed, odd_every=701, odd=lambda event: replace(event, headers=[("blob", b"x" * 30_000)])
    )
    _odd_ones_are_refused(scene, "message_too_large")


@row("predictions-too-large-all", "a topic that finds most predictions too large")
def test_most_too_large(stage: Stage, kafka: Kafka) -> None:
    """It is found within seconds, not one by one; every record is a dead letter or scored."""
    scene = stage(
        kafka.bootstrap, {"batching": {"max_records": 2_000}}, configs={"out": {"max.message.bytes": "20000"}}
    )

    def large(event: visits.Event) -> visits.Event:
        return replace(event, headers=[("blob", b"x" * (20_000 + zlib.crc32(event.value or b"") % 10_000))])

    scene.mix = Mix(scene.row.seed, odd_every=3, odd=large)
    scene.send(3_000)
    worker = scene.start()
    scene.keep_reading_until(lambda: scene.reasons("publish").total() > 100, "dead letters")
    refused = scene.reasons("publish")
    scene.struck(f"dead letters of stage publish: {dict(refused)}")
    scene.follow(worker)
    assert {"message_too_large": scene.mix.odds(scene.sent)} == dict(scene.reasons("publish"))
    scene.settle(worker)


@row("timestamp-refused", "timestamps that the broker refuses")
def test_timestamp_refused(stage: Stage, kafka: Kafka) -> None:
    """They end as dead letters stamped now, never in a loop."""
    limit = {"message.timestamp.after.max.ms": "3600000"}
    into = {"message.timestamp.after.max.ms": str(2**62)}
    scene = stage(kafka.bootstrap, configs={"in": into, "out": limit, "dead": limit})
    scene.mix = Mix(
        scene.row.seed, odd_every=701, odd=lambda event: replace(event, timestamp_ms=4_000_000_000_000)
    )
    _odd_ones_are_refused(scene, "timestamp_refused")


@row("dead-letter-refused", "a dead letter that its topic finds too large: the worker stops")
def test_dead_letter_refused(stage: Stage, kafka: Kafka) -> None:
    """It is not skipped: the worker stops with its place, and goes on when there is room."""
    scene = stage(kafka.bootstrap, configs={"dead": {"max.message.bytes": "20000"}})
    scene.mix = Mix(
        scene.row.seed,
        odd_every=701,
        odd=lambda event: replace(event, value=b"\xc3\x01" + b"x" * 30_000 + (event.value or b"")[2:]),
    )
    scene.send(3_000)
    worker = scene.start()
    assert 1 == worker.end(), worker.tail()
    scene.struck("exit 1, and the log names topic, partition and offset")
    assert f"{scene.setup.input}[" in worker.text().split("the worker stops:")[1]
    scene.alter(scene.setup.dead, "max.message.bytes", "200000")
    heir = scene.start()
    scene.recovers()
    scene.settle(heir)


@row("partitions-added", "partitions are added to the input")
def test_partitions_added(stage: Stage, kafka: Kafka) -> None:
    """They are read within seconds, from their first record."""
    scene = stage(kafka.bootstrap)
    with scene.feed() as feed:
        worker = scene.start()
        scene.warm(worker)
        more = PARTITIONS + 2
        scene.admin.create_partitions([NewPartitions(scene.setup.input, more)])[scene.setup.input].result(
            ANSWER_S
        )
        scene.fed(feed)
    scene.struck(f"the broker has {more} partitions of {scene.setup.input}")
    with scene.feed() as feed:  # a producer of its own, which knows of the new ones
        scene.recovers(range(PARTITIONS, more))
        scene.fed(feed)
    scene.settle(worker)


def _overtaken(scene: Scene) -> tuple[int, int]:
    """Stop the worker, write more, and delete what was not read of partition 1: (first kept, committed) offset."""
    worker = scene.start()
    scene.send(2_000)
    scene.follow(worker)
    worker.terminate()
    assert 0 == worker.end(), worker.tail()
    scene.send(2_000)
    committed, high = ends(scene.setup.bootstrap, scene.setup.group, scene.setup.input)
    low = (committed[1] + high[1]) // 2
    place = TopicPartition(scene.setup.input, 1, low)
    [deleted] = scene.admin.delete_records([place]).values()
    assert low == deleted.result(ANSWER_S).low_watermark
    scene.struck(f"partition 1 begins at {low}, the group is at {committed[1]}")
    return low, committed[1]


@row("retention-stop", "retention overtakes the worker; on_out_of_range = stop")
def test_out_of_range_stops(stage: Stage, kafka: Kafka) -> None:
    """The worker stops, says what is missing and what can be chosen; nothing moves until somebody chooses."""
    scene = stage(kafka.bootstrap)
    scene.mix = Mix(scene.row.seed, null_every=10**9)
    low, committed = _overtaken(scene)
    worker = scene.start()
    assert 1 == worker.end(), worker.tail()
    reason = worker.text().split("the worker stops:")[1]
    assert "on_out_of_range" in reason
    assert f"{scene.setup.input}[1]" in reason
    assert committed == ends(scene.setup.bootstrap, scene.setup.group, scene.setup.input)[0][1]
    scene.gone = low - committed
    chosen = scene.start(environ={"STREAM_INPUT__ON_OUT_OF_RANGE": "earliest"})
    scene.recovers()
    scene.settle(chosen)


@pytest.mark.parametrize(
    "choice",
    [
        pytest.param(
            choice,
            id=choice,
            marks=row(f"retention-{choice}", f"retention overtakes the worker; on_out_of_range = {choice}"),
        )
        for choice in ("earliest", "latest")
    ],
)
def test_out_of_range_goes_on(choice: str, stage: Stage, kafka: Kafka) -> None:
    """The worker says what is missing and goes on at the end that was chosen."""
    scene = stage(kafka.bootstrap, {"input": {"on_out_of_range": choice}})
    scene.mix = Mix(scene.row.seed, null_every=10**9)
    low, committed = _overtaken(scene)
    high = ends(scene.setup.bootstrap, scene.setup.group, scene.setup.input)[1][1]
    first = low if choice == "earliest" else high
    worker = scene.start()
    worker.says(f"offset out of range; going on at {choice}, {first}")
    scene.gone = first - committed
    scene.recovers()
    scene.send(500)
    scene.settle(worker)


@row("acl-revoked", "the right to write the output topic is taken away, and given back", core=True)
def test_acl_revoked(stage: Stage, shaky: Shaky) -> None:
    """The worker stops and names the topic; with the right it goes on."""
    scene = stage(shaky.broker.bootstrap, shaky.by_password)
    shaky.allow(scene.setup)
    write = (ResourceType.TOPIC, scene.setup.output, ResourcePatternType.LITERAL, AclOperation.WRITE)
    with scene.feed() as feed:
        worker = scene.start()
        scene.warm(worker)
        shaky.forbid(*write)
        assert 1 == worker.end(), worker.tail()
        reason = worker.text().split("the worker stops:")[1]
        assert "AUTHORIZATION_FAILED" in reason
        scene.struck(
            f"the broker said {reason.split('AUTHORIZATION_FAILED')[0].split()[-1]}AUTHORIZATION_FAILED"
        )
        shaky.permit(*write)
        heir = scene.start()
        scene.recovers()
        scene.fed(feed)
    scene.settle(heir)
