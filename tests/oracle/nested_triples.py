"""As `triples`, of arrays, maps, records and unions in each other. Nothing of the codec is used."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

from tests.oracle.triples import Triple, spoilt, value_of, zigzag

__all__ = ["nested_triple"]

_PRIMITIVES = ["boolean", "int", "long", "float", "double", "bytes", "string"]
_WIDER = {"int": ["long", "float", "double"], "long": ["double"], "float": ["double"], "string": ["bytes"],
          "bytes": ["string"]}  # fmt: skip
_DEFAULTS = {
    "boolean": True,
    "int": 3,
    "long": -4,
    "float": 0.5,
    "double": 1.5,
    "bytes": "\u00ff",
    "string": "d",
}


def nested_triple(seed: int) -> Triple:
    """The same one for each seed."""
    maker = _Maker(Random(seed))
    written = maker.nested(3)
    expected = maker.expected(written)
    body = value_of(maker.chance, written) + zigzag(7)
    return Triple(_root(written), _root(expected), spoilt(maker.chance, body))


def _root(kind: Any) -> str:
    return json.dumps(
        {"type": "record", "name": "R", "fields": [{"name": "f", "type": kind}, {"name": "t", "type": "int"}]}
    )


class _Maker:
    """Makes types with names of their own."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.made = 0

    def named(self, name: str, **more: Any) -> dict[str, Any]:
        self.made += 1
        space = self.chance.choice(["", "n."])
        return {
            "type": {"R": "record", "E": "enum", "F": "fixed"}[name],
            "name": f"{space}{name}{self.made}",
            **more,
        }

    def plain(self) -> Any:
        kind = self.chance.random()
        if kind < 0.8:
            return self.chance.choice(_PRIMITIVES)
        return self.named("E", symbols=["A", "B"]) if kind < 0.9 else self.named("F", size=2)

    def nested(self, depth: int) -> Any:
        """Of a type with types in it."""
        ways: list[Callable[[int], Any]] = [self.array, self.map, self.union, self.union]
        return self.chance.choice(ways)(depth - 1)

    def inner(self, depth: int) -> Any:
        """What may stand in one."""
        kind = self.chance.random()
        if kind < 0.3 or not depth:
            return self.plain()
        if kind < 0.45:
            found = self.plain() if kind < 0.4 else self.record(depth - 1)
            return ["null", found]
        return self.record(depth - 1) if kind < 0.7 else self.nested(depth)

    def array(self, depth: int) -> Any:
        return {"type": "array", "items": self.inner(depth)}

    def map(self, depth: int) -> Any:
        return {"type": "map", "values": self.inner(depth)}

    def record(self, depth: int) -> Any:
        fields = [{"name": f"x{i}", "type": self.inner(depth)} for i in range(self.chance.randint(1, 3))]
        return self.named("R", fields=fields)

    def union(self, depth: int) -> Any:
        branches: dict[str, Any] = {}
        for _ in range(self.chance.randint(2, 4)):
            branch = "null" if self.chance.random() < 0.2 else self.inner(depth)
            if not isinstance(branch, list):
                branches.setdefault(_name(branch), branch)
        return list(branches.values()) or ["int", "string"]

    def expected(self, written: Any) -> Any:
        """What a reader of it may well have."""
        chance = self.chance
        if isinstance(written, list):
            return self.expected_union(written)
        if isinstance(written, str):
            found: Any = (
                chance.choice(_WIDER[written]) if written in _WIDER and chance.random() < 0.2 else written
            )
            return found
        if written["type"] == "array":
            return {"type": "array", "items": self.expected(written["items"])}
        if written["type"] == "map":
            return {"type": "map", "values": self.expected(written["values"])}
        if written["type"] == "record":
            return self.expected_record(written)
        return written

    def expected_union(self, written: list[Any]) -> Any:
        """In another order, with one more, one less, or one only."""
        branches = {_name(one): one for one in map(self.expected, written) if not isinstance(one, list)}
        if self.chance.random() < 0.2:
            extra = self.plain()
            branches.setdefault(_name(extra), extra)
        if self.chance.random() < 0.2 and len(branches) > 1:
            branches.pop(self.chance.choice(list(branches)))
        found = list(branches.values())
        self.chance.shuffle(found)
        return found[0] if len(found) == 1 and self.chance.random() < 0.5 else found

    def expected_record(self, written: dict[str, Any]) -> Any:
        """With a field less, one more that has a default or not, one renamed by an alias; under another name."""
        chance = self.chance
        fields = [{**one, "type": self.expected(one["type"])} for one in written["fields"]]
        if chance.random() < 0.2 and len(fields) > 1:
            fields.pop(chance.randrange(len(fields)))
        if chance.random() < 0.3:
            kind = chance.choice(_PRIMITIVES)
            default = {"default": _DEFAULTS[kind]} if chance.random() < 0.8 else {}
            fields.insert(chance.randrange(len(fields) + 1), {"name": "more", "type": kind, **default})
        if chance.random() < 0.1:
            fields[0] = {**fields[0], "name": "renamed", "aliases": [fields[0]["name"]]}
        return {**written, "fields": fields, **({"name": "Other"} if chance.random() < 0.05 else {})}


def _name(kind: Any) -> str:
    return kind if isinstance(kind, str) else str(kind.get("name", kind["type"]))
