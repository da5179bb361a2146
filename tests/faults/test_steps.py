"""A worker that dies, or is told to end, or is told of an error, at each step of a delivery."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Any

import pytest
from confluent_kafka import KafkaError

from tests.acceptance.conftest import PARTITIONS
from tests.acceptance.process import Worker
from tests.faults.plan import Action, Client, Fault, When
from tests.faults.row import Guarantee, row
from tests.faults.scene import Scene


@dataclass(frozen=True)
class Step:
    """
    Attributes:
        words: for the matrix: "kill -9 …".
        step: method of the client.
        when: before, during, after.
        nth: call at which it strikes; far enough that the worker is in full swing.
        client: whose method.
        number: seconds into the call, for `during`.
        core: one of CI's dozen.
    """

    words: str
    step: str
    when: When
    nth: int
    client: Client = "Producer"
    number: float = 0.0
    core: bool = False


OFFSETS, COMMIT = "send_offsets_to_transaction", "commit_transaction"

EXACTLY_ONCE = {
    "before-begin": Step("before a transaction is opened", "begin_transaction", "before", 6),
    "before-produce": Step("before an output is produced", "produce", "before", 1_500),
    "after-produce": Step("when a part of the outputs is produced", "produce", "after", 1_550, core=True),
    "before-offsets": Step("before the offsets are sent", OFFSETS, "before", 6),
    "after-offsets": Step("after the offsets were sent", OFFSETS, "after", 6, core=True),
    "in-commit": Step("while the commit is under way", COMMIT, "during", 6, number=0.001, core=True),
    "after-commit": Step("after the commit", COMMIT, "after", 6),
}

AT_LEAST_ONCE = {
    "after-produce": Step("when a part of the outputs is produced", "produce", "after", 1_550),
    "before-commit": Step(
        "after the outputs are acknowledged, before their offsets are committed",
        "commit",
        "before",
        6,
        "Consumer",
    ),
    "after-commit": Step("after the offsets were committed", "commit", "after", 6, "Consumer"),
}


def rows(
    action: Action, words: str, steps: dict[str, Step], guarantee: Guarantee = "exactly-once"
) -> list[Any]:
    """A row for each step."""
    suffix = "" if guarantee == "exactly-once" else "-at-least-once"
    return [
        pytest.param(
            step,
            id=f"{action}-{name}{suffix}",
            marks=row(
                f"{action}-{name}{suffix}",
                f"{words} {step.words}",
                guarantee=guarantee,
                core=step.core and action == "kill",
            ),
        )
        for name, step in steps.items()
    ]


def _plant(scene: Scene, step: Step, action: Action) -> Fault:
    return scene.plant(step.step, step.when, step.nth, action, client=step.client, number=step.number)


@pytest.mark.parametrize(
    "step", [*rows("kill", "kill -9", EXACTLY_ONCE), *rows("kill", "kill -9", AT_LEAST_ONCE, "at-least-once")]
)
def test_killed_at(step: Step, scene: Scene) -> None:
    """Killed at a step and started again under its name by a supervisor."""
    fault = _plant(scene, step, "kill")
    with scene.feed() as feed:
        victim = scene.start("a", [fault])
        scene.fires(fault, victim)
        assert -signal.SIGKILL == victim.end()
        heir = scene.start("a")
        scene.recovers()
        scene.fed(feed)
    scene.settle(heir)


@pytest.mark.parametrize("step", rows("terminate", "SIGTERM", EXACTLY_ONCE))
def test_terminated_at(step: Step, scene: Scene) -> None:
    """SIGTERM at a step: exit 0 within 10 s; the next goes on."""
    fault = _plant(scene, step, "terminate")
    with scene.feed() as feed:
        victim = scene.start("a", [fault])
        scene.fires(fault, victim)
        assert 0 == victim.end(), victim.tail()
        heir = scene.start("a")
        scene.recovers()
        scene.fed(feed)
    scene.settle(heir)


ABORTS = {"before-abort": "before", "after-abort": "after"}


@pytest.mark.parametrize(
    "when",
    [
        pytest.param(
            when, id=f"kill-{name}", marks=row(f"kill-{name}", f"kill -9 {when} a transaction is aborted")
        )
        for name, when in ABORTS.items()
    ],
)
def test_killed_in_abort(when: When, scene: Scene) -> None:
    """The group seems to have moved on, so the transaction is aborted, and the worker is killed during the abort."""
    moved_on = scene.plant(OFFSETS, "before", 6, "raise", number=KafkaError.ILLEGAL_GENERATION)
    kill = scene.plant("abort_transaction", when, 1, "kill")
    with scene.feed() as feed:
        victim = scene.start("a", [moved_on, kill])
        scene.fires(kill, victim)
        assert -signal.SIGKILL == victim.end()
        heir = scene.start("a")
        scene.recovers()
        scene.fed(feed)
    scene.settle(heir)


@pytest.mark.parametrize(
    ("action", "when"),
    [
        pytest.param(
            action,
            when,
            id=f"{action}-{when}-revoke",
            marks=row(
                f"{action}-{when}-revoke", f"{words} {when} partitions are given up to a worker that joins"
            ),
        )
        for action, words in (("kill", "kill -9"), ("terminate", "SIGTERM"))
        for when in ("before", "after")
    ],
)
def test_revoke(action: Action, when: When, scene: Scene) -> None:
    """A rebalance is under way, and the one that gives up partitions ends in the middle of it."""
    fault = scene.plant("on_revoke", when, 1, action, client="Consumer")
    with scene.feed() as feed:
        victim = scene.start("a", [fault])
        scene.warm(victim)
        heir = scene.start("b")
        scene.fires(fault, victim)
        assert (0 if action == "terminate" else -signal.SIGKILL) == victim.end(), victim.tail()
        scene.recovers(range(PARTITIONS))
        heir.until(lambda: len(heir.partitions()) == PARTITIONS, 60, "the heir to own all partitions")
        scene.fed(feed)
    scene.settle(heir)


@row(
    "kill-after-offsets-take-over",
    "kill -9 after the offsets were sent; another worker takes over at once",
    core=True,
)
def test_takeover_after_offsets(scene: Scene) -> None:
    """The new owner's first record waits for the pending transaction's end: this measures for how long."""
    step = EXACTLY_ONCE["after-offsets"]
    fault = scene.plant(step.step, "after", 100, "kill")
    with scene.feed() as feed:
        heir = scene.start("b")
        scene.warm(heir)
        victim = scene.start("a", [fault])
        scene.keep_reading_until(lambda: _half(victim), "a share of the partitions")
        orphans = victim.partitions()
        scene.fires(fault, victim)
        assert -signal.SIGKILL == victim.end()
        scene.recovers(orphans)
        scene.fed(feed)
    scene.settle(heir)


def _half(worker: Worker) -> bool:
    return len(worker.partitions()) == PARTITIONS // 2


ERRORS: dict[str, tuple[Fault | Any, str]] = {
    "commit-times-out": ((COMMIT, "before", KafkaError._TIMED_OUT, 3), "three tries of a commit time out"),
    "commit-abortable": (
        (COMMIT, "before", KafkaError.TRANSACTION_ABORTABLE, 1),
        "the coordinator asks for the transaction to be aborted",
    ),
    "commit-unknown-not-done": (
        (COMMIT, "before", KafkaError.INVALID_TXN_STATE, 1),
        "a commit that did not take place fails without saying so",
    ),
    "commit-unknown-but-done": (
        (COMMIT, "after", KafkaError.INVALID_TXN_STATE, 1),
        "a commit that did take place fails without saying so",
    ),
    "group-moved-on": (
        (OFFSETS, "before", KafkaError.ILLEGAL_GENERATION, 1),
        "offsets are refused: the group has another generation",
    ),
    "abort-fails": (
        ("abort_transaction", "before", KafkaError.INVALID_TXN_STATE, 1),
        "an abort fails",
    ),
}


@pytest.mark.parametrize(
    "planted",
    [
        pytest.param(planted, id=name, marks=row(name, words, core=name == "commit-unknown-but-done"))
        for name, (planted, words) in ERRORS.items()
    ],
)
def test_error(planted: tuple[str, When, int, int], scene: Scene) -> None:
    """The client tells an error that no broker was asked for: the worker goes on by itself."""
    step, when, code, times = planted
    first = 1 if step == "abort_transaction" else 6
    fault = scene.plant(step, when, first, "raise", number=code, times=times)
    faults = [fault]
    if step == "abort_transaction":
        faults.append(scene.plant(OFFSETS, "before", 6, "raise", number=KafkaError.ILLEGAL_GENERATION))
    with scene.feed() as feed:
        worker = scene.start("a", faults)
        scene.fires(fault, worker, KafkaError(code).name())
        scene.recovers()
        scene.keep_reading(3)
        scene.fed(feed)
    scene.settle(worker)
