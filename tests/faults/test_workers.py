"""Workers that stand still, take over, come and go, run out of memory, or lose their sense of time."""

from __future__ import annotations

import random
import resource
import shutil
import signal
import struct
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from stream.store import PackRequest, pack
from tests.acceptance import visits
from tests.acceptance.conftest import PARTITIONS
from tests.acceptance.process import Worker
from tests.acceptance.reader import ends
from tests.acceptance.visits import Event
from tests.conftest import Kafka
from tests.faults.fatal import POISON, Fatal
from tests.faults.mix import Mix
from tests.faults.plan import Fault
from tests.faults.row import row
from tests.faults.scene import FOLLOW_S, Scene
from tests.kafka.process import wait_for

Stage = Callable[..., Scene]

ZOMBIE_S = 18.0
"""Longer than the session (6 s), than a transaction's time-out (10 s) and the broker's look for it (1 s)."""


def _state(worker: Worker) -> str:
    return Path(f"/proc/{worker.pid}/stat").read_text().rpartition(")")[2].split()[0]


def _take_over(scene: Scene, victim: Worker, heir: Worker) -> None:
    """One of two workers that share the partitions evenly is killed; its partitions go on with the other."""
    scene.keep_reading_until(
        lambda: all(len(w.partitions()) == PARTITIONS // 2 for w in (victim, heir)), "an even share"
    )
    scene.warm(heir)
    orphans = victim.partitions()
    victim.kill()
    scene.struck(f"killed; it had partitions {orphans}")
    scene.recovers(orphans)


def _owns_all(worker: Worker) -> bool:
    return len(worker.partitions()) == PARTITIONS


@row(
    "frozen-while-producing",
    "SIGSTOP in the middle of a batch for 18 s, another takes over, SIGCONT: a zombie",
    core=True,
)
def test_zombie(scene: Scene) -> None:
    """What the zombie had begun does not count; what it does afterwards neither doubles nor disturbs."""
    _haunt(scene, scene.plant("produce", "after", 1_550, "freeze"))


def _haunt(scene: Scene, freeze: Fault) -> None:
    """Freeze a worker past all time-outs, let another take over, and thaw it."""
    with scene.feed() as feed:
        zombie = scene.start("a", [freeze])
        scene.fires(freeze, zombie)
        wait_for(lambda: _state(zombie) == "T", 5, "the process to stand still")
        began = time.monotonic()
        heir = scene.start("b")
        scene.recovers()
        scene.keep_reading(max(0.0, ZOMBIE_S - (time.monotonic() - began)))
        heir.until(lambda: _owns_all(heir), 30, "the heir to own all partitions")
        zombie.thaw()
        scene.keep_reading(5)
        scene.fed(feed)
    if zombie.running:
        scene.settle(zombie, heir)
    else:
        assert 1 == zombie.end(), zombie.tail()
        scene.settle(heir)


@row(
    "frozen-before-commit",
    "SIGSTOP before a commit for 18 s, another takes over, SIGCONT: a zombie that commits",
)
def test_zombie_commits(scene: Scene) -> None:
    """The commit that the zombie was about to make is refused."""
    _haunt(scene, scene.plant("commit_transaction", "before", 6, "freeze"))


@row("same-instance", "two workers have the same [delivery] instance")
def test_same_instance(scene: Scene) -> None:
    """The younger fences the elder, which ends with exit 1 and says why."""
    with scene.feed() as feed:
        elder = scene.start("a")
        scene.warm(elder)
        younger = scene.start("a")
        assert 1 == elder.end(), elder.tail()
        reason = elder.text().split("the worker stops:")[1]
        assert "[delivery] instance" in reason
        scene.struck("exit 1 of the elder, whose log says that another worker has its transactional id")
        scene.recovers()
        scene.fed(feed)
    scene.settle(younger)


@row("killed-others-take-over", "kill -9 of one of two workers; the other takes over")
def test_takeover(scene: Scene) -> None:
    """The partitions of the dead are read by the other; how long until the first of their records."""
    with scene.feed() as feed:
        victim, heir = scene.start("a"), scene.start("b")
        _take_over(scene, victim, heir)
        scene.fed(feed)
    scene.settle(heir)


@row("join-and-leave", "two to six workers join, leave and are killed under load")
def test_join_and_leave(stage: Stage, kafka: Kafka) -> None:
    """Whoever has a partition goes on where the one before stopped."""
    scene = stage(kafka.bootstrap, partitions=6)
    moments = random.Random(scene.row.seed)
    with scene.feed(400) as feed:
        working = [scene.start("a"), scene.start("b")]
        scene.warm(working[0])
        for name in "cdef":
            working.append(scene.start(name))
            scene.keep_reading(moments.uniform(0.5, 2.0))
        scene.keep_reading_until(
            lambda: all(len(w.partitions()) == 1 for w in working), "one partition for each"
        )
        for kill in (False, True, False, True):
            leaver = working.pop(moments.randrange(len(working)))
            orphans = leaver.partitions()
            if kill:
                leaver.kill()
                scene.struck(f"{leaver.name} was killed")
                scene.recovers(orphans)
            else:
                leaver.terminate()
                assert 0 == leaver.end(), leaver.tail()
            scene.keep_reading(moments.uniform(0.5, 2.0))
        scene.fed(feed)
    scene.settle(*working)


@row(
    "transactional-upstream",
    "the upstream writes in transactions and aborts every third; workers join, leave and are killed",
)
def test_transactional_upstream(stage: Stage, kafka: Kafka) -> None:
    """Nobody commits past a record that is not scored, and in the end the group stands at the end."""
    scene = stage(kafka.bootstrap, partitions=3)
    moments = random.Random(scene.row.seed)
    with scene.feed(400, f"{scene.setup.input}.upstream") as feed:
        working = [scene.start("a"), scene.start("b")]
        scene.warm(working[0])
        for name in "cdef":
            leaver = working.pop(0)
            if name in "ce":
                leaver.kill()
                scene.struck(f"{leaver.name} was killed")
            else:
                leaver.terminate()
                assert 0 == leaver.end(), leaver.tail()
            working.append(scene.start(name))
            scene.keep_reading(moments.uniform(1.0, 3.0))
        scene.recovers()
        scene.fed(feed)
    scene.follow(working[-1])
    wait_for(lambda: _at_the_end(scene), FOLLOW_S, "the group to stand at the end")
    scene.settle(*working)


def _at_the_end(scene: Scene) -> bool:
    committed, high = ends(scene.setup.bootstrap, scene.setup.group, scene.setup.input)
    return committed == high


@row(
    "static-member-restarts",
    "a static member (group.instance.id) is killed and comes back within its session",
)
def test_static_membership(stage: Stage, kafka: Kafka) -> None:
    """It has its partitions again; the others are not asked to move."""
    tables = {"kafka.consumer": {"session.timeout.ms": 30_000}, "delivery": {"static_membership": True}}
    scene = stage(kafka.bootstrap, tables)
    with scene.feed() as feed:
        victim = scene.start("a")
        other = scene.start("b")
        both = (victim, other)
        scene.keep_reading_until(
            lambda: all(len(w.partitions()) == PARTITIONS // 2 for w in both), "an even share"
        )
        scene.warm(other)
        orphans, moves = victim.partitions(), other.text().count("partitions revoked")
        victim.kill()
        scene.struck(f"killed; it had partitions {orphans}")
        heir = scene.start("a")
        scene.recovers(orphans)
        scene.fed(feed)
    assert orphans == heir.partitions()
    assert moves == other.text().count("partitions revoked")
    scene.settle(heir, other)


@row("new-group-protocol", "KIP-848: a worker joins, another is killed (group.protocol = consumer)")
def test_new_protocol(stage: Stage, kafka: Kafka) -> None:
    """The broker assigns; what the dead had begun does not count."""
    scene = stage(kafka.bootstrap, {"kafka.consumer": {"group.protocol": "consumer"}})
    with scene.feed() as feed:
        victim = scene.start("a")
        scene.warm(victim)
        heir = scene.start("b")
        _take_over(scene, victim, heir)
        scene.fed(feed)
    scene.settle(heir)


@row("out-of-memory", "the worker may have no more memory (RLIMIT_DATA)")
def test_out_of_memory(stage: Stage, kafka: Kafka) -> None:
    """It ends; started again with more, it goes on."""
    scene = stage(kafka.bootstrap)
    scene.send(1_000)
    worker = scene.start()
    scene.follow(worker)
    status = Path(f"/proc/{worker.pid}/status").read_text()
    size = int(status.split("VmData:")[1].split()[0]) * 1024
    resource.prlimit(worker.pid, resource.RLIMIT_DATA, (size + 2**20, size + 2**20))
    filling = "x" * 600_000
    scene.mix = replace(
        scene.mix,
        odd_from=1_000,
        large=lambda number: visits.framed({**visits.visit(number), "channel": filling}),
    )
    scene.strikes()
    scene.send(200)
    code = worker.end(60)
    assert 0 != code
    said = [line for line in worker.text().splitlines() if "emory" in line or "alloc" in line]
    scene.struck(f"the limit was set to {size >> 20} MiB; the worker ended with {code}: {said[-1:]}")
    heir = scene.start()
    scene.recovers()
    scene.settle(heir)


@pytest.fixture(scope="session")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shared library built from clock.c."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler: no `cc` on PATH")
    library = tmp_path_factory.mktemp("clock") / "clock.so"
    source = Path(__file__).with_name("clock.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    return library


@pytest.mark.parametrize(
    "jump",
    [
        pytest.param(
            7_200, id="forward", marks=row("clock-forward", "the worker's clock jumps two hours ahead")
        ),
        pytest.param(-7_200, id="back", marks=row("clock-back", "the worker's clock jumps two hours back")),
    ],
)
def test_clock_jumps(jump: int, scene: Scene, clock: Path) -> None:
    """Budgets are counted by the clock that does not jump."""
    offset = scene.setup.folder / "offset"
    offset.write_bytes(struct.pack("l", 0))
    with scene.feed() as feed:
        worker = scene.start("a", environ={"LD_PRELOAD": str(clock), "CLOCK_OFFSET": str(offset)})
        scene.warm(worker)
        with offset.open("r+b") as file:  # in place: it is mapped
            file.write(struct.pack("l", jump))
        scene.strikes()
        scene.recovers()
        scene.keep_reading(5)
        scene.fed(feed)
    scene.follow(worker)
    worker.terminate()
    assert 0 == worker.end(), worker.tail()
    stamps = [line[11:13] for line in worker.text().splitlines() if line[:4].isdigit()]
    assert stamps[0] != stamps[-1], "the log's clock did not jump"
    scene.struck(f"the hour in the worker's log went from {stamps[0]} to {stamps[-1]}")
    scene.settle()


@row("killed-at-random", "kill -9 five times, whenever", core=True)
def test_killed_at_random(scene: Scene) -> None:
    """Killed at any moment of its life, during the start too."""
    moments = random.Random(scene.row.seed)
    with scene.feed() as feed:
        for _ in range(5):
            worker = scene.start()
            if moments.random() < 0.7:
                scene.warm(worker, moments.randrange(1, 1_500))
            else:
                scene.keep_reading(moments.uniform(0.5, 4.0))
            worker.kill()
            assert -signal.SIGKILL == worker.end()
            scene.struck("killed by the test")
        heir = scene.start()
        scene.recovers()
        scene.fed(feed)
    scene.settle(heir)


def _poisoned(event: Event) -> Event:
    row = visits.decoded(event.value or b"")
    return replace(event, value=visits.framed({**row, "pages": POISON}))


@row("poison", "records on which the model crashes the interpreter (SIGSEGV)", core=True)
def test_poison(stage: Stage, kafka: Kafka, tmp_path: Path) -> None:
    """A supervisor starts the worker again and again; it gets past them, and they are dead letters."""
    (tmp_path / "visit.avsc").write_text(visits.SCHEMA)
    wish = PackRequest("fatal", tmp_path / "fatal", carry=("id",))
    pack(Fatal(), wish, schema=visits.SCHEMA)
    scene = stage(kafka.bootstrap, {"input": {"schema": "visit.avsc"}}, model=wish.folder)
    scene.mix = Mix(scene.row.seed, odd_every=1_009, odd=_poisoned)
    scene.send(3_000)
    good, junk, _ = scene.mix.split(scene.sent)
    worker, crashes = scene.start(), 0

    def done() -> bool:
        nonlocal worker, crashes
        if not worker.running:
            assert -signal.SIGSEGV == worker.end(), worker.tail()
            crashes += 1
            scene.struck(f"the worker ended with SIGSEGV, number {crashes}")
            worker = scene.start()
        return len(scene.outputs.count) >= len(good) + len(junk)

    scene.keep_reading_until(done, "all outputs", 4 * FOLLOW_S)
    scene.recovers()
    assert 2 <= crashes <= 12
    scene.settle(worker)
