"""An Avro schema as a tree of typed nodes, parsed from its JSON with errors that name the field."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, TypeGuard

from stream.errors import SchemaError

__all__ = [
    "ABSENT",
    "Array",
    "Enum",
    "Field",
    "Fixed",
    "Map",
    "Node",
    "Primitive",
    "Record",
    "Union",
    "is_null",
    "parse",
    "strip_null",
]

PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")  # Avro 1.12 specification, "Names"


class _Absent:
    """The type of `ABSENT`; None can't serve, since null is a default like any other."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()
"""The default of a field that has none."""


@dataclass(frozen=True, slots=True)
class Primitive:
    """null, boolean, int, long, float, double, bytes or string, with its logical type if it has one."""

    type: str
    logical: str | None = None


@dataclass(frozen=True, slots=True)
class Fixed:
    """`size_bytes` bytes without a length."""

    name: str
    size_bytes: int
    logical: str | None = None


@dataclass(frozen=True, slots=True)
class Enum:
    """One of `symbols`; `default` is what a reader takes for a symbol that it doesn't know."""

    name: str
    symbols: tuple[str, ...]
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Array:
    """Items of one type."""

    items: Node


@dataclass(frozen=True, slots=True)
class Map:
    """Values of one type by string keys."""

    values: Node


@dataclass(frozen=True, slots=True)
class Union:
    """One of several types."""

    branches: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a record; `feature` is the model's own name for it where Avro can't hold that."""

    name: str
    type: Node
    default: object = ABSENT
    feature: str | None = None
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """Named fields in order. The list is filled while parsing, since a record may contain itself."""

    name: str
    fields: list[Field] = field(default_factory=list)

    def field(self, name: str) -> Field | None:
        """The field called `name`."""
        return next((found for found in self.fields if found.name == name), None)


Node: TypeAlias = Primitive | Fixed | Enum | Array | Map | Union | Record
"""Any Avro type."""


def is_null(node: Node) -> bool:
    """Whether this is the null type."""
    return isinstance(node, Primitive) and node.type == "null"


def strip_null(node: Node) -> tuple[Node, bool]:
    """
    Take null out of a union.

    Args:
        node: any type.
    Returns: the type that is left (a union where several are), and whether null was among the branches.
    """
    if not isinstance(node, Union):
        return node, False
    rest = tuple(branch for branch in node.branches if not is_null(branch))
    left = rest[0] if len(rest) == 1 else Union(rest)
    return left, len(rest) < len(node.branches)


def parse(document: object) -> Node:
    """
    Turn a schema's JSON into nodes.

    Args:
        document: what `json.loads` gave.
    Returns: the root.
    Raises: SchemaError that names the place in the schema and what is wrong there.
    Source: Avro 1.12 specification, "Schema Declaration".
    """
    return _Parser().node(document, "the schema's root", "")


def _is_object(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, dict)


class _Parser:
    """Reads one document; keeps the names defined so far."""

    def __init__(self) -> None:
        self.named: dict[str, Record | Enum | Fixed] = {}

    def node(self, given: object, at: str, namespace: str) -> Node:
        if isinstance(given, str):
            return self._reference(given, at, namespace)
        if isinstance(given, list):
            return self._union(given, at, namespace)
        if not _is_object(given):
            raise SchemaError(f"{at}: expected a type, found {given!r}")
        return self._declared(given, at, namespace)

    def _declared(self, given: Mapping[str, object], at: str, namespace: str) -> Node:
        kind = given.get("type")
        if kind == "array":
            return Array(self.node(given.get("items"), f"{at}, items", namespace))
        if kind == "map":
            return Map(self.node(given.get("values"), f"{at}, values", namespace))
        if kind in ("record", "error"):
            return self._record(given, at, namespace)
        if kind == "enum":
            return self._enum(given, at, namespace)
        if kind == "fixed":
            return self._fixed(given, at, namespace)
        inner = self.node(kind, at, namespace)
        logical = _logical(given)
        return Primitive(inner.type, logical) if isinstance(inner, Primitive) and logical else inner

    def _reference(self, given: str, at: str, namespace: str) -> Node:
        if given in PRIMITIVES:
            return Primitive(given)
        full = given if "." in given or not namespace else f"{namespace}.{given}"
        found = self.named.get(full)
        if found is None:
            raise SchemaError(
                f"{at}: unknown type {given!r}", hint="use an Avro type, or define the name before its use"
            )
        return found

    def _union(self, given: list[object], at: str, namespace: str) -> Union:
        branches = tuple(self.node(b, f"{at}, branch {i}", namespace) for i, b in enumerate(given))
        kinds = [_kind(branch) for branch in branches]
        twice = next((kind for kind, count in Counter(kinds).items() if count > 1), None)
        if not branches or twice is not None or any(isinstance(b, Union) for b in branches):
            wrong = f"has {twice} twice" if twice else "is empty" if not branches else "holds a union"
            raise SchemaError(f"{at}: the union {wrong}", hint="give each branch a type of its own")
        return Union(branches)

    def _record(self, given: Mapping[str, object], at: str, namespace: str) -> Record:
        record = Record(_full_name(given, at, namespace))
        self._define(record, at)
        fields = given.get("fields")
        if not isinstance(fields, list):
            raise SchemaError(f"{at}: record {record.name} has no list of fields")
        for entry in fields:
            made = self._field(entry, record.name)
            if record.field(made.name):
                raise SchemaError(f"record {record.name}: field {made.name!r} appears twice")
            record.fields.append(made)
        return record

    def _field(self, given: object, owner: str) -> Field:
        name = given.get("name") if _is_object(given) else None
        if not _is_object(given) or not isinstance(name, str) or not _NAME.match(name):
            raise SchemaError(
                f"record {owner}: {name if name is not None else given!r} is not a field name",
                hint="use letters, digits and _ (not first a digit)",
            )
        at = f"record {owner}, field {name!r}"
        if "type" not in given:
            raise SchemaError(f"{at} has no type")
        node = self.node(given["type"], at, owner.rpartition(".")[0])
        feature = given.get("feature")
        if feature is not None and not isinstance(feature, str):
            raise SchemaError(f"{at}: property feature must be text, found {feature!r}")
        aliases = given.get("aliases", ())
        names = tuple(str(a) for a in aliases) if isinstance(aliases, list) else ()
        return Field(name, node, given.get("default", ABSENT), feature, names)

    def _enum(self, given: Mapping[str, object], at: str, namespace: str) -> Enum:
        name = _full_name(given, at, namespace)
        symbols = given.get("symbols")
        if not isinstance(symbols, list) or not symbols or len({str(s) for s in symbols}) < len(symbols):
            raise SchemaError(f"{at}: enum {name} needs a list of different symbols, found {symbols!r}")
        for symbol in symbols:
            if not isinstance(symbol, str) or not _NAME.match(symbol):
                raise SchemaError(f"{at}: enum {name}: {symbol!r} is not a symbol that Avro can hold")
        default = given.get("default")
        if default is not None and default not in symbols:
            raise SchemaError(f"{at}: enum {name}: the default {default!r} is not one of its symbols")
        enum = Enum(name, tuple(symbols), default if isinstance(default, str) else None)
        self._define(enum, at)
        return enum

    def _fixed(self, given: Mapping[str, object], at: str, namespace: str) -> Fixed:
        name, size = _full_name(given, at, namespace), given.get("size")
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            raise SchemaError(f"{at}: fixed {name} needs a size in bytes, found {size!r}")
        fixed = Fixed(name, size, _logical(given))
        self._define(fixed, at)
        return fixed

    def _define(self, node: Record | Enum | Fixed, at: str) -> None:
        if node.name in self.named:
            raise SchemaError(f"{at}: the name {node.name} is defined twice")
        self.named[node.name] = node


def _full_name(given: Mapping[str, object], at: str, namespace: str) -> str:
    name, own = given.get("name"), given.get("namespace", namespace)
    full = f"{own}.{name}" if own and isinstance(name, str) and "." not in name else name
    if not isinstance(full, str) or not all(_NAME.match(part) for part in full.split(".")):
        raise SchemaError(f"{at}: {given.get('type')} has no legal name, found {full!r}")
    return full


def _logical(given: Mapping[str, object]) -> str | None:
    logical = given.get("logicalType")
    return logical if isinstance(logical, str) else None


def _kind(node: Node) -> str:
    if isinstance(node, Primitive):
        return node.type
    return node.name if isinstance(node, Record | Enum | Fixed) else type(node).__name__.lower()
