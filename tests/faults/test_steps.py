"""A worker that dies, or is told to end, at each step of a delivery."""

from __future__ import annotations

import signal
from dataclasses import dataclass

import pytest

from tests.faults.plan import Action, Client, When
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


AT_LEAST_ONCE = {
    "before-produce": Step("before an output is produced", "produce", "before", 1_500),
    "after-produce": Step("when half a batch is produced", "produce", "after", 1_550, core=True),
    "before-commit": Step(
        "when the outputs are acknowledged, before their offsets are committed",
        "commit",
        "before",
        6,
        "Consumer",
        core=True,
    ),
    "after-commit": Step("when the offsets were committed", "commit", "after", 6, "Consumer"),
}


def rows(action: Action, words: str, steps: dict[str, Step], guarantee: Guarantee) -> list[object]:
    """A row for each step."""
    suffix = "" if guarantee == "exactly-once" else "-at-least-once"
    return [
        pytest.param(
            step,
            id=f"{action}-{name}{suffix}",
            marks=row(
                f"{action}-{name}{suffix}", f"{words} {step.words}", guarantee=guarantee, core=step.core
            ),
        )
        for name, step in steps.items()
    ]


@pytest.mark.parametrize("step", rows("kill", "kill -9", AT_LEAST_ONCE, "at-least-once"))
def test_killed_at(step: Step, scene: Scene) -> None:
    """Killed at a step and started again under its name by a supervisor: nothing is lost."""
    fault = scene.plant(step.step, step.when, step.nth, "kill", client=step.client, number=step.number)
    with scene.feed() as feed:
        victim = scene.start("a", [fault])
        scene.fires(fault, victim)
        assert -signal.SIGKILL == victim.end()
        heir = scene.start("a")
        scene.recovers()
        scene.fed(feed)
    scene.settle(heir)


@pytest.mark.parametrize("step", rows("terminate", "SIGTERM", AT_LEAST_ONCE, "at-least-once"))
def test_terminated_at(step: Step, scene: Scene) -> None:
    """SIGTERM at a step: exit 0 within 10 s, and nothing is done twice by the next."""
    fault = scene.plant(step.step, step.when, step.nth, "terminate", client=step.client, number=step.number)
    with scene.feed() as feed:
        victim = scene.start("a", [fault])
        scene.fires(fault, victim)
        assert 0 == victim.end(), victim.tail()
        scene.outputs.to_end()
        heir = scene.start("a")
        scene.recovers()
        scene.fed(feed)
    scene.settle(heir, doubled_at_most=0)
