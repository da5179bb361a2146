"""One version of a model as REST serves it: rows of requests in, answers for JSON out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from stream.codec import ABSENT, Field, Leaf, RecordSchema, find
from stream.records import DeadLetter
from stream.scoring import Model, Scored, answer_fields, carried_names
from stream.table import ColumnReader, names_of, predict_columns, predict_quickly, quoted
from stream.types import Misfit, Misfits, shown, type_of

__all__ = ["Answer", "Event", "JsonObject", "Row", "Served"]

JsonObject: TypeAlias = "dict[str, Any]"

Row: TypeAlias = "Mapping[str, Any]"
"""One row of a request."""

Event: TypeAlias = "JsonObject | None"
"""A row that was read: an Avro record as a dict; None where it does not fit."""

Answer: TypeAlias = "JsonObject | DeadLetter"
"""A prediction with JSON's values, or why the row has none."""

_ROW_BYTES, _FIELD_BYTES = 600, 100
"""Of a row as two dicts, its event and its answer; of a field, its value and its place."""


class Served:
    """
    One version of a model. May be used by several threads at once.

    Attributes:
        manifest: the version's.
        model_name: what paths and tensors' answers call the model.
        features: leaves of the model's features, in the schema's order.
        leaves: those, and the carried ones.
        names: by path, the name that callers know a leaf by.
        by_name: the leaves, by their path and by that name.
        times: those names of the leaves that are dates or instants.
        binaries: those names of the leaves that are bytes.
        unnamed: the names of the values of a row without names: the features in the schema's order, without the
            carried fields or with them.
        carried: by path, the name in the prediction.
        examples: some of the package's golden rows, as a caller would write them.
        card: the model card, one HTML page; None where the version has none.
        row_bytes: about what a row takes from when it is read until it is answered.
    """

    def __init__(
        self,
        model: Model,
        features: RecordSchema,
        examples: Sequence[Row] = (),
        card: str | None = None,
        model_name: str | None = None,
    ) -> None:
        """
        Args:
            model: the loaded estimator.
            features: `features.avsc`.
            examples: Avro records as dicts.
            card: its model card.
            model_name: what paths call it; None = as the package does.
        """
        self.card = card
        self.manifest = manifest = model.manifest
        self.model_name = manifest.name if model_name is None else model_name
        self._model = model
        self.carried = carried_names(manifest.carry)
        needed = list(dict.fromkeys(feature.path for feature in manifest.features))
        self._needed = ColumnReader(features, needed, manifest.carry)
        order = [leaf.path for leaf in features.leaves()]
        self.leaves = tuple(sorted(self._needed.leaves, key=lambda leaf: order.index(leaf.path)))
        self.features = tuple(leaf for leaf in self.leaves if leaf.path in needed)
        self._steps = {leaf.path: find(features.root, leaf.path) for leaf in self.leaves}
        self.names = self._needed.names
        self.by_name = {name: leaf for leaf in self.leaves for name in (leaf.path, self.names[leaf.path])}
        self.times = frozenset(
            name
            for name, leaf in self.by_name.items()
            if dt.date in leaf.type.python_types or dt.datetime in leaf.type.python_types
        )
        self.binaries = frozenset(
            name for name, leaf in self.by_name.items() if leaf.type.foreign.bigquery == "BYTES"
        )
        self.unnamed = [[self.names[leaf.path] for leaf in some] for some in (self.features, self.leaves)]
        self._types = {name: features.leaf(path).type for path, name in self.carried.items()}
        self._types |= {field.name: field.whole for field in answer_fields(manifest)} | {
            "model": type_of("string")
        }
        self.row_bytes = _ROW_BYTES + _FIELD_BYTES * (len(self.leaves) + len(self._types))
        self._named = {path: _spellings(steps) for path, steps in self._steps.items()}
        self._of_features = frozenset(name for leaf in self.features for name in self._named[leaf.path])
        self._none_required = not any(self.required(leaf) for leaf in self.features)
        self.examples = [self._example(event) for event in examples]

    @property
    def version(self) -> str:
        """The version, as text."""
        return str(self.manifest.version)

    @property
    def title(self) -> str:
        """`name@version`."""
        return self.manifest.model

    @property
    def is_vector(self) -> bool:
        """Whether the model takes one array field."""
        return self.manifest.inputs == "vector"

    def names_feature(self, names: Iterable[str]) -> bool:
        """Whether one of the names is a feature's, or that of a record which holds one."""
        return not self._of_features.isdisjoint(names)

    def names_field(self, names: Collection[str]) -> bool:
        """Whether one of the names is a feature's or a carried field's."""
        return any(not known.isdisjoint(names) for known in self._named.values())

    def names_all(self, names: Collection[str]) -> bool:
        """Whether every feature is named."""
        return all(not self._named[leaf.path].isdisjoint(names) for leaf in self.features)

    def required(self, leaf: Leaf) -> bool:
        """Whether a row must have the field."""
        return leaf in self.features and self._steps[leaf.path][0].default is ABSENT

    def read(self, rows: Sequence[object], *, text: bool = False) -> tuple[list[Event], Misfits]:
        """
        Read rows.

        Args:
            rows: n rows by the fields' original or Avro names.
            text: whether texts represent numbers, dates … (csv).
        Returns: n events, and by row every field that does not fit.
        """
        not_objects: Misfits = {
            i: (Misfit(f"expected an object, found {shown(row)}"),)
            for i, row in enumerate(rows)
            if not isinstance(row, Mapping)
        }
        objects = [row if isinstance(row, Mapping) else {} for row in rows]
        events, misfits = self._needed.events(objects, text=text)
        if self._none_required:
            names = quoted(self.unnamed[0])
            empty = (Misfit(f"expected at least one of {names}, found none", reason="missing_field"),)
            misfits |= {
                i: empty for i, row in enumerate(objects) if i not in misfits and self._lacks_all(row)
            }
        return events, misfits | not_objects

    def drop_absent(self, rows: Sequence[object], answers: Sequence[Answer]) -> None:
        """Remove from each prediction the carried fields that its row didn't have."""
        for row, answer in zip(rows, answers, strict=True):
            if isinstance(answer, dict) and isinstance(row, Mapping):
                for path, name in self.carried.items():
                    if not (path in row or self.names[path] in row or self._has(row, path)):
                        del answer[name]

    def answer(self, events: Sequence[Event]) -> tuple[list[Answer], Misfits]:
        """
        Score rows.

        Args:
            events: n rows that were read, of any number of requests.
        Returns: for each row its prediction, or why it has none; and by row the fields whose values the columns or
            the model's types can't hold.
        Blocks while the model works.
        """
        columns, misfits = self._needed.columns(events)
        return self._answers(predict_columns(self._model, columns, len(events)), misfits, len(events))

    def answer_quickly(self, events: Sequence[Event]) -> tuple[list[Answer], Misfits] | None:
        """As `answer`, for n ≥ 1; None where it would take its time: it may be called by the event loop."""
        if not self._model.is_quick(len(events)):
            return None
        columns, misfits = self._needed.columns(events)
        scored = None if misfits else predict_quickly(self._model, columns, len(events))
        return None if scored is None else self._answers(scored, {}, len(events))

    def _answers(self, scored: Scored, misfits: Misfits, n: int) -> tuple[list[Answer], Misfits]:
        names = list(scored.columns)
        values = [self._types[name].json_values(column) for name, column in scored.columns.items()]
        answers: list[Answer] = [scored.faults.get(i) or {} for i in range(n)]
        for i, row in zip(scored.rows, zip(*values, strict=True), strict=True):
            answers[i] = dict(zip(names, row, strict=True))
        return answers, self._needed.renamed(scored.misfits) | misfits

    def _lacks_all(self, row: Row) -> bool:
        """Whether a row gives no feature: an answer would come from defaults alone."""
        for name in self._of_features.intersection(row):
            value = row[name]
            inner = {f"{name}.{key}": value[key] for key in value} if isinstance(value, Mapping) else None
            if inner is None or not self._lacks_all(inner):
                return False
        return True

    def _has(self, row: Row, path: str) -> bool:
        """Whether a nested row has a leaf."""
        value: Any = row
        for step in self._steps[path]:
            key = step.feature if step.feature in value else step.name
            if key not in value:
                return False
            value = value[key]
            if not isinstance(value, Mapping):
                return value is None or step is self._steps[path][-1]
        return True

    def _example(self, event: Row) -> JsonObject:
        """A golden row as a caller would write it, nested fields by dotted names."""
        columns, _ = self._needed.from_rows([event], text=False)
        return {self.names[leaf.path]: leaf.type.json_values(columns[leaf.path])[0] for leaf in self.leaves}


def _spellings(steps: Sequence[Field]) -> frozenset[str]:
    """Every name that a leaf, or a record around it, may be called by."""
    found: set[str] = set()
    prefixes = [""]
    for step in steps:
        names = [f"{prefix}{name}" for prefix in prefixes for name in names_of(step)]
        found.update(names)
        prefixes = [f"{name}." for name in names]
    return frozenset(found)
