"""What the JSON schemas of the OpenAPI document are made of."""

from __future__ import annotations

from typing import Any, TypeAlias

__all__ = [
    "ANY", "ANY_LIST", "BINARY", "BOOLEAN", "ERROR", "JSON", "TEXT", "Schema", "any_of", "list_of", "object_of", "ref",
]  # fmt: skip

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


def any_of(*schemas: Schema) -> Schema:
    """What fits one of the schemas, of which several may be the same."""
    different = [one for i, one in enumerate(schemas) if one not in schemas[:i]]
    return different[0] if len(different) == 1 else {"anyOf": different}


ANY: Schema = {}
ANY_LIST = list_of(ANY)
TEXT: Schema = {"type": "string"}
BINARY: Schema = {"type": "string", "format": "binary"}
BOOLEAN: Schema = {"type": "boolean"}
ERROR = ref("Error")
