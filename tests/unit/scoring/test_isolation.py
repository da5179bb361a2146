"""A model that raises on a batch: the guilty rows are found, the others are answered."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.scoring import Model, Scored
from tests.unit.scoring.models import Calls, feature, manifest, raising_on


def _score(model: Calls, n: int) -> Scored:
    contract = manifest(feature("x"), inputs="matrix")
    return Model(model, contract).score({"x": pa.array(np.arange(n, dtype=float))}, n)


@settings(deadline=None)
@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n - 1)))))
def test_guilty_rows_anywhere_are_found_and_no_other(case: tuple[int, set[int]]) -> None:
    """Each guilty row has what it raised when alone; each other its own answer."""
    n, guilty = case
    model = raising_on({float(i) for i in guilty})

    scored = _score(model, n)

    innocent = [i for i in range(n) if i not in guilty]
    assert sorted(guilty) == sorted(scored.faults)
    assert innocent == list(scored.rows)
    assert [float(i) for i in innocent] == scored.columns["value"].to_pylist()
    for i in guilty:
        fault = scored.faults[i]
        assert ("score", "model_raised", "ArithmeticError", f"can't stand {i}") == (
            fault.stage, fault.reason, fault.exception, fault.message
        )  # fmt: skip


@settings(deadline=None)
@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n - 1)))))
def test_calls_stay_bounded_by_the_guilty(case: tuple[int, set[int]]) -> None:
    """At most about 3·log2 n for each guilty row, and never more than 3 calls a row."""
    n, guilty = case
    model = raising_on({float(i) for i in guilty})

    _score(model, n)

    assert model.calls <= 1 + len(guilty) * (3 * math.ceil(math.log2(n + 1)) + 2)
    assert model.calls <= 3 * n + 2


def test_batch_of_guilty_rows_costs_one_call_a_row() -> None:
    """The groups shrink at once: no halving for each row."""
    model = raising_on({float(i) for i in range(2_000)})

    scored = _score(model, 2_000)

    assert 2_000 == len(scored.faults)
    assert ([], 0) == (list(scored.rows), len(scored.columns["value"]))
    assert model.calls <= 2_000 + 12


def test_one_guilty_row_of_many_costs_few_calls() -> None:
    """Some two dozen for 2,000 rows."""
    model = raising_on({1_234.0})

    assert [1_234] == list(_score(model, 2_000).faults)
    assert model.calls <= 35


def test_row_that_raises_in_company_only_has_its_own_answer() -> None:
    """What it says when asked alone is what counts."""

    def answer(x: np.ndarray) -> np.ndarray:
        if len(x) > 1:
            raise ValueError("one at a time")
        return x[:, 0]

    scored = _score(Calls(answer), 5)

    assert not scored.faults
    assert [0.0, 1.0, 2.0, 3.0, 4.0] == scored.columns["value"].to_pylist()


def test_clean_batch_is_one_call() -> None:
    """And its rows are a range, which costs nothing."""
    model = raising_on(set())

    assert range(100) == _score(model, 100).rows
    assert 1 == model.calls


def test_empty_batch_asks_nothing() -> None:
    """Estimators refuse zero rows."""
    model = raising_on(set())

    scored = _score(model, 0)

    assert (0, 0, pa.float64()) == (model.calls, len(scored.rows), scored.columns["value"].type)


class Panic(BaseException):
    """What extension modules raise: no `Exception`."""


def test_panic_of_an_extension_module_is_a_fault() -> None:
    """It may not end the worker."""

    def answer(x: np.ndarray) -> np.ndarray:
        raise Panic("index out of bounds")

    assert f"{__name__}.Panic" == _score(Calls(answer), 1).faults[0].exception


def test_model_that_exits_is_a_fault_of_its_row() -> None:
    """A model that calls `sys.exit` may not end one worker after the other."""

    def answer(x: np.ndarray) -> np.ndarray:
        raise SystemExit(7)

    assert ("SystemExit", "7") == tuple(
        getattr(_score(Calls(answer), 1).faults[0], name) for name in ("exception", "message")
    )


@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt])
def test_what_concerns_the_process_is_passed_on(error: type[BaseException]) -> None:
    """It says nothing about a row."""

    def answer(x: np.ndarray) -> np.ndarray:
        raise error

    with pytest.raises(error):
        _score(Calls(answer), 3)


def test_endless_message_is_cut() -> None:
    """A dead letter's header has to hold it."""

    def answer(x: np.ndarray) -> np.ndarray:
        raise ValueError("x" * 10**6)

    assert 1_000 == len(_score(Calls(answer), 1).faults[0].message)
