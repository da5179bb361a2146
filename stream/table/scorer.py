"""
Tables, rows or checked columns in, predictions and faults out: scoring without Kafka.

Pure, as `stream.pipeline` is: the same model gives the same answers and the same faults. Rows have no offset: a
prediction has the fields of `prediction.avsc` except `source_partition` and `source_offset`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa

from stream.codec import RecordSchema
from stream.records import DeadLetter
from stream.scoring import Model, Scored, answer_fields, carried_names, prediction_columns
from stream.table.column_reader import ColumnReader
from stream.table.missing_columns import AnyOf
from stream.table.row_reader import TextColumns
from stream.types import AvroType, Misfits, dead_letter_of, type_of

__all__ = ["ScoredTable", "TableScorer", "predict_columns", "predict_quickly"]


def predict_columns(model: Model, columns: Mapping[str, pa.Array], n: int) -> Scored:
    """
    Score n rows.

    Args:
        model: the loaded estimator.
        columns: an array of length n for each feature's path (`columns_of` and `ColumnReader` make them); those of
            carried paths are copied; others are ignored.
        n: number of rows, ≥ 0.
    Returns: an answer or a fault for each row. The columns are in the prediction's order: the carried fields
        that were given, by their name in the prediction, the answer's fields, `model`.
    Raises: as `Model.score`; never for any columns of the manifest's types.
    """
    return _with_carried(model, columns, n, model.score(columns, n))


def predict_quickly(model: Model, columns: Mapping[str, pa.Array], n: int) -> Scored | None:
    """As `predict_columns`, for n ≥ 1; None where it would take its time (`Model.score_quickly`)."""
    scored = model.score_quickly(columns, n)
    return None if scored is None else _with_carried(model, columns, n, scored)


def _with_carried(model: Model, columns: Mapping[str, pa.Array], n: int, scored: Scored) -> Scored:
    carry = carried_names(model.manifest.carry)
    return replace(scored, columns=prediction_columns(columns, n, scored, carry))


@dataclass(frozen=True, slots=True)
class ScoredTable:
    """
    The answers for n rows.

    Attributes:
        count: n.
        rows: ascending indices of the rows that have a prediction; `range(n)` where all have.
        predictions: the prediction's fields, a row for each of `rows`: the carried fields, then the answer
            (`label`, `score`, `probabilities`; `value`; `labels`; `values`), then `model` (`name@version`).
        faults: by index, why a row has no prediction: a DeadLetter as on the stream.
        fields: by index, for rows whose fields don't fit (stage `contract`): every such field.
    """

    count: int
    rows: Sequence[int]
    predictions: pa.RecordBatch
    faults: dict[int, DeadLetter] = field(default_factory=dict)
    fields: Misfits = field(default_factory=dict)

    def aligned(self) -> pa.RecordBatch:
        """The predictions with a row for each of the n rows, all of it null where there is a fault."""
        if len(self.rows) == self.count:
            return self.predictions
        places: list[int | None] = [None] * self.count
        for place, row in enumerate(self.rows):
            places[row] = place
        return self.predictions.take(pa.array(places, pa.int64()))


class TableScorer:
    """
    Scores foreign rows under a model's contract.

    A field's column is found by its original (`feature`) or its Avro name, a nested field in a struct or by a
    dotted name; other columns are ignored. A missing column is the field's default, else a fault of every row.
    May be used by several threads at once if the estimator may.

    Args:
        model: the loaded model (`Package.model`).
        features: the events' schema (`Package.features`), parsed or as text.
        carry: whether the carried fields are needed and repeated in the predictions; or the paths of those
            that are.
        optional: whether a row may lack carried fields, which are null in its prediction then.
    """

    def __init__(
        self,
        model: Model,
        features: RecordSchema | str,
        *,
        carry: bool | Collection[str] = True,
        optional: bool = False,
    ) -> None:
        manifest = model.manifest
        schema = RecordSchema(features) if isinstance(features, str) else features
        self.model = model
        carried = carried_names(manifest.carry)
        kept = [path for path in carried if (carry if isinstance(carry, bool) else path in carry)]
        paths = list(dict.fromkeys(feature.path for feature in manifest.features))
        needed, more = (paths, kept) if optional else (list(dict.fromkeys([*paths, *kept])), [])
        self._needed = ColumnReader(schema, needed, more)
        self._types = {carried[path]: schema.leaf(path).type for path in kept}
        self._types |= {field.name: field.whole for field in answer_fields(manifest)}
        self._any_of = AnyOf(schema.root, paths)
        self._left = frozenset(name for path, name in carried.items() if path not in kept)
        none = {leaf.path: pa.nulls(0, leaf.arrow) for leaf in self._needed.leaves}
        self._empty = self._batch(predict_columns(model, none, 0))

    @property
    def schema(self) -> pa.Schema:
        """The predictions' columns, whatever the rows."""
        return self._empty.schema

    @property
    def types(self) -> dict[str, AvroType]:
        """What the predictions' columns hold, by name, in order."""
        return {name: self._types.get(name, type_of("string")) for name in self.schema.names}

    def wanted(self, names: Collection[str]) -> list[str]:
        """Those of a file's columns that scoring looks at, in the same order; the others need not be read."""
        return self._needed.wanted(names)

    def score(self, table: pa.Table | pa.RecordBatch, *, text: TextColumns = False) -> ScoredTable:
        """
        Score a table, at once: memory grows with its rows, so give large ones in parts (some 16,000 rows).

        Args:
            table: n ≥ 0 rows of foreign columns.
            text: True if all texts stand for numbers, dates … as in a csv file; or the names of such columns. An
                empty cell must be null already.
        Returns: a prediction or a fault for each row. A fault concerns its row only: the others are scored as if
            it were not there.
        Raises: MemoryError and the like only; never for any values.
        """
        batch = _one_batch(table)
        columns, wrong = self._needed.from_table(batch, text)
        return self._score(columns, wrong, len(batch))

    def score_rows(self, rows: Sequence[Mapping[str, object]], *, text: TextColumns = False) -> ScoredTable:
        """
        Score rows that are not a table, such as JSON objects or Avro records.

        Args:
            rows: n ≥ 0 rows by column; they need not have the same columns.
            text: as for `score`.
        Returns, Raises: as `score`. A row without any of the features is a fault, if each has a default: an answer
            from defaults alone would be about nothing.
        """
        columns, wrong = self._needed.from_rows(rows, text=text)
        wrong |= {
            i: (misfit,)
            for i, row in enumerate(rows)
            if i not in wrong and (misfit := self._any_of.misfit(row)) is not None
        }
        return self._score(columns, wrong, len(rows))

    def _score(self, columns: dict[str, pa.Array], wrong: Misfits, n: int) -> ScoredTable:
        if n == 0:
            return ScoredTable(0, range(0), self._empty)
        sound: Sequence[int] = range(n)
        if wrong:
            sound = [i for i in range(n) if i not in wrong]
            taken = pa.array(sound, pa.int64())
            columns = {path: column.take(taken) for path, column in columns.items()}
        scored = predict_columns(self.model, columns, len(sound))
        fields = dict(sorted(wrong.items()))
        fields |= {sound[i]: misfits for i, misfits in self._needed.renamed(scored.misfits).items()}
        faults = {i: dead_letter_of(misfits) for i, misfits in fields.items()}
        faults |= {sound[i]: fault for i, fault in scored.faults.items() if i not in scored.misfits}
        rows = scored.rows if len(sound) == n else [sound[i] for i in scored.rows]
        return ScoredTable(n, rows, self._batch(scored), faults, fields)

    def _batch(self, scored: Scored) -> pa.RecordBatch:
        """Without the carried fields that are not wanted, even if they are features as well."""
        kept = {name: column for name, column in scored.columns.items() if name not in self._left}
        return pa.RecordBatch.from_pydict(kept)


def _one_batch(table: pa.Table | pa.RecordBatch) -> pa.RecordBatch:
    if isinstance(table, pa.RecordBatch):
        return table
    batches = table.combine_chunks().to_batches()
    if len(batches) == 1:
        return batches[0]
    if not batches:
        return pa.RecordBatch.from_arrays([pa.nulls(0, f.type) for f in table.schema], schema=table.schema)
    return pa.concat_batches(batches)  # a text column of more than 2 GiB stays in chunks
