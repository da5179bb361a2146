"""What a query's rows come to: their answers, how many have none and why, and which columns were absent."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import pyarrow as pa

from stream.codec import RecordSchema
from stream.records import DeadLetter
from stream.sql.quoting import quoted_name
from stream.store import Package
from stream.table import Absent, ScoredTable, StructScorer, absent_columns, rows_lack

__all__ = ["FaultCount", "Listener", "Outcomes", "Tally"]

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*\Z")
"""A name that SQL takes without quotes."""


@dataclass(slots=True)
class FaultCount:
    """
    Rows that failed for one reason.

    Attributes:
        stage: `contract` (the row doesn't fit) or `score` (the model has no answer).
        reason: a stable code, as in a dead letter.
        message: what was said of the first.
        count: of rows.
    """

    stage: str
    reason: str
    message: str
    count: int = 0


@dataclass(slots=True)
class Tally:
    """
    What became of the rows that were asked about. Not for several threads at once.

    Attributes:
        rows: asked about, those without a prediction included.
        faults: by reason, in the order in which they came up.
        absent: a line for each column that was not there and whose default was taken.
    """

    rows: int = 0
    faults: dict[str, FaultCount] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)

    @property
    def failed(self) -> int:
        """Rows without a prediction."""
        return sum(fault.count for fault in self.faults.values())

    def add(self, rows: int, faults: Mapping[int, DeadLetter]) -> list[FaultCount]:
        """
        Count a batch.

        Args:
            rows: how many it had.
            faults: by index, why a row has no prediction.
        Returns: the reasons that came up for the first time.
        """
        self.rows += rows
        new: list[FaultCount] = []
        for fault in faults.values():
            if fault.reason not in self.faults:
                new.append(FaultCount(fault.stage, fault.reason, fault.message))
                self.faults[fault.reason] = new[-1]
            self.faults[fault.reason].count += 1
        return new

    @contextmanager
    def paused(self) -> Iterator[None]:
        """What is counted within is forgotten."""
        rows, faults = self.rows, {reason: replace(fault) for reason, fault in self.faults.items()}
        absent = list(self.absent)
        try:
            yield
        finally:
            self.rows, self.faults, self.absent = rows, faults, absent

    def clear(self) -> None:
        """Begin again at 0."""
        self.rows = 0
        self.faults.clear()
        self.absent.clear()


Listener: TypeAlias = Callable[[list[FaultCount]], object]
"""Called with reasons that came up for the first time."""


class Outcomes:
    """
    Scores a query's rows. Not for several threads at once.

    Args:
        package: the opened model.
        name: of the function, for messages.
        tally: counts the rows.
        listener: called with reasons that came up for the first time.
        warn: called once for each set of columns with a line on each that is absent and whose default is taken.
    """

    def __init__(
        self,
        package: Package,
        name: str,
        tally: Tally,
        listener: Listener,
        warn: Callable[[str], object] = lambda _: None,
    ) -> None:
        self._name = name
        self._manifest = package.manifest
        self._root = RecordSchema(package.features).root
        self._tally = tally
        self._listener = listener
        self._warn = warn
        self._absent: dict[tuple[str, ...], list[Absent]] = {}
        call = f"name the table and give its name: SELECT {name}(f) FROM 'flights.parquet' f"
        self._scorer = StructScorer(
            package.model, package.features, name, call, lambda kind: kind.duckdb_arrow
        )
        self.type = self._scorer.type
        self.types = self._scorer.types

    def read_cells(self, cells: Collection[str], documents: Collection[str] = ()) -> None:
        """
        Say which columns hold a csv's cells as texts, and which JSON.

        Args:
            cells, documents: by name; of the statement that runs next.
        """
        self._scorer.cells, self._scorer.documents = cells, documents

    def score(self, rows: pa.Array) -> pa.Array:
        """
        Score rows.

        Args:
            rows: as for `StructScorer.score`.
        Returns: as `StructScorer.score`.
        Raises: QueryError when these are not rows, or don't have the model's columns.
        """
        return self._scorer.score(rows, self._look)

    def _look(self, names: Sequence[str], scored: ScoredTable) -> None:
        self._note_defaults(names)
        self._check_columns(scored, names)
        new = self._tally.add(scored.count, scored.faults)
        if new:
            self._listener(new)

    def _note_defaults(self, names: Sequence[str]) -> None:
        """A misspelt column must not silently become null in every row."""
        if (header := tuple(names)) not in self._absent:
            paths = [feature.path for feature in self._manifest.features]
            self._absent[header] = absent_columns(self._root, paths, names)
            for one in self._absent[header]:
                if not one.needed:
                    self._warn(f"{self._name}(f): {one.defaulted}")
        for one in self._absent[header]:
            line = f"{self._name}(f): {one.defaulted}"
            if not one.needed and line not in self._tally.absent:
                self._tally.absent.append(line)

    def _check_columns(self, scored: ScoredTable, names: Sequence[str]) -> None:
        """A column that the table lacks is missing in every row: a mistake of the query, not of its data."""
        absent = [one.name for one in self._absent[tuple(names)] if one.one_of]
        lacking = [one.field for one in scored.fields.get(0, ()) if one.reason == "missing_field"]
        missing = absent or [name for name in lacking if "[" not in name]  # else a field within a value
        if missing:
            renamed = self._renamed(missing, names)
            hint = f"rename columns in a subquery: FROM (SELECT * RENAME ({renamed}) FROM …) f"
            raise rows_lack(f"{self._name}(f)", missing, self._manifest.model, names, hint, bool(absent))

    def _renamed(self, missing: Sequence[str], names: Sequence[str]) -> str:
        """RENAME, since beside `*` a name that differs by case only would come twice."""
        near = {one.name: one.near for one in self._absent[tuple(names)]}
        return ", ".join(
            f"{_identifier(near.get(name) or 'your_column')} AS {_identifier(name)}" for name in missing[:3]
        )


def _identifier(name: str) -> str:
    return name if _PLAIN.match(name) else quoted_name(name)
