"""The estimator's columns ↔ the schema's fields: by name, one array field, or the numeric fields in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from stream.codec import Leaf, RecordSchema
from stream.errors import PackageError, SchemaError
from stream.manifest import Feature, FeatureKind, Inputs
from stream.nearest import nearest
from stream.scoring import Profile, missing_texts
from stream.types import List

__all__ = ["FeatureMapping", "map_features"]


@dataclass(frozen=True, slots=True)
class FeatureMapping:
    """
    Where an estimator's input comes from.

    Attributes:
        inputs: its shape.
        features: its columns in its order; the one array field for `vector`.
        width: number of columns.
    """

    inputs: Inputs
    features: tuple[Feature, ...]
    width: int


def map_features(
    estimator: object, profile: Profile, schema: RecordSchema, vector: str | None, carry: Sequence[str]
) -> FeatureMapping:
    """
    Find the estimator's columns in a schema.

    Args:
        estimator: fitted; looked at for what its missing texts were.
        profile: what it says of itself.
        schema: the events'.
        vector: the array field that holds all columns; None for fields of their own.
        carry: carried fields: they count as columns of an array model only where the number fits so.
    Returns: the mapping.
    Raises: PackageError naming each column that isn't found, with the nearest names there are.
    """
    if vector is not None:
        return _vector(profile, schema, vector)
    if profile.names is not None:
        nulls = missing_texts(estimator, profile.names)
        features = tuple(
            replace(feature, null=nulls.get(feature.name, "None")) if feature.kind == "text" else feature
            for feature in _named(profile.names, schema)
        )
        return FeatureMapping("frame", features, len(features))
    return _matrix(profile.width, schema, carry)


def _named(names: Sequence[str], schema: RecordSchema) -> list[Feature]:
    leaves = schema.leaves()
    known = {leaf.path: leaf for leaf in leaves} | {leaf.feature: leaf for leaf in leaves if leaf.feature}
    if missing := [name for name in names if name not in known]:
        lines = [f"{name!r}{_nearest(name, list(known))}" for name in missing]
        raise PackageError(
            f"the schema {schema.name} lacks {len(missing)} of the {len(names)} columns that the estimator was "
            f"fitted on: {'; '.join(lines)}",
            step="manifest",
            hint="add the fields, or give a field's original name in its `feature` property",
        )
    return [_feature(name, known[name]) for name in names]


def _nearest(name: str, known: list[str]) -> str:
    near = nearest(name, known, most=2)
    return f" (nearest: {', '.join(map(repr, near))})" if near else ""


def _feature(name: str, leaf: Leaf) -> Feature:
    return Feature(name, leaf.path, leaf.type.full_name, _kind(leaf), leaf.nullable)


def _kind(leaf: Leaf) -> FeatureKind:
    kind = leaf.type.model
    if kind is not None:
        return kind
    hint = "name the field with --vector if it holds all columns" if isinstance(leaf.type, List) else ""
    raise PackageError(
        f"field {leaf.path!r}: a model can't take the Avro type {leaf.avro}",
        step="manifest",
        hint=hint or "use a number, boolean, string, enum, date or timestamp (millis or micros)",
    )


def _vector(profile: Profile, schema: RecordSchema, vector: str) -> FeatureMapping:
    try:
        leaf = schema.leaf(vector)
    except SchemaError as error:
        raise PackageError(f"--vector: {error.message}", step="manifest", hint=error.hint) from error
    if not (isinstance(leaf.type, List) and leaf.type.item.numeric):
        raise PackageError(
            f"--vector {vector}: expected an array of numbers, found {leaf.avro}",
            step="manifest",
            hint="name a field of type array<double>",
        )
    if profile.width is None:
        raise PackageError(
            f"--vector {vector}: the estimator doesn't say how many columns it takes",
            step="manifest",
            hint="give it the attribute n_features_in_",
        )
    feature = Feature(leaf.path, leaf.path, leaf.type.full_name, "number", leaf.nullable)
    return FeatureMapping("vector", (feature,), profile.width)


def _matrix(width: int | None, schema: RecordSchema, carry: Sequence[str]) -> FeatureMapping:
    """The numeric fields in order; booleans or carried fields count where the number of columns says so."""
    leaves = schema.leaves()
    strict = [leaf for leaf in leaves if leaf.type.numeric]
    wide = [leaf for leaf in leaves if leaf.type.model == "number"]
    choices = [*([leaf for leaf in some if leaf.path not in carry] for some in (strict, wide)), strict, wide]
    for chosen in choices:
        if chosen and len(chosen) == (width or len(chosen)):
            features = tuple(_feature(leaf.path, leaf) for leaf in chosen)
            return FeatureMapping("matrix", features, len(features))
    raise PackageError(
        f"the estimator takes {width or 'some'} columns without names; the schema {schema.name} has "
        f"{len(strict)} numeric fields: {', '.join(leaf.path for leaf in strict) or 'none'}",
        step="manifest",
        hint="give a schema or sample with those columns in that order, or an array field with --vector",
    )
