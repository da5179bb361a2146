"""
What a package takes and answers → a signature of MLflow.

A signature decides what MLflow lets through to the model, for a whole table at once: a type that is too narrow refuses
rows that every other door takes. So a type here is the widest of those that hold the field's values alike, and `any`
where there is none: an instant (MLflow's `datetime` refuses a zone, and texts), a whole number that may be null (there
are none in pandas' own columns), a decimal, a union.

Source: `mlflow.models.utils._enforce_schema` and `mlflow.pyfunc.spark_udf` of MLflow 3.17.
"""

from __future__ import annotations

import json
from typing import Any, TypeAlias

from stream.codec import ABSENT, Array, Field, Map, Node, Record, RecordSchema, Union, plain_type, strip_null
from stream.manifest import Manifest
from stream.scoring import answer_fields, carried_names
from stream.types import AvroType, List

__all__ = ["error_column", "input_columns", "signature_of"]

Spec: TypeAlias = dict[str, Any]
"""A type, as the JSON of MLflow's schemas."""

_MAX_DEPTH = 16
"""Types inside each other; a record that contains itself ends here."""


def signature_of(manifest: Manifest, features: RecordSchema) -> Spec:
    """
    Args:
        manifest: of a package.
        features: its `features.avsc`.
    Returns: the `signature` of its `MLmodel`: inputs by their original names, those of the model first; a field that
        may be null, has a default or is only carried is not required. Every output may be missing, since a row that
        can't be scored has its error only.
    """
    return {
        "inputs": json.dumps(
            [_input(field, name, manifest) for name, field in input_columns(manifest, features)]
        ),
        "outputs": json.dumps(_outputs(manifest, features)),
        "params": None,
    }


def input_columns(manifest: Manifest, features: RecordSchema) -> list[tuple[str, Field]]:
    """
    Args: as `signature_of`.
    Returns: the fields of the events' root by the names that people know them by: the original one, where that is no
        other field's; those that the model takes come first.
    """
    fields = [field for field in features.root.fields if field.name in _roots(manifest.needed)]
    taken = _roots(feature.path for feature in manifest.features)
    ordered = sorted(fields, key=lambda field: field.name not in taken)
    avro = [field.name for field in fields]
    originals = [field.feature or field.name for field in ordered]
    return [
        (
            name if originals.count(name) == 1 and (name == field.name or name not in avro) else field.name,
            field,
        )
        for name, field in zip(originals, ordered, strict=True)
    ]


def _roots(paths: Any) -> set[str]:
    return {path.partition(".")[0] for path in paths}


def _input(field: Field, name: str, manifest: Manifest) -> Spec:
    inner, nullable = strip_null(field.type)
    taken = field.name in _roots(feature.path for feature in manifest.features)
    required = taken and not nullable and field.default is ABSENT
    return {**_spec(inner, nullable, 0), "name": name, "required": required}


def _spec(node: Node, nullable: bool, depth: int) -> Spec:
    """A field's type; within others, MLflow's own checks are narrower still."""
    if depth > _MAX_DEPTH or isinstance(node, Union):
        return {"type": "any"}
    if isinstance(node, Array):
        item, gaps = strip_null(node.items)
        return {"type": "array", "items": _spec(item, gaps, depth + 1)}
    if isinstance(node, Map):
        value, gaps = strip_null(node.values)
        return {"type": "map", "values": _spec(value, gaps, depth + 1)}
    if isinstance(node, Record):
        return {
            "type": "object",
            "properties": {each.name: _property(each, depth + 1) for each in node.fields},
        }
    plain = plain_type(node)
    assert plain is not None  # every other node has a type
    name = plain.foreign.mlflow
    gaps_lost = nullable and (name == "long" or (depth > 0 and name != "string"))
    return {"type": "any" if gaps_lost or (depth > 0 and name in ("datetime", "binary")) else name}


def _property(field: Field, depth: int) -> Spec:
    inner, nullable = strip_null(field.type)
    return {**_spec(inner, nullable, depth), "required": not nullable and field.default is ABSENT}


def error_column(manifest: Manifest) -> str:
    """The column that says why a row has no prediction; a carried field may be called like it."""
    return "error" if "error" not in carried_names(manifest.carry).values() else "prediction_error"


def _outputs(manifest: Manifest, features: RecordSchema) -> list[Spec]:
    carried = {name: features.leaf(path).type for path, name in carried_names(manifest.carry).items()}
    answer = {field.name: field.whole for field in answer_fields(manifest)}
    specs = [{**_output(kind, name in answer), "name": name} for name, kind in {**carried, **answer}.items()]
    texts = [{"type": "string", "name": name} for name in ("model", error_column(manifest))]
    return [{**spec, "required": False} for spec in (*specs, *texts)]


def _output(kind: AvroType, answer: bool) -> Spec:
    """
    Of a column that may have gaps, in MLflow's function for Spark, too: that has no missing whole number or boolean.

    An answer that is such is a double there, which holds it; a carried `long` is its text, which loses no digit.
    """
    if isinstance(kind, List):
        item = kind.item.foreign.mlflow
        if not kind.item_nullable and item in ("boolean", "long", "double", "string"):
            return {"type": "array", "items": {"type": item}}
        return {"type": "string"}
    name = kind.foreign.mlflow
    if name in ("boolean", "long"):
        return {"type": "double" if answer or kind.name != "long" else "string"}
    return {"type": name if name == "double" else "string"}
