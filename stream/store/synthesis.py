"""
Events made from a schema alone, for golden rows where nobody gave any.

Valid by the schema, the same at every call, and as close to the model's world as it can tell: texts are those
its encoders know, arrays have its width.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping
from uuid import UUID

from stream.codec import RecordSchema
from stream.codec.nodes import Array, Enum, Fixed, Map, Node, Primitive, Record, Union, is_null

__all__ = ["synthesise"]

_NULL_SHARE = 0.15
_DEEPEST = 4  # a record that contains itself ends here, where it may be null
_WORDS = ("a", "b", "c", "A", "B", "C", "x", "y", "north", "south", "unknown", "")
_EPOCH = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


def synthesise(
    schema: RecordSchema, count: int, texts: Mapping[str, tuple[str, ...]], width: int
) -> list[dict[str, object]]:
    """
    Make events.

    Args:
        schema: of the events.
        count: how many.
        texts: by path, what a text field may hold; other text fields hold a few plain words.
        width: length of arrays.
    Returns: Avro records as dicts; the same for the same arguments.
    """
    return [_Maker(random.Random(i), texts, width).record(schema.root, "", 0) for i in range(count)]


class _Maker:
    """Makes one event."""

    def __init__(self, chance: random.Random, texts: Mapping[str, tuple[str, ...]], width: int) -> None:
        self._chance, self._texts, self._width = chance, texts, width

    def record(self, record: Record, path: str, depth: int) -> dict[str, object]:
        return {
            field.name: self.value(field.type, f"{path}.{field.name}".lstrip("."), depth)
            for field in record.fields
        }

    def value(self, node: Node, path: str, depth: int) -> object:
        match node:
            case Record():
                return self.record(node, path, depth + 1)
            case Union():
                return self._branch(node, path, depth)
            case Enum():
                return self._chance.choice(node.symbols)
            case Array():
                length = self._width if depth < _DEEPEST else 0
                return [self.value(node.items, path, depth + 1) for _ in range(length)]
            case Map():
                return {"key": self.value(node.values, path, depth + 1)} if depth < _DEEPEST else {}
            case Fixed():
                return self._chance.randbytes(node.size_bytes)
            case Primitive():
                return self._primitive(node, path)

    def _branch(self, union: Union, path: str, depth: int) -> object:
        plain = [branch for branch in union.branches if not is_null(branch)]
        nullable = len(plain) < len(union.branches)
        if nullable and (not plain or depth >= _DEEPEST or self._chance.random() < _NULL_SHARE):
            return None
        return self.value(self._chance.choice(plain), path, depth)

    def _primitive(self, node: Primitive, path: str) -> object:
        chance = self._chance
        if node.logical is not None and (moment := self._moment(node.logical)) is not None:
            return moment
        match node.type:
            case "boolean":
                return chance.random() < 0.5
            case "int" | "long":
                return chance.choice((0, 1, chance.randint(0, 23), chance.randint(-100, 1_000)))
            case "float" | "double":
                return chance.choice((chance.gauss(0, 1), chance.gauss(0, 1), chance.uniform(0, 100)))
            case "bytes":
                return chance.randbytes(8)
            case "string":
                return chance.choice(self._texts.get(path) or _WORDS)
        return None

    def _moment(self, logical: str) -> object:
        moment = _EPOCH + dt.timedelta(seconds=self._chance.randint(0, 5 * 365 * 86_400))
        match logical:
            case "date":
                return moment.date()
            case "timestamp-millis" | "timestamp-micros":
                return moment
            case "local-timestamp-millis" | "local-timestamp-micros":
                return moment.replace(tzinfo=None)
            case "uuid":
                return str(UUID(int=self._chance.getrandbits(128), version=4))
        return None
