"""
A schema's JSON → nodes, with errors that name the field.

What Avro Java takes is taken: it wrote most of the schemas there are. That is more than the specification says:
letters of any script in names, an enum or a union with nothing in it, a name that is used before it is defined or
defined twice alike. What no reader needs (docs, orders, logical types that can't be) is not looked at; defaults are
looked at when they are used (`RecordSchema.leaf`).
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TypeAlias, TypeGuard

from stream.codec.canonical import canonical_form
from stream.codec.logical import logical_type
from stream.codec.nodes import (
    ABSENT,
    PRIMITIVES,
    Array,
    Enum,
    Field,
    Fixed,
    Map,
    Node,
    Primitive,
    Record,
    Union,
)
from stream.errors import SchemaError

__all__ = ["parse"]

_Object: TypeAlias = Mapping[str, object]
_Named: TypeAlias = Record | Enum | Fixed

_NAMED = ("record", "error", "enum", "fixed")
_LETTERS = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo"})
_BASIC_PLANE = 0x10000
"""Java looks at names by 16 bits: what lies beyond is no letter to it."""


def parse(document: object) -> Node:
    """
    Turn a schema's JSON into nodes.

    Args:
        document: what `json.loads` gave.
    Returns: the root.
    Raises: SchemaError that names the place in the schema and what is wrong there.
    Source: Avro 1.12 specification, "Schema Declaration"; Avro Java 1.12.1, `Schema.Parser`.
    """
    return _Parser(document).node(document, "the schema's root", "")


def _is_object(value: object) -> TypeGuard[_Object]:
    return isinstance(value, dict)


class _Parser:
    """Reads one document; keeps the names defined so far, and where the others will be."""

    def __init__(self, document: object) -> None:
        self.named: dict[str, _Named] = {}
        self.ahead: dict[str, tuple[_Object, str]] = {}
        self.made: dict[int, _Named] = {}
        for name, given, namespace in _definitions(document, ""):
            self.ahead.setdefault(name, (given, namespace))

    def node(self, given: object, at: str, namespace: str) -> Node:
        if isinstance(given, str):
            return self._reference(given, at, namespace)
        if isinstance(given, list):
            return self._union(given, at, namespace)
        if not _is_object(given):
            raise SchemaError(f"{at}: expected a type, found {given!r}")
        return self._declared(given, at, namespace)

    def _declared(self, given: _Object, at: str, namespace: str) -> Node:
        kind = given.get("type")
        if kind == "array":
            return Array(self.node(given.get("items"), f"{at}, items", namespace))
        if kind == "map":
            return Map(self.node(given.get("values"), f"{at}, values", namespace))
        if kind in _NAMED:
            return self._definition(given, at, namespace)
        inner = self.node(kind, at, namespace)
        if not isinstance(inner, Primitive) or "logicalType" not in given:
            return inner
        return Primitive(inner.type, *logical_type(given, inner.type))

    def _reference(self, given: str, at: str, namespace: str) -> Node:
        if given in PRIMITIVES:
            return Primitive(given)
        for name in (_joined(given, namespace), given):
            if name in self.named:
                return self.named[name]
            if name in self.ahead:
                return self._definition(self.ahead[name][0], at, self.ahead[name][1])
        raise SchemaError(f"{at}: unknown type {given!r}", hint="use an Avro type, or define the name")

    def _union(self, given: list[object], at: str, namespace: str) -> Union:
        branches = tuple(self.node(b, f"{at}, branch {i}", namespace) for i, b in enumerate(given))
        kinds = [_kind(branch) for branch in branches]
        twice = next((kind for kind, count in Counter(kinds).items() if count > 1), None)
        if twice is not None or any(isinstance(b, Union) for b in branches):
            wrong = f"has {twice} twice" if twice else "holds a union"
            raise SchemaError(f"{at}: the union {wrong}", hint="give each branch a type of its own")
        return Union(branches)

    def _definition(self, given: _Object, at: str, namespace: str) -> _Named:
        """A named type where it is defined, or where it is used before that."""
        if id(given) in self.made:
            return self.made[id(given)]
        name = _full_name(given, at, namespace)
        before = self.named.get(name)
        if given["type"] == "enum":
            node: _Named = _enum(given, name, at)
        elif given["type"] == "fixed":
            node = _fixed(given, name, at)
        else:
            node = Record(name)
        self.made[id(given)] = node
        self.named.setdefault(name, node)
        if isinstance(node, Record):
            self._fill(node, given, at)
        if before is not None and canonical_form(before) != canonical_form(node):
            raise SchemaError(f"{at}: the name {name} is defined twice, and not alike")
        return node

    def _fill(self, record: Record, given: _Object, at: str) -> None:
        fields = given.get("fields")
        if not isinstance(fields, list):
            raise SchemaError(f"{at}: record {record.name} has no list of fields")
        names: set[str] = set()
        for entry in fields:
            made = self._field(entry, record.name)
            if made.name in names:
                raise SchemaError(f"record {record.name}: field {made.name!r} appears twice")
            names.add(made.name)
            record.fields.append(made)

    def _field(self, given: object, owner: str) -> Field:
        name = given.get("name") if _is_object(given) else None
        if not _is_object(given) or not isinstance(name, str) or not _is_name(name):
            raise SchemaError(
                f"record {owner}: {name if name is not None else given!r} is not a field name",
                hint="use letters, digits and _ (not first a digit)",
            )
        at = f"record {owner}, field {name!r}"
        if "type" not in given:
            raise SchemaError(f"{at} has no type")
        node = self.node(given["type"], at, owner.rpartition(".")[0])
        aliases = given.get("aliases", ())
        names = tuple(a for a in aliases if isinstance(a, str)) if isinstance(aliases, list) else ()
        feature, wrong = given.get("feature"), ""
        if feature is not None and not isinstance(feature, str):
            feature, wrong = None, f"property feature must be text, found {feature!r}"
        return Field(name, node, given.get("default", ABSENT), feature, names, wrong)


def _definitions(node: object, namespace: str) -> Iterator[tuple[str, _Object, str]]:
    """Every named type that has a name, with the namespace around it."""
    if isinstance(node, list):
        for branch in node:
            yield from _definitions(branch, namespace)
    if not _is_object(node):
        return
    kind, inner = node.get("type"), namespace
    if kind in _NAMED and isinstance(node.get("name"), str):
        name = _joined(str(node["name"]), _namespace(node, namespace))
        yield name, node, namespace
        inner = name.rpartition(".")[0]
    fields = node.get("fields")
    for field in fields if isinstance(fields, list) else ():
        yield from _definitions(field.get("type") if _is_object(field) else None, inner)
    for part in (node.get("items"), node.get("values"), kind):
        yield from _definitions(part, inner)


def _enum(given: _Object, name: str, at: str) -> Enum:
    symbols = given.get("symbols")
    if not isinstance(symbols, list) or len({str(s) for s in symbols}) < len(symbols):
        raise SchemaError(f"{at}: enum {name} needs a list of different symbols, found {symbols!r}")
    for symbol in symbols:
        if not isinstance(symbol, str) or not _is_name(symbol):
            raise SchemaError(f"{at}: enum {name}: {symbol!r} is not a symbol that Avro can hold")
    default = given.get("default")
    if isinstance(default, str) and default not in symbols:
        raise SchemaError(f"{at}: enum {name}: the default {default!r} is not one of its symbols")
    return Enum(name, tuple(symbols), default if isinstance(default, str) else None)


def _fixed(given: _Object, name: str, at: str) -> Fixed:
    size = given.get("size")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise SchemaError(f"{at}: fixed {name} needs a size in bytes, found {size!r}")
    return Fixed(name, size, *logical_type(given, "fixed", size))


def _namespace(given: _Object, around: str) -> str:
    own = given.get("namespace")
    return own if isinstance(own, str) else around


def _joined(name: str, namespace: str) -> str:
    """A full name; one that begins with a dot is in no namespace."""
    return name.removeprefix(".") if "." in name or not namespace else f"{namespace}.{name}"


def _full_name(given: _Object, at: str, namespace: str) -> str:
    name = given.get("name")
    full = _joined(name, _namespace(given, namespace)) if isinstance(name, str) else name
    if not isinstance(full, str) or not all(map(_is_name, full.split("."))):
        raise SchemaError(f"{at}: {given.get('type')} has no legal name, found {full!r}")
    return full


def _is_name(text: str) -> bool:
    """Letters, digits and underscores, of any script; not first a digit."""
    first = text[:1]
    if not first or not (first == "_" or unicodedata.category(first) in _LETTERS):
        return False
    return all(map(_is_in_name, text))


def _is_in_name(letter: str) -> bool:
    kind = unicodedata.category(letter)
    return letter == "_" or (ord(letter) < _BASIC_PLANE and (kind in _LETTERS or kind == "Nd"))


def _kind(node: Node) -> str:
    if isinstance(node, Primitive):
        return node.type
    return node.name if isinstance(node, Record | Enum | Fixed) else type(node).__name__.lower()
