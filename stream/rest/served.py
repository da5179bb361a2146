"""A model that answers over REST, and what hangs on its version: how rows are read and answers written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from stream.codec import ABSENT, Leaf, RecordSchema
from stream.files import LeafReader, WrongField
from stream.manifest import Inputs
from stream.records import DeadLetter
from stream.rest.plain import plain_values
from stream.scoring import Model, carried_names
from stream.table import predict_columns

__all__ = ["Answer", "Row", "Served", "Values"]

Row = Mapping[str, Any]
"""One row of a request."""

Values = Mapping[str, Sequence[object]]
"""Rows that were read: values by path."""

Answer = dict[str, Any] | DeadLetter
"""A prediction as JSON has it, or why there is none."""


class Served:
    """
    One version of a model. May be used by several threads at once.

    Attributes:
        model: scores.
        features: leaves of the model's features, in the schema's order.
        carried: by path, the name in the prediction.
        examples: some of the package's golden rows, as a caller would write them.
    """

    def __init__(
        self, model: Model, features: RecordSchema, examples: Sequence[Mapping[str, object]] = ()
    ) -> None:
        """
        Args:
            model: the loaded estimator.
            features: `features.avsc`.
            examples: Avro records as dicts.
        """
        self.model = model
        self.schema = features
        manifest = model.manifest
        wanted = [feature.path for feature in manifest.features]
        self.carried = carried_names(manifest.carry)
        self._json = LeafReader(features, wanted, manifest.carry)
        self._text = LeafReader(features, wanted, manifest.carry, text=True)
        order = {leaf.path: number for number, leaf in enumerate(features.leaves())}
        by_path = {plan.leaf.path: plan.leaf for plan in self._json.leaves}
        self.features = tuple(
            sorted((by_path[path] for path in dict.fromkeys(wanted)), key=lambda leaf: order[leaf.path])
        )
        self.leaves = tuple(sorted(by_path.values(), key=lambda leaf: order[leaf.path]))
        self._kinds: Mapping[str, Leaf] = {name: by_path[path] for path, name in self.carried.items()}
        self.names = {plan.leaf.path: plan.name for plan in self._json.leaves}
        self.examples = [self._example(event) for event in examples]

    @property
    def name(self) -> str:
        """The model's name."""
        return self.model.manifest.name

    @property
    def version(self) -> str:
        """The version, as text."""
        return str(self.model.manifest.version)

    @property
    def inputs(self) -> Inputs:
        """The shape of what the model takes."""
        return self.model.manifest.inputs

    @property
    def width(self) -> int:
        """The number of columns that the model takes."""
        return self.model.manifest.width

    def required(self, path: str) -> bool:
        """Whether a row must have the field."""
        return self._json.required(path)

    @property
    def title(self) -> str:
        """`name@version`."""
        return self.model.manifest.model

    def read(self, rows: Sequence[Any], *, text: bool = False) -> tuple[Values, list[WrongField]]:
        """
        Read rows.

        Args:
            rows: n rows by the fields' original or Avro names.
            text: whether texts stand for numbers, dates … (csv).
        Returns: n values by path, and every field that does not fit.
        """
        strangers = [
            WrongField(number, "", "wrong_type", f"expected an object, found {str(row)[:60]!r}")
            for number, row in enumerate(rows)
            if not isinstance(row, Mapping)
        ]
        reader = self._text if text else self._json
        if not strangers:
            return reader.read(rows)
        numbers = {one.row for one in strangers}
        values, wrong = reader.read([{} if i in numbers else row for i, row in enumerate(rows)])
        wrong = [one for one in wrong if one.row not in numbers]
        return values, sorted([*wrong, *strangers], key=lambda one: one.row)

    def answer(self, values: Values, n: int) -> list[Answer]:
        """
        Score rows.

        Args:
            values: what `read` gave, without misfits.
            n: number of rows.
        Returns: for each row its prediction, without carried fields that it was not given, or why it has none.
        Blocks while the model works.
        """
        scored = predict_columns(self.model, self._json.columns(values), n)
        names = list(scored.columns)
        columns = [plain_values(column, self._kinds.get(name)) for name, column in scored.columns.items()]
        answers: list[Answer] = [scored.faults.get(i) or {} for i in range(n)]
        for i, row in zip(scored.rows, zip(*columns, strict=True), strict=True):
            answers[i] = dict(zip(names, row, strict=True))
        for path, name in self.carried.items():
            for answer, value in zip(answers, values[path], strict=True):
                if value is ABSENT and isinstance(answer, dict):
                    del answer[name]
        return answers

    def _example(self, event: Mapping[str, object]) -> dict[str, Any]:
        """A golden row with the names and values that a caller would write, nested fields by dotted names."""
        read, wrong = self._json.read([event])
        if wrong:
            raise ValueError(f"a golden row does not fit: {wrong[0]}")
        values = {leaf.path: read[leaf.path] for leaf in self.leaves if read[leaf.path][0] is not ABSENT}
        arrays = {path: pa.array(value, self.schema.leaf(path).arrow) for path, value in values.items()}
        return {
            self.names[path]: plain_values(array, self.schema.leaf(path))[0] for path, array in arrays.items()
        }
