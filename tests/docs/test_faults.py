"""The fault matrix in docs/guarantees.md: of a run in which every row that there is held."""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.reference.faults import RUN
from tests.faults.row import Row

FOLDER = Path(__file__).parents[1] / "faults"


def _marks() -> Iterator[pytest.Mark]:
    for file in sorted(FOLDER.glob("test_*.py")):
        module = importlib.import_module(f"tests.faults.{file.stem}")
        for _, function in inspect.getmembers(module, inspect.isfunction):
            for mark in getattr(function, "pytestmark", []):
                yield mark
                if mark.name == "parametrize":
                    for parameters in mark.args[1]:
                        yield from (getattr(each, "mark", each) for each in parameters.marks)


def _rows() -> list[Row]:
    return [mark.args[0] for mark in _marks() if mark.name == "row"]


def test_each_row_has_its_own_id() -> None:
    """An id names one fault, and there are forty and more."""
    ids = [row.id for row in _rows()]

    assert sorted(set(ids)) == sorted(ids)
    assert len(ids) >= 40


def test_ci_runs_a_dozen() -> None:
    """The rows of `fault_core` are few enough for every push."""
    assert 10 <= len([row for row in _rows() if row.core]) <= 16


def test_page_has_the_rows_that_there_are() -> None:
    """After a row was added or changed, it has been run (`scripts/faults --id`), and it held."""
    found = json.loads(RUN.read_text("utf-8"))

    assert {(row.id, row.fault, row.guarantee) for row in _rows()} == {
        (row["id"], row["fault"], row["guarantee"]) for row in found["rows"]
    }
    assert {0} == {row["lost"] for row in found["rows"]}
    assert {0} == {row["doubled"] for row in found["rows"] if row["guarantee"] == "exactly-once"}
    assert all(row["fired"] for row in found["rows"])
