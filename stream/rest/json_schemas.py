"""What the JSON schemas of the OpenAPI document are made of."""

from __future__ import annotations

from typing import Any, TypeAlias

__all__ = ["BINARY", "BOOLEAN", "ERROR", "JSON", "TEXT", "Schema", "list_of", "object_of", "ref"]

Schema: TypeAlias = dict[str, Any]
"""A JSON schema; it may refer to the components of the OpenAPI document."""

JSON = "application/json"


def ref(name: str) -> Schema:
    """A component of the document: Features, Prediction, RowError, Answer, Error or Tensor."""
    return {"$ref": f"#/components/schemas/{name}"}


def list_of(items: Schema) -> Schema:
    """A list of such items."""
    return {"type": "array", "items": items}


def object_of(**properties: Schema) -> Schema:
    """An object with these properties, all of them required."""
    return {"type": "object", "required": list(properties), "properties": properties}


TEXT: Schema = {"type": "string"}
BINARY: Schema = {"type": "string", "format": "binary"}
BOOLEAN: Schema = {"type": "boolean"}
ERROR = ref("Error")
