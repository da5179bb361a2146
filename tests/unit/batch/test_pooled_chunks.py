"""Small files' rows are scored together, and each keeps its place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stream.batch import Input
from stream.batch.pooled_chunks import pools
from stream.files import FORMATS, Chunk, Span
from stream.records import DeadLetter
from stream.table import ScoredTable, TableScorer

FAULT = DeadLetter("contract", "wrong_type", "RecordError", "is a text")
BROKEN = DeadLetter("decode", "corrupt", "RecordError", "is half a row")


class Scorer:
    """Answers with a row's own value; those below zero are faults."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def score(self, table: pa.RecordBatch, *, text: Any) -> ScoredTable:
        """As `TableScorer.score`."""
        return self._scored(table.column(0).to_pylist())

    def score_rows(self, rows: list[dict[str, Any]], *, text: Any) -> ScoredTable:
        """As `TableScorer.score_rows`."""
        return self._scored([row["x"] for row in rows])

    def _scored(self, values: list[int]) -> ScoredTable:
        self.calls.append(len(values))
        faults = {i: FAULT for i, value in enumerate(values) if value < 0}
        rows = [i for i in range(len(values)) if i not in faults]
        batch = pa.RecordBatch.from_pydict({"x": pa.array([values[i] for i in rows], pa.int64())})
        return ScoredTable(len(values), rows, batch, faults)


def table(name: str, *values: int, kind: pa.DataType | None = None, first: int = 1) -> tuple[Input, Chunk]:
    """A chunk of a file."""
    column = pa.array(values, kind or pa.int64())
    rows = pa.RecordBatch.from_arrays([column], schema=pa.schema([("x", column.type)], {"from": name}))
    return Input(name, "parquet"), Chunk(range(first, first + len(values)), rows)


def objects(name: str, *values: int, text: frozenset[str] = frozenset()) -> tuple[Input, Chunk]:
    """A chunk of a file of rows, whose second row is broken."""
    numbers = [1, *range(3, 2 + len(values))][: len(values)]
    return Input(name, "jsonl"), Chunk(numbers, [{"x": value} for value in values], text, {2: BROKEN})


def done(pieces: list[tuple[Input, Chunk]], most: int) -> tuple[list[int], list[Any], list[Any]]:
    """Rows of each call, the rows that have an answer with their places, and the faults."""
    scorer, answers, faults = Scorer(), list[Any](), list[Any]()
    for pool in pools(iter(pieces), most):
        scored = pool.score(cast(TableScorer, scorer))
        files, numbers = (column.to_pylist() for column in pool.places())
        values = scored.predictions.column(0).to_pylist()
        answers += [(files[i], numbers[i], value) for i, value in zip(scored.rows, values, strict=True)]
        faults += pool.faults(scored)
    return scorer.calls, answers, faults


def test_rows_of_several_tables_are_asked_at_once() -> None:
    """As many as fit; each answer and each fault has its own file and number."""
    pieces = [table("a", 1, -2, 3), table("b", 4, first=7), table("c", 5, -6), table("d", 7, 8, 9, 10)]

    calls, answers, faults = done(pieces, 6)

    assert [6, 4] == calls
    assert [
        ("a", 1, 1), ("a", 3, 3), ("b", 7, 4), ("c", 1, 5), ("d", 1, 7), ("d", 2, 8), ("d", 3, 9), ("d", 4, 10)
    ] == answers  # fmt: skip
    assert [("a", 2, FAULT), ("c", 2, FAULT)] == faults


def test_rows_that_are_objects_are_asked_at_once() -> None:
    """Broken rows, which are not asked, keep their places among the others."""
    calls, answers, faults = done([objects("a", 1, -2), objects("b"), objects("c", -3, 4)], 100)

    assert [4] == calls
    assert [("a", 1, 1), ("c", 3, 4)] == answers
    assert [("a", 2, BROKEN), ("a", 3, FAULT), ("b", 2, BROKEN), ("c", 1, FAULT), ("c", 2, BROKEN)] == faults


@pytest.mark.parametrize(
    "other",
    [
        table("b", 2, kind=pa.float64()),
        table("b", 2, kind=pa.dictionary(pa.int8(), pa.int64())),
        objects("b", 2),
    ],
    ids=["other type", "dictionary", "objects"],
)
def test_rows_of_other_types_are_asked_by_themselves(other: tuple[Input, Chunk]) -> None:
    """A column's type is part of what its values mean."""
    assert [1, 1, 1] == done([table("a", 1), other, table("c", 3)], 100)[0]


def test_texts_that_stand_for_values_are_asked_by_themselves() -> None:
    """Of two files, one may have a column in its folder's name."""
    assert [1, 1] == done([objects("a", 1, text=frozenset({"x"})), objects("b", 2)], 100)[0]


def test_a_full_chunk_does_not_wait_for_another() -> None:
    """No more than one of a large file is in memory."""
    read: list[str] = []

    def pieces() -> Iterator[tuple[Input, Chunk]]:
        for name in "abc":
            read.append(name)
            yield table(name, 1, 2)

    first = next(pools(pieces(), 2))

    assert (["a"], 1) == (read, len(first.pieces))


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (0, 2, 3), (1, 3), (3, 0, 1), (2, 2)])
def test_spans_of_one_parquet_file_are_read_in_any_order(tmp_path: Any, order: tuple[int, ...]) -> None:
    """Whether the reader goes on where it was, or begins again."""
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"x": list(range(100))}), path, row_group_size=50)
    spans = [Span(0, 21, 1, 21), Span(21, 50, 22, 29), Span(50, 74, 51, 24), Span(74, 100, 75, 26)]
    reader = FORMATS["parquet"].reader(path)

    found = [
        [
            value
            for chunk in reader.chunks(spans[i], list, 8)
            for value in cast(Any, chunk.rows)["x"].to_pylist()
        ]
        for i in order
    ]
    reader.close()

    assert [list(range(spans[i].start, spans[i].stop)) for i in order] == found
