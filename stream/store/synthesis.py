"""
Events made from a schema alone, for golden rows where nobody gave any.

Valid by the schema, the same at every call, and as close to the model's world as it can tell: texts are those
its encoders know, arrays have its width.
"""

from __future__ import annotations

import random
from collections.abc import Mapping

from stream.codec import Array, Map, Node, Record, RecordSchema, Union, branch_name, is_null, plain_type

__all__ = ["synthesise"]

_NULL_SHARE = 0.15
_DEEPEST = 4  # a record that contains itself ends here, where it may be null


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
            case Array():
                length = self._width if depth < _DEEPEST else 0
                return [self.value(node.items, path, depth + 1) for _ in range(length)]
            case Map():
                return {"key": self.value(node.values, path, depth + 1)} if depth < _DEEPEST else {}
        plain = plain_type(node)
        assert plain is not None  # every other node has a type
        return plain.sample(self._chance, self._texts.get(path, ()))

    def _branch(self, union: Union, path: str, depth: int) -> object:
        plain = [branch for branch in union.branches if not is_null(branch)]
        nullable = len(plain) < len(union.branches)
        if nullable and (not plain or depth >= _DEEPEST or self._chance.random() < _NULL_SHARE):
            return None
        chosen = self._chance.choice(plain)
        value = self.value(chosen, path, depth)
        return {branch_name(chosen): value} if len(plain) > 1 else value
