"""The parts of a schema that a model needs and that a prediction carries, each still complete in itself."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any, TypeAlias

from stream.codec import PRIMITIVES, RecordSchema
from stream.scoring import carried_names

__all__ = ["carried_paths", "carried_types", "project"]

_NAMED = ("record", "error", "enum", "fixed")

_Type: TypeAlias = Any
"""An Avro type in a schema's JSON: a name, a list of branches, or an object."""


def project(schema: RecordSchema, paths: Collection[str]) -> str:
    """
    Keep the root's fields that hold some paths.

    Args:
        schema: the events'.
        paths: dotted paths that must stay.
    Returns: `features.avsc`: same name and order; nested records stay whole. A named type whose definition
        stood in a field that is left out is defined where it is first used.
    Raises: SchemaError when there is no such field, or its default is not of its type.
    """
    for path in paths:
        schema.leaf(path)
    kept = {path.partition(".")[0] for path in paths}
    root: dict[str, Any] = json.loads(schema.text)
    writer = _Writer(root)
    space = _space(root, "")
    fields = [
        {**field, "type": writer.write(field["type"], space)}
        for field in root["fields"]
        if field["name"] in kept
    ]
    return json.dumps({**root, "fields": fields}, indent=2, ensure_ascii=False) + "\n"


def carried_paths(events: RecordSchema, carry: Sequence[str]) -> tuple[str, ...]:
    """
    Find carried fields, as a model's columns are found: by the original name (`feature`) or the Avro name.

    Args:
        events: their schema.
        carry: a name each; nested fields by dotted path.
    Returns: their paths, in the same order.
    Raises: SchemaError when there is no such field or it can't be a column; PackageError if two would have the same
        name in a prediction, or one of ours.
    """
    originals = {leaf.feature: leaf.path for leaf in events.leaves() if leaf.feature} if carry else {}
    paths = tuple(events.leaf(originals.get(name, name)).path for name in carry)
    carried_names(paths)
    return paths


def carried_types(schema: RecordSchema, paths: Sequence[str]) -> dict[str, object]:
    """
    The Avro types that carried fields have in a prediction.

    Args:
        schema: the events'.
        paths: dotted paths, each of a field that can be a column.
    Returns: by path, the type as JSON; `["null", T, …]` where the field, or a record around it, may be null.
    """
    root: dict[str, Any] = json.loads(schema.text)
    writer = _Writer(root)
    types: dict[str, object] = {}
    for path in paths:
        node, space = _leaf(writer, root, path)
        written = writer.write(node, space)
        branches = [one for one in (written if isinstance(written, list) else [written]) if one != "null"]
        bare = branches[0] if len(branches) == 1 else branches or "null"
        types[path] = ["null", *branches] if schema.leaf(path).nullable else bare
    return types


class _Writer:
    """Writes types out of their place: every name in full, every named type defined once."""

    def __init__(self, root: dict[str, Any]) -> None:
        self._definitions: dict[str, tuple[dict[str, Any], str]] = {}
        self._written: set[str] = {_full(root["name"], _space(root, ""))}
        self._collect(root, "")

    def _collect(self, node: _Type, space: str) -> None:
        """Note every named type with the namespace around it."""
        if isinstance(node, list):
            for branch in node:
                self._collect(branch, space)
        elif isinstance(node, dict):
            inner = _space(node, space) if node["type"] in _NAMED else space
            if node["type"] in _NAMED:
                self._definitions[_full(node["name"], inner)] = (node, space)
            for part in (
                *(field["type"] for field in node.get("fields", ())),
                *(node[key] for key in ("items", "values") if key in node),
                *((node["type"],) if not isinstance(node["type"], str) else ()),
            ):
                self._collect(part, inner)

    def definition(self, node: _Type, space: str) -> tuple[_Type, str]:
        """A type's own JSON and the namespace around it, through names."""
        if isinstance(node, str) and node not in PRIMITIVES:
            return self._definitions[_full(node, space)]
        return node, space

    def write(self, node: _Type, space: str) -> _Type:
        if isinstance(node, list):
            return [self.write(branch, space) for branch in node]
        if isinstance(node, str):
            if node in PRIMITIVES:
                return node
            name = _full(node, space)
            return name if name in self._written else self.write(*self._definitions[name])
        if node["type"] in _NAMED:
            return self._named(node, space)
        written = dict(node)
        for key in ("items", "values"):
            if key in node:
                written[key] = self.write(node[key], space)
        if not isinstance(node["type"], str):
            written["type"] = self.write(node["type"], space)
        return written

    def _named(self, node: dict[str, Any], space: str) -> _Type:
        inner = _space(node, space)
        name = _full(node["name"], inner)
        if name in self._written:
            return name
        self._written.add(name)
        written = {**node, "name": name.rpartition(".")[2], "namespace": inner}
        if "fields" in node:
            written["fields"] = [
                {**field, "type": self.write(field["type"], inner)} for field in node["fields"]
            ]
        return written


def _leaf(writer: _Writer, root: dict[str, Any], path: str) -> tuple[_Type, str]:
    """The type at a path, and the namespace around it; null branches along the path are ignored."""
    node, space = root, ""
    steps = path.split(".")
    for i, name in enumerate(steps):
        inner = _space(node, space)
        field = next(field for field in node["fields"] if field["name"] == name)
        kind = field["type"]
        if i == len(steps) - 1:
            return kind, inner
        if isinstance(kind, list):
            kind = next(branch for branch in kind if branch != "null")
        node, space = writer.definition(kind, inner)
    raise AssertionError(path)  # a path has at least one step


def _space(node: dict[str, Any], around: str) -> str:
    """The namespace that a named type gives to what is in it."""
    name: str = node["name"]
    return name.rpartition(".")[0] if "." in name else str(node.get("namespace", around))


def _full(name: str, space: str) -> str:
    return name if "." in name or not space else f"{space}.{name}"
