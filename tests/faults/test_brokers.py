"""Brokers that die, stand still, move, or have no room left."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.faults.row import row
from tests.faults.scene import Scene
from tests.faults.shaky import Shaky
from tests.kafka.cluster import Cluster, coordinating


@row("broker-killed", "kill -9 of the broker, back after 2 s", core=True)
def test_broker_killed(stage: Callable[..., Scene], mortal: Shaky) -> None:
    """The worker waits for its broker and goes on."""
    scene = stage(mortal.broker.bootstrap)
    with scene.feed() as feed:
        worker = scene.start()
        scene.warm(worker)
        pid = mortal.broker.pid
        mortal.broker.kill()
        scene.struck(f"the broker's process {pid} was killed", drain=False)
        scene.keep_reading(2)
        mortal.broker.start()
        assert pid != mortal.broker.pid
        worker = scene.recovers_by(worker)
        scene.fed(feed)
    scene.settle(worker)


@row("broker-restarted", "the broker is restarted cleanly, twice")
def test_broker_restarted(stage: Callable[..., Scene], mortal: Shaky) -> None:
    """A clean restart is no more than a pause."""
    scene = stage(mortal.broker.bootstrap)
    with scene.feed() as feed:
        worker = scene.start()
        for _ in range(2):
            scene.warm(worker)
            pid = mortal.broker.pid
            scene.struck(f"the broker's process {pid} was restarted", drain=False)
            mortal.broker.restart()
            worker = scene.recovers_by(worker)
        scene.fed(feed)
    scene.settle(worker)


@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(4.0, id="short", marks=row("broker-frozen-short", "the broker stands still for 4 s")),
        pytest.param(
            15.0,
            id="long",
            marks=row("broker-frozen-long", "the broker stands still for 15 s, past all time-outs"),
        ),
    ],
)
def test_broker_frozen(seconds: float, stage: Callable[..., Scene], mortal: Shaky) -> None:
    """A broker that hangs keeps its connections, and answers nothing."""
    scene = stage(mortal.broker.bootstrap)
    with scene.feed() as feed:
        worker = scene.start()
        scene.warm(worker)
        scene.strikes()
        os.kill(mortal.broker.pid, signal.SIGSTOP)
        try:
            scene.keep_reading(seconds)
            state = Path(f"/proc/{mortal.broker.pid}/stat").read_text().rpartition(")")[2].split()[0]
        finally:
            os.kill(mortal.broker.pid, signal.SIGCONT)
        assert "T" == state
        scene.struck(f"the broker's process was in state T for {seconds:g} s")
        worker = scene.recovers_by(worker)
        scene.fed(feed)
    scene.settle(worker)


def _fill(folder: Path) -> Path:
    """A file that takes all the room there is."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"\0" * 65_536)
    return filler


@row("disk-full", "three brokers: the disk of one is full, until somebody makes room")
def test_disk_full(stage: Callable[..., Scene], cluster: Cluster, small_disk: Path | None) -> None:
    """Kafka ends where its disk is full; the others go on."""
    if small_disk is None:
        pytest.skip("a file system of its own needs root")
    scene = stage(cluster.bootstrap, replicas=3)
    node = cluster.nodes[3]
    with scene.feed() as feed:
        worker = scene.start()
        scene.warm(worker)
        scene.strikes()
        filler = _fill(small_disk)
        try:
            scene.keep_reading_until(lambda: not node.running, "the broker to end")
            assert "No space left on device" in node.tail(2_000)
        finally:
            filler.unlink()
            node.kill()
            node.start()
        scene.struck("the broker's log says: No space left on device; its process ended")
        worker = scene.recovers_by(worker)
        cluster.whole(scene.setup.input, scene.setup.output, scene.setup.dead)
        scene.fed(feed)
    scene.settle(worker)


def _kill_node(scene: Scene, cluster: Cluster, number: int, words: str) -> None:
    """Kill a node under a feed, see the worker go on without it, and bring it back."""
    topics = (scene.setup.input, scene.setup.output, scene.setup.dead)
    node = cluster.nodes[number]
    with scene.feed() as feed:
        worker = scene.current() or scene.start()
        scene.warm(worker)
        try:
            node.kill()
            scene.struck(f"node {number} was killed: {words}", drain=False)
            worker = scene.recovers_by(worker)
            scene.keep_reading(2)
        finally:
            node.start()
        cluster.whole(*topics)
        scene.fed(feed)
    scene.settle(worker)


@row("leader-killed", "three brokers: the leader of output partitions is killed", core=True)
def test_leader_killed(stage: Callable[..., Scene], cluster: Cluster) -> None:
    """Replication 3, min.insync.replicas 2: a leader's death is a pause."""
    scene = stage(cluster.bootstrap, replicas=3)
    leader = cluster.leader(scene.setup.output, 0)
    _kill_node(scene, cluster, leader, f"leader of {scene.setup.output}[0]")
    assert leader != cluster.leader(scene.setup.output, 0)


@row("group-coordinator-killed", "three brokers: the group's coordinator is killed and moves")
def test_group_coordinator(stage: Callable[..., Scene], cluster: Cluster) -> None:
    """The group's offsets and members are found at the next coordinator."""
    scene = stage(cluster.bootstrap, replicas=3)
    with scene.feed() as feed:
        scene.warm(scene.start())
        scene.fed(feed)
    place = coordinating(scene.setup.group)
    leader = cluster.leader("__consumer_offsets", place)
    _kill_node(scene, cluster, leader, f"leader of __consumer_offsets[{place}], where the group is")
    assert leader != cluster.leader("__consumer_offsets", place)


@row("transaction-coordinator-killed", "three brokers: the transaction's coordinator is killed and moves")
def test_transaction_coordinator(stage: Callable[..., Scene], cluster: Cluster) -> None:
    """The transaction in flight is finished or aborted at the next coordinator."""
    scene = stage(cluster.bootstrap, replicas=3)
    with scene.feed() as feed:
        scene.warm(scene.start("a"))
        scene.fed(feed)
    place = coordinating(f"{scene.setup.group}.a")
    leader = cluster.leader("__transaction_state", place)
    _kill_node(scene, cluster, leader, f"leader of __transaction_state[{place}], where the transaction is")
    assert leader != cluster.leader("__transaction_state", place)


@row(
    "broker-bounce-in-commit",
    "the broker takes a commit, its answer is lost, and it is killed and started again",
)
def test_bounce_in_commit(stage: Callable[..., Scene], mortal: Shaky) -> None:
    """Nobody tells the worker what became of its commit."""
    scene = stage(mortal.broker.bootstrap, mortal.through)
    pause = scene.plant("commit_transaction", "before", 8, "sleep", number=1.5)
    with scene.feed() as feed:
        worker = scene.start("a", [pause])
        scene.fires(pause, worker)
        mortal.proxy.cut("back")
        scene.keep_reading_until(lambda: mortal.proxy.held("back") > 0, "an answer to be held back")
        scene.keep_reading(2)
        mortal.broker.kill()
        mortal.proxy.restore()
        mortal.proxy.reset()
        mortal.broker.start()
        scene.struck(f"the proxy held back {mortal.proxy.held('back')} bytes; the broker was killed then")
        worker = scene.recovers_by(worker)
        scene.fed(feed)
    scene.settle(worker)
