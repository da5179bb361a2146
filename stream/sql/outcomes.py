"""What a query of ours is told beside its answers: columns that are absent, and how many rows have no prediction."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import pyarrow as pa

from stream.codec import RecordSchema
from stream.errors import QueryError
from stream.sql.fault_count import FaultCount, Tally
from stream.store import Package
from stream.table import Absent, ScoredTable, StructScorer, absent_columns

__all__ = ["Outcomes"]

Listener = Callable[[list[FaultCount]], object]
"""Told of reasons that came up for the first time."""

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*\Z")
"""A name that SQL takes without quotes."""


class Outcomes:
    """
    Scores a query's rows. Not for several threads at once.

    Args:
        package: the opened model.
        name: of the function, for messages.
        tally: counts the rows.
        listener: told of reasons that came up for the first time.
        warn: told, once for each set of columns, that one is absent and its default is taken.
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
        self._scorer = StructScorer(package.model, package.features, name, call)
        self.type = self._scorer.type

    def of(self, rows: pa.Array) -> pa.Array:
        """
        Score rows.

        Args:
            rows: as for `StructScorer.of`.
        Returns: as `StructScorer.of`.
        Raises: QueryError when these are not rows, or don't have the model's columns.
        """
        return self._scorer.of(rows, self._look)

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
        missing = [one.field for one in scored.fields.get(0, ()) if one.reason == "missing_field"]
        if missing:
            raise QueryError(
                f"{self._name}(f): the rows lack {', '.join(map(repr, missing))}, which {self._manifest.model} "
                f"needs; they have {', '.join(map(repr, names))}",
                hint=f"rename columns in a subquery: FROM (SELECT * RENAME ({self._renamed(missing, names)}) FROM …) f",
            )

    def _renamed(self, missing: Sequence[str], names: Sequence[str]) -> str:
        """RENAME, since beside `*` a name that differs by case only would come twice."""
        near = {one.name: one.near for one in self._absent[tuple(names)]}
        return ", ".join(
            f"{_identifier(near.get(name) or 'your_column')} AS {_identifier(name)}" for name in missing[:3]
        )


def _identifier(name: str) -> str:
    return name if _PLAIN.match(name) else '"' + name.replace('"', '""') + '"'
