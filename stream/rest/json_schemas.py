"""JSON schemas of what a model takes and answers."""

from __future__ import annotations

from typing import Any

from stream.codec import ABSENT, Leaf
from stream.rest.served_model import Served
from stream.scoring import answer_fields
from stream.types import nullable_schema

__all__ = ["features_schema", "leaf_schema", "prediction_schema"]


def leaf_schema(leaf: Leaf, *, nullable: bool | None = None) -> dict[str, Any]:
    """
    The JSON schema of a field.

    Args:
        leaf: what the field is.
        nullable: whether null is allowed; None: as the leaf says.
    """
    schema = leaf.type.json_schema()
    return nullable_schema(schema) if (leaf.nullable if nullable is None else nullable) else schema


def features_schema(served: Served) -> dict[str, Any]:
    """The JSON schema of a row; nested fields by dotted names, as a flat row has them."""
    properties: dict[str, Any] = {}
    required: list[str] = []
    for leaf in served.leaves:
        name = served.names[leaf.path]
        about = {} if name == leaf.path else {"title": f"in Avro: {leaf.path}"}
        default = {} if leaf.default is ABSENT else {"default": leaf.default}
        # A carried field may be null, whatever the schema says: the model never sees it.
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
        kind = {"type": field.type.json_schema()["type"]}
        properties[field.name] = {"type": "array", "items": kind} if field.array else kind
        required.append(field.name)
    if manifest.classes is not None and "label" in properties:
        properties["label"]["enum"] = list(manifest.classes)
    properties["model"] = {"type": "string", "description": "name@version"}
    return {"type": "object", "properties": properties, "required": [*required, "model"]}
