"""Which records and requests are traced."""

from __future__ import annotations

import random

import pytest

from stream.records import Headers
from stream.tracing.sampling import Sampler
from stream.tracing.trace_context import Parent, traceparent

SAMPLED = [("traceparent", traceparent(1, 2))]
NOT_SAMPLED = [("traceparent", traceparent(1, 2)[:-2] + b"00")]
UNREADABLE = [("traceparent", b"z" * 54 + b"1")]


class Rig:
    """A sampler whose clock and whose count of what is left out are at hand."""

    def __init__(self, share: float, most: int = 1_000_000) -> None:
        self.now = 0.0
        self.left_out: list[int] = []
        self.sampler = Sampler(share, most, lambda: self.now, self.left_out.append)


def test_flag_of_a_trace_that_has_begun_decides() -> None:
    """Neither what is not sampled nor what can't be read is traced, even where every new trace would be."""
    headers: list[Headers | None] = [SAMPLED, NOT_SAMPLED, UNREADABLE, [("traceparent", None)], SAMPLED]

    assert {0: Parent(1, 2, 1), 4: Parent(1, 2, 1)} == Rig(1.0).sampler.rows(headers)
    assert {0: Parent(1, 2, 1), 4: Parent(1, 2, 1)} == Rig(0.0).sampler.rows(headers)


def test_last_of_several_parents_counts() -> None:
    """As Kafka's own clients read headers."""
    assert {} == Rig(0.0).sampler.rows([SAMPLED + NOT_SAMPLED])
    assert {0: Parent(1, 2, 1)} == Rig(0.0).sampler.rows([NOT_SAMPLED + SAMPLED])


@pytest.mark.parametrize(("share", "expected"), [(0.0, []), (1.0, [0, 1, 2])])
def test_all_or_none_begin_a_trace(share: float, expected: list[int]) -> None:
    """The bounds are exact."""
    assert expected == list(Rig(share).sampler.rows([None, [], [("a", b"")]]))


@pytest.mark.parametrize("share", [0.001, 0.01, 0.3, 0.999])
def test_share_of_records_begins_a_trace(share: float) -> None:
    """Within five standard deviations, over batches of any size, beside records that bring a trace."""
    sampler, seen, n = Rig(share).sampler, 0, 60_000
    sizes = random.Random(1)
    left = n
    while left:
        size = min(left, sizes.randint(1, 2_000))
        rows = sampler.rows([*([None] * size), NOT_SAMPLED])
        assert size not in rows
        assert sorted(rows) == list(rows)
        seen += len(rows)
        left -= size

    assert abs(seen - n * share) <= 5 * (n * share * (1 - share)) ** 0.5 + 1


def test_second_has_room_for_so_many() -> None:
    """What is beyond that is counted, and the next second has room again."""
    rig = Rig(1.0, most=3)

    assert [0, 1] == list(rig.sampler.rows([SAMPLED, None]))
    assert [0] == list(rig.sampler.rows([SAMPLED, None]))
    assert [] == list(rig.sampler.rows([SAMPLED]))
    assert [1, 1] == rig.left_out
    rig.now = 1.0
    assert [0, 1] == list(rig.sampler.rows([SAMPLED, None]))


def test_seeded_generator_of_a_model_changes_nothing() -> None:
    """A model that seeds Python's generator in `predict` does not make two traces one."""
    ids = set()
    for sampler in (Rig(1.0).sampler, Rig(1.0).sampler):
        random.seed(0)
        ids |= {sampler.new_trace(), sampler.new_span()}

    assert 4 == len(ids)


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([], 1.0, (True, None)),
        ([], 0.0, (False, None)),
        ([traceparent(1, 2).decode()], 0.0, (True, Parent(1, 2, 1))),
        ([traceparent(1, 2).decode()[:-1] + "0"], 1.0, (False, Parent(1, 2, 0))),
        ([traceparent(1, 2).decode()] * 2, 1.0, (False, None)),
        (["nonsense \xff"], 1.0, (False, None)),
    ],
)
def test_request_is_traced_by_its_header(
    values: list[str], share: float, expected: tuple[bool, Parent | None]
) -> None:
    """One header decides; several, or one that can't be read, are left alone."""
    assert expected == Rig(share).sampler.request(values)
