"""`Pipeline.process` is total: n records in, exactly n outcomes out, no exception, for any bytes."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stream.codec.dict_records import read_row
from stream.records import DeadLetter, Outcome
from tests.fuzz.judge import judge, mixed_batch
from tests.fuzz.mutation import long_of
from tests.fuzz.subjects import SUBJECTS, Subject, subject

SETTINGS = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("name", SUBJECTS)
@SETTINGS
@given(values=st.lists(st.none() | st.binary(max_size=300), min_size=1, max_size=30))
def test_any_bytes_have_an_outcome_each(name: str, values: list[bytes | None]) -> None:
    """Values that may be anything: one outcome each."""
    judge(subject(name), values, [])


@pytest.mark.parametrize("name", SUBJECTS)
@SETTINGS
@given(seed=st.integers(0, 2**32), n=st.sampled_from((1, 3, 20, 120)))
def test_broken_values_leave_sound_neighbours_scored(name: str, seed: int, n: int) -> None:
    """Sound values among damaged ones are scored, whatever the damage."""
    values, sound = mixed_batch(subject(name), Random(seed), n)

    judge(subject(name), values, sound)


@pytest.mark.parametrize("name", SUBJECTS)
def test_sound_values_answer_the_same_beside_broken_ones(name: str) -> None:
    """The answer of a record does not depend on the damage beside it, but for the last bits of its numbers."""
    one = subject(name)
    values: list[bytes | None] = []
    for value in one.sound:
        values += [value, value[:-1]]

    alone = judge(one, list(one.sound), range(len(one.sound)))
    beside = judge(one, values, range(0, len(values), 2))

    for i, outcome in enumerate(alone):
        texts, numbers = _answer(one, outcome)
        others, near = _answer(one, beside[2 * i])
        assert texts == others
        assert numbers == pytest.approx(near, rel=1e-9)


def _answer(one: Subject, outcome: Outcome) -> tuple[dict[str, object], list[float]]:
    """A prediction's fields without where its record was: those that must be equal, and the floats."""
    assert isinstance(outcome, bytes)
    row = read_row(one.prediction, outcome[len(one.prefix) :])
    floats = [value for value in row.values() if isinstance(value, float)]
    return {k: v for k, v in row.items() if k != "source_offset" and not isinstance(v, float)}, floats


BOMBS = {
    "declared string of 2^62 bytes": long_of(2**62),
    "declared string of 2^31 bytes": long_of(2**31),
    "negative length": long_of(-5),
    "over-long varint": b"\xff" * 11,
    "a hundred megabytes of text": long_of(100_000_000) + b"x" * 100_000_000,
    "a hundred megabytes of nothing": b"\x00" * 100_000_000,
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
@pytest.mark.parametrize("name", SUBJECTS)
def test_bomb_is_a_dead_letter_beside_a_sound_record(name: str, bomb: bytes) -> None:
    """A value made to exhaust memory or time is one dead letter; its neighbours are scored."""
    one = subject(name)
    values: list[bytes | None] = [one.sound[0], one.prefix + bomb, *one.sound[1:8]]

    outcomes = judge(one, values, [0, *range(2, len(values))])

    assert isinstance(outcomes[1], DeadLetter)
    assert "decode" == outcomes[1].stage


def test_blocks_of_nothing_are_bounded() -> None:
    """A map that declares 2^60 entries of nothing ends at once, as a dead letter."""
    one = subject("mixed")
    body = one.sound[0][len(one.prefix) :]
    start = body[:-1]  # the last byte ends the map
    value = one.prefix + start + long_of(2**60) + b"\x00" * 50

    [outcome] = judge(one, [value], [])

    assert isinstance(outcome, DeadLetter)
