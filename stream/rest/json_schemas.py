"""JSON schemas of what a model takes and answers."""

from __future__ import annotations

from typing import Any

import numpy as np

from stream.codec import ABSENT, Leaf
from stream.rest.served_model import Served
from stream.scoring import answer_fields

__all__ = ["features_schema", "leaf_schema", "prediction_schema"]

_EXACT = 2**53
"""Whole numbers up to here are exact in float64, which is what a model sees."""

_FLOAT_MAX = float(np.finfo(np.float32).max)

_INT = {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1}
_SIMPLE: dict[str, dict[str, Any]] = {
    "int": _INT,
    "long": {"type": "integer", "minimum": -_EXACT, "maximum": _EXACT},
    "float": {"type": "number", "minimum": -_FLOAT_MAX, "maximum": _FLOAT_MAX},
    "double": {"type": "number"},
    "boolean": {"type": "boolean"},
    "string": {"type": "string"},
    "uuid": {"type": "string"},
    "bytes": {"type": "string", "description": "A character per byte, as in Avro's JSON."},
    "fixed": {"type": "string", "description": "A character per byte, as in Avro's JSON."},
}
_TIME_TEXT = "ISO 8601, UTC where it names no zone; or a number in the type's own unit since 1970."
_TIME = {"type": ["string", "integer"], "minimum": -(2**63), "maximum": 2**63 - 1}


def leaf_schema(leaf: Leaf, *, nullable: bool | None = None) -> dict[str, Any]:
    """
    The JSON schema of a field.

    Args:
        leaf: what the field is.
        nullable: whether null is allowed; None: as the leaf says.
    """
    schema = _bare(leaf)
    if not (leaf.nullable if nullable is None else nullable):
        return schema
    if "enum" in schema:
        return {**schema, "enum": [*schema["enum"], None]}
    if isinstance(schema.get("type"), list):
        return {**schema, "type": [*schema["type"], "null"]}
    return (
        {**schema, "type": [schema["type"], "null"]}
        if "type" in schema
        else {"anyOf": [schema, {"type": "null"}]}
    )


def _bare(leaf: Leaf) -> dict[str, Any]:
    if leaf.item is not None:
        return {"type": "array", "items": leaf_schema(leaf.item)}
    if leaf.type == "enum":
        return {"enum": list(leaf.symbols)}
    if leaf.avro == "date":
        days = {"minimum": -(2**31), "maximum": 2**31 - 1}
        return {**_TIME, **days, "format": "date", "description": "ISO 8601; or days since 1970."}
    if leaf.avro in ("timestamp-millis", "timestamp-micros"):
        return {**_TIME, "format": "date-time", "description": _TIME_TEXT}
    if leaf.avro in ("local-timestamp-millis", "local-timestamp-micros"):
        return {
            **_TIME,
            "description": "ISO 8601, without a zone; or a number in the type's own unit since 1970.",
        }
    return dict(_SIMPLE.get(leaf.avro) or _SIMPLE.get(leaf.type) or {})


def features_schema(served: Served) -> dict[str, Any]:
    """The JSON schema of a row; nested fields by dotted names, as a flat row has them."""
    properties: dict[str, Any] = {}
    required: list[str] = []
    for leaf in served.leaves:
        name = served.names[leaf.path]
        about = {} if name == leaf.path else {"title": f"in Avro: {leaf.path}"}
        default = {} if leaf.default is ABSENT else {"default": leaf.default}
        # A carried field may be null, whatever the schema says: no model is asked about it.
        nullable = leaf.nullable or leaf not in served.features
        properties[name] = {**leaf_schema(leaf, nullable=nullable), **about, **default}
        if served.inputs == "vector" and leaf in served.features:
            properties[name] |= {"minItems": served.width, "maxItems": served.width}
        if served.required(leaf):
            required.append(name)
    return {
        "type": "object",
        "description": f"What {served.title} is asked about. Other fields are ignored.",
        "properties": properties,
        **({"required": required} if required else {}),
    }


def prediction_schema(served: Served) -> dict[str, Any]:
    """The JSON schema of a prediction."""
    manifest = served.model.manifest
    by_path = {leaf.path: leaf for leaf in served.leaves}
    properties: dict[str, Any] = {
        name: leaf_schema(by_path[path], nullable=True) for path, name in served.carried.items()
    }
    required = []
    for field in answer_fields(manifest):
        kind = {"type": _SIMPLE[field.type]["type"]}
        properties[field.name] = {"type": "array", "items": kind} if field.array else kind
        required.append(field.name)
    if manifest.classes is not None and "label" in properties:
        properties["label"]["enum"] = list(manifest.classes)
    properties["model"] = {"type": "string", "description": "name@version"}
    return {"type": "object", "properties": properties, "required": [*required, "model"]}
