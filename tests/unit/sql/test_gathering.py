"""Calls of several threads, answered together."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest

from stream.sql.gathering import Gathering

THREADS = 6


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


def test_calls_that_wait_are_answered_at_once() -> None:
    """While one is answered, five come: they make one call, and each has its own answers."""
    doubling = Doubling()
    gathering = Gathering(doubling)
    with ThreadPoolExecutor(THREADS) as pool:
        first = pool.submit(gathering.ask, pa.array([0]))
        assert doubling.entered.wait(20)
        others = [pool.submit(gathering.ask, pa.array([i, -i - 10])) for i in range(1, THREADS)]
        while gathering.waiting < len(others):
            pass
        doubling.go_on.set()
        answers = [future.result(20).to_pylist() for future in (first, *others)]

    assert [[0], *([2 * i, -2 * i - 20] for i in range(1, THREADS))] == answers
    assert [1, 2 * len(others)] == doubling.sizes


def test_what_it_raises_reaches_everybody_asked_with() -> None:
    """And the next call is answered again."""
    doubling = Doubling()
    gathering = Gathering(doubling)
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(gathering.ask, pa.array([0]))
        assert doubling.entered.wait(20)
        others = [pool.submit(gathering.ask, pa.array([i])) for i in (-1, 5)]
        while gathering.waiting < len(others):
            pass
        doubling.go_on.set()
        assert [0] == first.result(20).to_pylist()
        for future in others:
            with pytest.raises(ValueError, match="no negatives"):
                future.result(20)

    assert [8] == gathering.ask(pa.array([4])).to_pylist()


def test_rows_of_another_type_have_a_call_of_their_own() -> None:
    """Two uses in one query may have different columns: they are never mixed."""
    doubling = Doubling()
    gathering = Gathering(doubling)
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(gathering.ask, pa.array([0]))
        assert doubling.entered.wait(20)
        whole, real = pool.submit(gathering.ask, pa.array([1])), pool.submit(gathering.ask, pa.array([1.5]))
        while gathering.waiting < 2:
            pass
        doubling.go_on.set()
        answers = [future.result(20).to_pylist() for future in (first, whole, real)]

    assert [[0], [2], [3.0]] == answers
    assert [1, 1, 1] == doubling.sizes
