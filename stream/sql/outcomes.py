"""Rows of a query → what the functions answer: a prediction or why there is none, for each row."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from stream.codec import RecordSchema
from stream.errors import QueryError
from stream.records import DeadLetter
from stream.sql.fault_count import FaultCount, Tally
from stream.store import Package
from stream.table import Absent, ScoredTable, TableScorer, absent_columns, names_of

__all__ = ["Outcomes"]

_ERROR = pa.struct([("stage", pa.string()), ("reason", pa.string()), ("message", pa.string())])

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
        self._tally = tally
        self._listener = listener
        self._warn = warn
        self._absent: dict[tuple[str, ...], list[Absent]] = {}
        self._package = package
        schema = RecordSchema(package.features)
        self._root = schema.root
        self._carried = {path: _names(schema, path) for path in package.manifest.carry}
        self._scorers: dict[tuple[str, ...], TableScorer] = {}
        self.prediction = pa.struct(list(TableScorer(package.model, package.features).schema))
        self.type = pa.struct([("prediction", self.prediction), ("error", _ERROR)])

    def of(self, rows: pa.Array) -> pa.Array:
        """
        Score rows.

        Args:
            rows: n rows as structs; other columns than the model's are ignored. A null row has
                neither a prediction nor an error.
        Returns: n structs of `prediction` and `error`, of which one is null.
        Raises: QueryError when these are no rows, or have not the model's columns.
        """
        if not pa.types.is_struct(rows.type):
            return self._no_rows(rows)
        there = rows.is_valid()
        found = rows.filter(there) if rows.null_count else rows
        scored = self._score(pa.RecordBatch.from_struct_array(found))
        outcomes = self._outcomes(scored)
        if not rows.null_count:
            return outcomes
        places = pc.if_else(there, pc.subtract(pc.cumulative_sum(there.cast(pa.int64())), 1), None)
        return outcomes.take(places)

    def _no_rows(self, rows: pa.Array) -> pa.Array:
        if rows.null_count == len(rows):
            return pa.nulls(len(rows), self.type)
        raise QueryError(
            f"{self._name}(…): expected a row, found a value of Arrow type {rows.type}",
            hint=f"name the table and give its name: SELECT {self._name}(f) FROM 'flights.parquet' f",
        )

    def _score(self, batch: pa.RecordBatch) -> ScoredTable:
        scored = self._scorer(batch.schema.names).score(batch)
        self._note_defaults(batch.schema.names)
        self._check_columns(scored, batch.schema.names)
        new = self._tally.add(len(batch), scored.faults)
        if new:
            self._listener(new)
        return scored

    def _scorer(self, names: list[str]) -> TableScorer:
        """Carried fields are repeated where the rows have them; for the answer they aren't needed."""
        there = {name.partition(".")[0] for name in names} | set(names)
        carried = tuple(path for path, known in self._carried.items() if there & known)
        if carried not in self._scorers:
            self._scorers[carried] = TableScorer(self._package.model, self._package.features, carry=carried)
        return self._scorers[carried]

    def _note_defaults(self, names: list[str]) -> None:
        """A misspelt column must not become null in every row without a word."""
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

    def _check_columns(self, scored: ScoredTable, names: list[str]) -> None:
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

    def _outcomes(self, scored: ScoredTable) -> pa.Array:
        predictions = scored.aligned()
        by_name = dict(zip(predictions.schema.names, predictions.columns, strict=True))
        n = scored.count
        columns = [
            by_name[field.name] if field.name in by_name else pa.nulls(n, field.type)
            for field in self.prediction
        ]
        failed = pa.array([i in scored.faults for i in range(n)]) if scored.faults else _none(n)
        return pa.StructArray.from_arrays(
            [
                pa.StructArray.from_arrays(columns, fields=list(self.prediction), mask=failed),
                _errors(scored.faults, n),
            ],
            fields=list(self.type),
        )


def _names(schema: RecordSchema, path: str) -> set[str]:
    """What the column that holds a path may be called."""
    top = path.partition(".")[0]
    return {name for field in schema.root.fields if field.name == top for name in names_of(field)}


def _identifier(name: str) -> str:
    return name if _PLAIN.match(name) else '"' + name.replace('"', '""') + '"'


def _none(n: int) -> pa.Array:
    return pa.repeat(pa.scalar(False), n)


def _errors(faults: dict[int, DeadLetter], n: int) -> pa.Array:
    if not faults:
        return pa.nulls(n, _ERROR)
    rows: list[dict[str, str] | None] = [None] * n
    for i, fault in faults.items():
        rows[i] = {"stage": fault.stage, "reason": fault.reason, "message": fault.message}
    return pa.array(rows, _ERROR)
