"""What must hold whatever the bytes are."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from stream.records import Batch, DeadLetter, Outcome, Prediction, Skip
from tests.fuzz.mutation import broken
from tests.fuzz.subjects import Subject

__all__ = ["judge", "mixed_batch"]


def mixed_batch(subject: Subject, random: Random, n: int) -> tuple[list[bytes | None], list[int]]:
    """
    Sound and broken values in any order.

    Returns: n values, and the indices of those that were left sound.
    """
    values: list[bytes | None] = []
    sound: list[int] = []
    for i in range(n):
        value = random.choice(subject.sound)
        if random.random() < 0.5:
            sound.append(i)
            values.append(value)
        else:
            values.append(None if random.random() < 0.02 else broken(value, subject.prefix, random))
    return values, sound


def judge(subject: Subject, values: Sequence[bytes | None], sound: Sequence[int]) -> list[Outcome]:
    """
    Process values and check what must hold: n outcomes, each of a known kind, the sound ones scored.

    Raises: AssertionError that names the first value for which it does not hold.
    """
    n = len(values)
    batch = Batch("in", [0] * n, list(range(n)), [0] * n, [None] * n, list(values), [None] * n)
    outcomes = subject.pipeline.process(batch)
    assert n == len(outcomes), f"{n} records in, {len(outcomes)} outcomes out"
    for i, outcome in enumerate(outcomes):
        assert isinstance(outcome, Prediction | DeadLetter | Skip), (i, outcome)
        if isinstance(outcome, DeadLetter):
            assert outcome.reason, (i, outcome)
            assert outcome.message, (i, outcome)
    for i in sound:
        assert isinstance(outcomes[i], Prediction), (i, values[i], outcomes[i])
    return outcomes
