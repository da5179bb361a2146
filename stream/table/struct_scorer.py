"""Rows that a query gives as structs → what its functions answer: a prediction, or why there is none, for each row."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from stream.codec import RecordSchema
from stream.errors import QueryError
from stream.records import DeadLetter
from stream.scoring import Model
from stream.table.row_reader import names_of
from stream.table.scorer import ScoredTable, TableScorer
from stream.types import TypeFacts

__all__ = ["Look", "StructScorer"]

Look: TypeAlias = Callable[[Sequence[str], ScoredTable], object]
"""Called with the names of the columns that came, and with what was scored; may refuse by raising."""

_ERROR = pa.struct([("stage", pa.string()), ("reason", pa.string()), ("message", pa.string())])


class StructScorer:
    """
    Scores the rows of SQL's functions. Not for several threads at once.

    Carried fields are repeated where the rows have them: for the answer they aren't needed.

    Args:
        model: the loaded model.
        features: `features.avsc`.
        name: of the function, for messages.
        call: how it is called with a row, for the hint where it was called with something else.
        arrow_of: the Arrow type that the query engine is given for a type.

    Attributes:
        type: a struct of `prediction` and `error`; the first has the prediction's fields, the second `stage`,
            `reason` and `message`.
        types: of the prediction's fields.
        cells: columns whose texts are a csv's cells, and stand for numbers, dates …
        documents: columns whose texts are JSON.
    """

    def __init__(
        self,
        model: Model,
        features: str,
        name: str,
        call: str,
        arrow_of: Callable[[TypeFacts], pa.DataType],
    ) -> None:
        self._model = model
        self._name, self._call, self._arrow_of = name, call, arrow_of
        self._schema = RecordSchema(features)
        self._carried = {path: self._names(path) for path in model.manifest.carry}
        self.cells: Collection[str] = ()
        self.documents: Collection[str] = ()
        self._scorers: dict[tuple[str, ...], TableScorer] = {}
        self.types = TableScorer(model, self._schema).types
        self._prediction = pa.struct([(name, arrow_of(kind)) for name, kind in self.types.items()])
        self.type = pa.struct([("prediction", self._prediction), ("error", _ERROR)])

    def score(self, rows: pa.Array, look: Look | None = None) -> pa.Array:
        """
        Score rows.

        Args:
            rows: n rows as structs; other columns than the model's are ignored. A null row has neither a
                prediction nor an error.
            look: called with what was scored.
        Returns: n structs of `type`, of which one field is null.
        Raises: QueryError when these are not rows; what `look` raises.
        """
        if not pa.types.is_struct(rows.type):
            if rows.null_count == len(rows):
                return pa.nulls(len(rows), self.type)
            raise QueryError(
                f"{self._name}(…): expected a row, found a value of Arrow type {rows.type}",
                hint=f"{self._call}; a table that has a column of the name needs another one: FROM 'flights.parquet' t",
            )
        valid = rows.is_valid()
        given = rows.filter(valid) if rows.null_count else rows
        # Column by column: Arrow aborts where it gives a union (DuckDB has such) the nulls of its rows.
        batch = pa.RecordBatch.from_arrays(
            [given.field(i) for i in range(given.type.num_fields)], schema=pa.schema(list(given.type))
        )
        for name in {*self.documents} & {*batch.schema.names}:
            place = batch.schema.get_field_index(name)
            if pa.types.is_string(batch.column(place).type):
                batch = batch.set_column(place, name, batch.column(place).cast(pa.json_()))
        scored = self._scorer(batch.schema.names).score(batch, text=self.cells)
        if look is not None:
            look(batch.schema.names, scored)
        outcomes = self._outcomes(scored)
        if not rows.null_count:
            return outcomes
        return outcomes.take(
            pc.if_else(valid, pc.subtract(pc.cumulative_sum(valid.cast(pa.int64())), 1), None)
        )

    def _scorer(self, names: Sequence[str]) -> TableScorer:
        given = {name.partition(".")[0] for name in names} | set(names)
        carried = tuple(path for path, known in self._carried.items() if given & known)
        if carried not in self._scorers:
            self._scorers[carried] = TableScorer(self._model, self._schema, carry=carried)
        return self._scorers[carried]

    def _names(self, path: str) -> set[str]:
        """What the column that holds a path may be called."""
        top = path.partition(".")[0]
        return {name for field in self._schema.root.fields if field.name == top for name in names_of(field)}

    def _outcomes(self, scored: ScoredTable) -> pa.Array:
        predictions, n = scored.aligned(), scored.count
        found = dict(zip(predictions.schema.names, predictions.columns, strict=True))
        columns = [
            self.types[field.name].engine_column(found[field.name], self._arrow_of)
            if field.name in found
            else pa.nulls(n, field.type)
            for field in self._prediction
        ]
        failed = pa.array([i in scored.faults for i in range(n)]) if scored.faults else pa.repeat(False, n)
        prediction = pa.StructArray.from_arrays(columns, fields=list(self._prediction), mask=failed)
        return pa.StructArray.from_arrays([prediction, _errors(scored.faults, n)], fields=list(self.type))


def _errors(faults: Mapping[int, DeadLetter], n: int) -> pa.Array:
    if not faults:
        return pa.nulls(n, _ERROR)
    rows: list[dict[str, str] | None] = [None] * n
    for i, fault in faults.items():
        rows[i] = {"stage": fault.stage, "reason": fault.reason, "message": fault.message}
    return pa.array(rows, _ERROR)
