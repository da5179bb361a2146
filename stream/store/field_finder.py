"""The fields of a schema that are a model's columns, found by their names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from stream.codec import Leaf, RecordSchema
from stream.errors import PackageError
from stream.manifest import Feature, FeatureKind
from stream.nearest import nearest
from stream.scoring import KnownColumns, missing_texts
from stream.types import List

__all__ = ["FieldFinder", "feature_of", "listed", "mapping_refused"]

_CONSTANT = (
    "statsmodels' add_constant made it: put a column `const` of 1.0 into the sample, or a field `const` of type double "
    "with the default 1.0 into the schema; or fit by a formula (`smf.ols`), which adds it by itself"
)
"""What to do where only the constant of a design matrix is lacking."""


class FieldFinder:
    """
    Finds columns in a schema.

    Args:
        estimator: fitted; looked at for what its missing texts were.
        known: what it says of its columns.
        schema: the events'.

    Attributes:
        schema: as given.
        leaves: its fields.
    """

    def __init__(self, estimator: object, known: KnownColumns, schema: RecordSchema) -> None:
        self._estimator = estimator
        self._known = known
        self.schema = schema
        self.leaves = schema.leaves()
        self._by_name = {leaf.path: leaf for leaf in self.leaves}
        self._by_name |= {leaf.feature: leaf for leaf in self.leaves if leaf.feature}
        if known.mangled:
            self._by_name = {n.replace(" ", "_"): leaf for n, leaf in self._by_name.items()} | self._by_name

    def has(self, names: Sequence[str]) -> bool:
        """Whether there is a field for each."""
        return all(name in self._by_name for name in names)

    def paths(self, names: Sequence[str]) -> list[str]:
        """The field of each; the name itself where there is none."""
        return [self._by_name[name].path if name in self._by_name else name for name in names]

    def _original(self, name: str) -> str:
        """The name that the column has in the owner's table, where the model doesn't say it."""
        leaf = self._by_name[name]
        return name if self._known.names is not None and not self._known.mangled else leaf.feature or name

    def features(self, names: Sequence[str], what: str) -> tuple[Feature, ...]:
        """
        Args:
            names: of columns, original or Avro.
            what: whose they are, for a message.
        Returns: a feature for each.
        Raises: PackageError with those that there is no field for, and the nearest names there are.
        """
        if missing := [name for name in names if name not in self._by_name]:
            known = [leaf.feature or leaf.path for leaf in self.leaves]
            lines = [f"{name!r}{_nearest(name, known)}" for name in missing]
            raise mapping_refused(
                f"the schema {self.schema.name} lacks {len(missing)} of the {len(names)} columns {what}: "
                f"{'; '.join(lines)}",
                _CONSTANT
                if missing == ["const"]
                else "call the columns of the sample as when the model was fitted; in a schema of your own, a field's "
                "original name may stand in its `feature` property",
            )
        nulls = missing_texts(self._estimator, names)
        found = [feature_of(self._original(name), self._by_name[name], len(names)) for name in names]
        return tuple(
            replace(feature, null=nulls.get(feature.name, "None")) if feature.kind == "text" else feature
            for feature in found
        )


ARRAY_AMONG_OTHERS = (
    "an array can't be one column among others (CatBoost's embedding_features): give each of its items a field of its "
    "own, and pack an estimator that takes these; around a model that is fitted, a class whose `predict` joins them to "
    "the array again before it asks the model"
)
"""What helps where a column holds arrays."""


def feature_of(name: str, leaf: Leaf, among: int = 1) -> Feature:
    """
    Args:
        name: of the model's column.
        leaf: its field.
        among: columns that the model has.
    Raises: PackageError if no model takes the field's type.
    """
    return Feature(name, leaf.path, leaf.type.full_name, _kind(leaf, among), leaf.nullable)


def _kind(leaf: Leaf, among: int) -> FeatureKind:
    kind = leaf.type.model
    if kind is not None:
        return kind
    hint = "use a number, boolean, string, enum, date or timestamp (millis or micros)"
    if isinstance(leaf.type, List):
        hint = "name the field with --vector if it holds all columns" if among == 1 else ARRAY_AMONG_OTHERS
    raise mapping_refused(f"field {leaf.path!r}: a model can't take the Avro type {leaf.avro}", hint)


def _nearest(name: str, known: list[str]) -> str:
    near = nearest(name, known, most=2)
    return f" (nearest: {', '.join(map(repr, near))})" if near else ""


_SHOWN = 20
"""Names in a message; a model of thousands of columns would fill the screen."""


def listed(names: Sequence[str] | None) -> str:
    """Names for a message, the first of many; `none` for none."""
    shown = ", ".join((names or ())[:_SHOWN]) or "none"
    return shown + (f", … ({len(names)} in all)" if names and len(names) > _SHOWN else "")


def mapping_refused(message: str, hint: str) -> PackageError:
    """The error for columns that can't be found, with the next step."""
    return PackageError(message, step="manifest", hint=hint)
