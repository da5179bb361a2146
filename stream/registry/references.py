"""
Schemas that refer to others, as one document.

Avro allows one definition of each name in a document, before its first use. So the first use of a type that
another schema defines is replaced by its definition, and every further one names it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from stream.codec import PRIMITIVES

__all__ = ["Json", "inlined"]

Json: TypeAlias = "str | float | bool | list[Json] | dict[str, Json] | None"
"""What `json.loads` gives."""

_NAMED = {"record", "error", "enum", "fixed"}


def inlined(document: Json, others: Iterable[Json]) -> Json:
    """
    A schema with the types that it takes from others put into it.

    Args:
        document: the schema, as `json.loads` gave it.
        others: the schemas that it refers to, and those that these refer to, in any order.
    Returns: a self-contained document, as far as `others` define what it names.
    Source: Avro 1.12 specification, "Names".
    """
    return _Inliner(others).walk(document, "")


class _Inliner:
    """Walks documents once; `defined` are the names that the result has so far."""

    def __init__(self, others: Iterable[Json]) -> None:
        self.defined: set[str] = set()
        self.found: dict[str, dict[str, Json]] = {}
        for other in others:
            self._collect(other, "")

    def _collect(self, node: Json, namespace: str) -> None:
        """Note every named type of a document under its full name, with its namespace spelled out."""
        if isinstance(node, list):
            for part in node:
                self._collect(part, namespace)
        if not isinstance(node, dict):
            return
        if node.get("type") in _NAMED:
            full = _full_name(node, namespace)
            namespace, _, short = full.rpartition(".")
            self.found.setdefault(full, {**node, "name": short, "namespace": namespace})
        for part in _parts(node):
            self._collect(part, namespace)

    def walk(self, node: Json, namespace: str) -> Json:
        """A node with the names that are not defined yet replaced by their definitions."""
        if isinstance(node, str):
            return self._named(node, namespace)
        if isinstance(node, list):
            return [self.walk(part, namespace) for part in node]
        if not isinstance(node, dict):
            return node
        kind = node.get("type")
        if isinstance(kind, str) and kind in _NAMED:
            return self._definition(node, namespace)
        if kind in ("array", "map"):
            key = "items" if kind == "array" else "values"
            return {**node, key: self.walk(node.get(key), namespace)}
        return {**node, "type": self.walk(kind, namespace)}

    def _named(self, name: str, namespace: str) -> Json:
        if name in PRIMITIVES:
            return name
        full = name if "." in name or not namespace else f"{namespace}.{name}"
        if full in self.defined or full not in self.found:
            return full
        return self._definition(self.found[full], namespace)

    def _definition(self, node: dict[str, Json], namespace: str) -> Json:
        full = _full_name(node, namespace)
        if full in self.defined and full in self.found:
            return full  # another document has defined it already
        self.defined.add(full)
        inner = full.rpartition(".")[0]
        fields = node.get("fields")
        if not isinstance(fields, list):
            return node
        walked: list[Json] = [
            {**field, "type": self.walk(field.get("type"), inner)} if isinstance(field, dict) else field
            for field in fields
        ]
        return {**node, "fields": walked}


def _full_name(node: dict[str, Json], namespace: str) -> str:
    name, own = str(node.get("name")), node.get("namespace", namespace)
    return f"{own}.{name}" if own and "." not in name else name


def _parts(node: dict[str, Json]) -> list[Json]:
    """What a type is made of."""
    fields = node.get("fields")
    of_fields = [f.get("type") for f in fields if isinstance(f, dict)] if isinstance(fields, list) else []
    return [*of_fields, *(node[key] for key in ("type", "items", "values") if key in node)]
