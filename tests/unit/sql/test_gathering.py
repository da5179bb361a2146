"""Calls of several threads, answered together."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pyarrow as pa
import pytest

from stream.sql.gathering import Gathering


class Doubling:
    """Answers each number with its double; says how many rows each call had, and how many were at work."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.entered = threading.Event()
        self.go_on = threading.Event()
        self.busy = 0

    def __call__(self, rows: pa.Array) -> pa.Array:
        """The doubles; the first call waits until it may go on."""
        self.busy += 1
        assert 1 == self.busy
        self.sizes.append(len(rows))
        self.entered.set()
        self.go_on.wait(20)
        self.busy -= 1
        if -1 in rows.to_pylist():
            raise ValueError("no negatives")
        return pa.array([2 * value.as_py() for value in rows], rows.type)


@contextmanager
def waiting(doubling: Doubling, gathering: Gathering, *calls: pa.Array) -> Iterator[list[Future[pa.Array]]]:
    """The answers of a first call, of 0, and of others that came while it was asked."""
    with ThreadPoolExecutor(1 + len(calls)) as pool:
        first = pool.submit(gathering.ask, pa.array([0]))
        assert doubling.entered.wait(20)
        others = [pool.submit(gathering.ask, call) for call in calls]
        while gathering.waiting < len(others):
            pass
        doubling.go_on.set()
        yield [first, *others]


def test_calls_that_wait_are_answered_at_once() -> None:
    """While one is answered, five come: they make one call, and each has its own answers."""
    doubling = Doubling()
    calls = [pa.array([i, -i - 10]) for i in range(1, 6)]
    with waiting(doubling, Gathering(doubling), *calls) as futures:
        answers = [future.result(20).to_pylist() for future in futures]

    assert [[0], *([2 * i, -2 * i - 20] for i in range(1, 6))] == answers
    assert [1, 2 * 5] == doubling.sizes


def test_what_it_raises_reaches_everybody_asked_with() -> None:
    """And the next call is answered again."""
    doubling = Doubling()
    gathering = Gathering(doubling)
    with waiting(doubling, gathering, pa.array([-1]), pa.array([5])) as (first, *others):
        assert [0] == first.result(20).to_pylist()
        for future in others:
            with pytest.raises(ValueError, match="no negatives"):
                future.result(20)

    assert [8] == gathering.ask(pa.array([4])).to_pylist()


def test_rows_of_another_type_have_a_call_of_their_own() -> None:
    """Two uses in one query may have different columns: they are never mixed."""
    doubling = Doubling()
    with waiting(doubling, Gathering(doubling), pa.array([1]), pa.array([1.5])) as futures:
        answers = [future.result(20).to_pylist() for future in futures]

    assert [[0], [2], [3.0]] == answers
    assert [1, 1, 1] == doubling.sizes
