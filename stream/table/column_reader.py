"""Foreign columns → the columns of the fields that a model needs, and the rows with a field that doesn't fit."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TypeAlias

import pyarrow as pa

from stream.codec import ABSENT, Field, Leaf, Record, RecordSchema, default_of, find, strip_null
from stream.scoring import value_at
from stream.table.row_reader import ReadRow, TextColumns, is_text, names_of, projected, record_reader, relaxed
from stream.table.struct_maps import own_keys
from stream.types import AvroType, Misfit, Misfits, mismatch, parse_json

__all__ = ["ColumnReader"]

_Event: TypeAlias = dict[str, object] | None
"""A row as an Avro record; None for one with a field that doesn't fit."""


class ColumnReader:
    """
    Finds the needed fields in foreign columns or rows, and makes their Arrow columns.

    Attributes:
        record: the needed fields' type.
        leaves: the needed leaves.
        names: by path, the name that callers know a leaf by: the original one, dotted within nested records.

    Args:
        schema: of the events.
        paths: dotted paths of the needed leaves, each once.
        optional: dotted paths of further leaves; a row without one gets null, whatever the schema says.
    """

    def __init__(self, schema: RecordSchema, paths: Sequence[str], optional: Sequence[str] = ()) -> None:
        more = [path for path in optional if path not in paths]
        self.record = relaxed(projected(schema.root, [*paths, *more]), more)
        self.leaves = [schema.leaf(path) for path in (*paths, *more)]
        self.names = {leaf.path: _original(find(schema.root, leaf.path)) for leaf in self.leaves}
        self._fields = [
            _Column(self.record, field, [leaf for leaf in self.leaves if _top(leaf.path) == field.name])
            for field in self.record.fields
        ]
        self._readers: dict[frozenset[str], ReadRow] = {}

    def wanted(self, names: Collection[str]) -> list[str]:
        """Those of a file's columns that are looked at, in the same order."""
        tops = {name for field in self.record.fields for name in names_of(field)}
        dots = tuple(f"{name}." for name in tops)
        return [name for name in names if name in tops or name.startswith(dots)]

    def from_table(self, batch: pa.RecordBatch, text: TextColumns) -> tuple[dict[str, pa.Array], Misfits]:
        """
        Args:
            batch: n rows.
            text: whether texts stand for numbers, dates …
        Returns: an array of n rows per path; and the rows with a field that doesn't fit.
        """
        columns: dict[str, pa.Array] = {}
        wrong: Misfits = {}
        for field in self._fields:
            for i, misfits in field.add(batch, text, columns).items():
                wrong[i] = (*wrong.get(i, ()), *misfits)
        return columns, wrong

    def from_rows(
        self, rows: Sequence[Mapping[str, object]], *, text: TextColumns
    ) -> tuple[dict[str, pa.Array], Misfits]:
        """
        Args:
            rows: n rows by column.
            text: as for `from_table`.
        Returns: as `from_table`.
        """
        return _columns(*_events(rows, self._reader(text)), self.leaves)

    def events(
        self, rows: Sequence[Mapping[str, object]], *, text: TextColumns
    ) -> tuple[list[_Event], Misfits]:
        """
        The first half of `from_rows`, for gathering the rows of several callers before columns are made of them.

        Args:
            rows: n rows by column.
            text: whether texts stand for numbers, dates …
        Returns: n events, None for each row with a field that doesn't fit; and those rows.
        """
        return _events(rows, self._reader(text))

    def columns(self, events: Sequence[_Event]) -> tuple[dict[str, pa.Array], Misfits]:
        """
        The second half of `from_rows`.

        Args:
            events: n events, of any number of callers.
        Returns: as `from_table`; the misfits are values that Arrow can't hold.
        """
        return _columns(events, {}, self.leaves)

    def renamed(self, misfits: Mapping[int, Misfit]) -> Misfits:
        """A model's misfits, with the names that callers know the fields by instead of the paths."""
        return {
            i: (Misfit(misfit.message, self.names[misfit.field], reason=misfit.reason),)
            for i, misfit in misfits.items()
        }

    def _reader(self, text: TextColumns) -> ReadRow:
        """A reader of whole rows, made once for each set of names whose columns are texts."""
        every = (name for field in self.record.fields for name in names_of(field))
        names = frozenset(name for name in every if is_text(text, (name,)))
        if names not in self._readers:
            self._readers[names] = record_reader(self.record, text=names)
        return self._readers[names]


def _original(steps: Sequence[Field]) -> str:
    return ".".join(step.feature or step.name for step in steps)


def _top(path: str) -> str:
    return path.partition(".")[0]


def _events(rows: Sequence[Mapping[str, object]], read: ReadRow) -> tuple[list[_Event], Misfits]:
    events: list[_Event] = []
    wrong: Misfits = {}
    for i, row in enumerate(rows):
        try:
            events.append(read(row))
        except Misfit as misfit:
            wrong[i] = misfit.each
            events.append(None)
    return events, wrong


def _columns(
    events: Sequence[_Event], wrong: Misfits, leaves: Sequence[Leaf]
) -> tuple[dict[str, pa.Array], Misfits]:
    columns: dict[str, pa.Array] = {}
    for leaf in leaves:
        path = leaf.path
        if "." in path:
            values = [None if event is None else value_at(event, path) for event in events]
        else:
            values = [None if event is None else event[path] for event in events]
        columns[leaf.path], misfits = leaf.type.from_values(values)
        for i, found in misfits.items():
            wrong[i] = (*wrong.get(i, ()), found.within(leaf.path))
    return columns, wrong


class _Column:
    """One field of the root, with the leaves that are needed of it."""

    def __init__(self, root: Record, field: Field, leaves: Sequence[Leaf]) -> None:
        self._field = field
        self._leaves = leaves
        self._readers = {text: record_reader(Record(root.name, [field]), text=text) for text in (False, True)}
        self._constants = {leaf.path: _constant(root, leaf) for leaf in leaves}

    def add(self, batch: pa.RecordBatch, text: TextColumns, columns: dict[str, pa.Array]) -> Misfits:
        """Put the leaves' arrays into `columns`; the rows that don't fit are returned."""
        name = next((name for name in names_of(self._field) if name in batch.schema.names), None)
        if name is None:
            dotted = [
                each for each in batch.schema.names
                if each.startswith(tuple(f"{name}." for name in names_of(self._field)))
            ]  # fmt: skip
            if not dotted:
                return self._default(len(batch), columns)
            return self._one_by_one(batch.select(dotted), is_text(text, dotted[:1]), columns)
        array = batch.column(batch.schema.names.index(name))
        if isinstance(array.type, pa.JsonType):
            return self._documents(name, array.storage.to_pylist(), columns)
        found: dict[str, pa.Array] = {}
        for leaf in self._leaves:
            end = _descend(array, self._field, leaf.path)
            made = (
                None
                if end is None
                else leaf.type.cast(end, nullable=leaf.nullable, text=is_text(text, [name]))
            )
            if made is None or (made.null_count and not leaf.nullable and len(self._leaves) > 1):
                return self._one_by_one(batch.select([name]), is_text(text, [name]), columns)
            found[leaf.path] = made
        columns |= found
        return self._nulls(found, name) | self._outside(found, name)

    def _outside(self, found: Mapping[str, pa.Array], name: str) -> Misfits:
        """Values that only Arrow's type can hold."""
        wrong: Misfits = {}
        for leaf in self._leaves:
            inner = leaf.path.partition(".")[2]
            for i in leaf.type.outside_column(found[leaf.path]):
                misfit = leaf.type.beyond().within(inner) if inner else leaf.type.beyond()
                wrong[i] = (*wrong.get(i, ()), misfit.within(name))
        return wrong

    def _nulls(self, found: dict[str, pa.Array], name: str) -> Misfits:
        (leaf, *more) = self._leaves
        array = found[leaf.path]
        if more or leaf.nullable or not array.null_count:
            return {}
        inner = leaf.path.partition(".")[2]
        misfit = Misfit(f"expected {leaf.avro}, found no value", inner)
        rows = array.is_null().to_numpy(zero_copy_only=False).nonzero()[0].tolist()
        return dict.fromkeys(rows, (misfit.within(name),))

    def _default(self, n: int, columns: dict[str, pa.Array]) -> Misfits:
        misfits: Misfits = {}
        if self._field.default is ABSENT:
            try:
                self._readers[False]({})
            except Misfit as misfit:
                misfits = dict.fromkeys(range(n), misfit.each)
        for leaf in self._leaves:
            value = self._constants[leaf.path]
            columns[leaf.path] = pa.nulls(n, leaf.arrow) if value is None else pa.repeat(value, n)
        return misfits

    def _documents(self, name: str, texts: Sequence[str | None], columns: dict[str, pa.Array]) -> Misfits:
        """Of a column of JSON texts."""
        rows: list[dict[str, object]] = []
        unreadable: Misfits = {}
        for i, text in enumerate(texts):
            try:
                rows.append({name: None if text is None else parse_json(text)})
            except (ValueError, RecursionError):
                rows.append({})
                unreadable[i] = (mismatch("JSON", text).within(name),)
        found, wrong = _columns(*_events(rows, self._readers[False]), self._leaves)
        columns |= found
        return wrong | unreadable

    def _one_by_one(self, batch: pa.RecordBatch, text: bool, columns: dict[str, pa.Array]) -> Misfits:
        rows, unreadable = _pythonic(batch)
        if len(self._leaves) == 1 and self._leaves[0].path == self._field.name:
            unreadable |= _with_own_keys(rows, batch, self._leaves[0].type)
        found, wrong = _columns(*_events(rows, self._readers[text]), self._leaves)
        columns |= found
        return wrong | unreadable


def _with_own_keys(rows: list[dict[str, object]], batch: pa.RecordBatch, kind: AvroType) -> Misfits:
    """Maps that came as structs, in one column, with the keys that they have (`struct_maps`)."""
    name, arrow = batch.schema.names[0], batch.schema.types[0]
    change = own_keys(kind, arrow)
    wrong: Misfits = {}
    for i, row in enumerate(rows if change is not None else ()):
        try:
            if row.get(name) is not None:
                row[name] = change(row[name])  # type: ignore[misc]
        except Misfit as misfit:
            row.clear()
            wrong[i] = (misfit.within(name),)
    return wrong


def _constant(root: Record, leaf: Leaf) -> pa.Scalar | None:
    """What the leaf is in a row without its field: the default, of the leaf's type."""
    value = default_of(find(root, leaf.path))
    if value is ABSENT or value is None:
        return None
    return leaf.type.from_storage(pa.array([leaf.type.default(value)], leaf.type.storage))[0]


def _descend(array: pa.Array, field: Field, path: str) -> pa.Array | None:
    """A nested leaf's column, where no record on the way is null and every name is there."""
    for name in path.split(".")[1:]:
        node = strip_null(field.type)[0]
        inner = node.field(name) if isinstance(node, Record) else None
        if inner is None or not pa.types.is_struct(array.type) or array.null_count:
            return None
        has = [array.type.field(i).name for i in range(array.type.num_fields)]
        chosen = next((each for each in names_of(inner) if each in has), None)
        if chosen is None or has.count(chosen) > 1:
            return None
        array, field = array.field(has.index(chosen)), inner
    return array


def _pythonic(batch: pa.RecordBatch) -> tuple[list[dict[str, object]], Misfits]:
    """Rows as dicts; those with a date that Python can't hold are named."""
    try:
        return batch.to_pylist(), {}
    except (OverflowError, ValueError):
        rows: list[dict[str, object]] = []
        wrong: Misfits = {}
        for i in range(len(batch)):
            try:
                rows += batch.slice(i, 1).to_pylist()
            except (OverflowError, ValueError) as error:
                rows.append({})
                wrong[i] = (
                    Misfit(f"can't be read: {error}", batch.schema.names[0], reason="value_out_of_range"),
                )
        return rows, wrong
