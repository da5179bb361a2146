"""Any schema and values of it, sound or spoiled, for property tests of the codec."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from stream.codec import Decoder, Framing, RecordSchema
from stream.codec.arrow import FAST_FROM_ROWS
from tests.unit.codec.samples import branch_called, written

QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

FRAMINGS: tuple[Framing, ...] = ("bare", "single-object", "confluent")

INT = st.integers(-(2**31), 2**31 - 1)
LONG = st.integers(-(2**63), 2**63 - 1)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": INT,
    "long": LONG,
    "float": st.floats(width=32),
    "double": st.floats(),
    "bytes": st.binary(max_size=6),
    "string": st.text(max_size=6),
}
TAKEN = ["boolean", "int", "long", "float", "double", "string"]
LOGICAL = [
    {"type": "int", "logicalType": "date"},
    {"type": "int", "logicalType": "time-millis"},
    {"type": "long", "logicalType": "timestamp-millis"},
    {"type": "long", "logicalType": "timestamp-micros"},
    {"type": "long", "logicalType": "local-timestamp-millis"},
    {"type": "string", "logicalType": "uuid"},
    {"type": "double", "logicalType": "date"},
]


def _unscaled(number: int) -> bytes:
    """As few bytes as hold it."""
    bits = (number if number >= 0 else ~number).bit_length() + 1
    return number.to_bytes(-(-bits // 8), "big", signed=True)


MEANINGS: dict[str, st.SearchStrategy[Any]] = {
    "decimal": st.integers(-9999, 9999).map(_unscaled),
    "time-millis": st.integers(0, 86_399_999),
}
"""Bare values of logical types that not every value of the type below is one of."""


class _Names:
    """Fresh names for one schema."""

    def __init__(self) -> None:
        self.made = 0

    def next(self) -> str:
        self.made += 1
        return f"N{self.made}"


def _plain(draw: st.DrawFn, names: _Names, taken: bool) -> Any:
    kinds = [*TAKEN, *LOGICAL, "ENUM"] + ([] if taken else ["bytes", "FIXED", "DECIMAL"])
    kind = draw(st.sampled_from(kinds))
    if kind == "ENUM":
        return {"type": "enum", "name": names.next(), "symbols": ["A", "B", "C"][: draw(st.integers(1, 3))]}
    if kind == "FIXED":
        return {"type": "fixed", "name": names.next(), "size": draw(st.integers(0, 3))}
    if kind == "DECIMAL":
        return {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}
    return kind


def _type(draw: st.DrawFn, names: _Names, taken: bool, depth: int = 0) -> Any:
    shape = draw(st.sampled_from(["plain", "plain", "null", "null", "array", "map", "record", "union"]))
    if shape == "null":
        inner = _type_below(draw, names, taken, depth)
        return (
            draw(st.sampled_from([["null", inner], [inner, "null"]]))
            if not isinstance(inner, list)
            else inner
        )
    if shape == "array":
        return {"type": "array", "items": _type_below(draw, names, taken, depth)}
    if shape == "map":
        return {"type": "map", "values": _type_below(draw, names, taken, depth)}
    if shape == "record" and depth < 2:
        fields = [
            {"name": f"f{i}", "type": _type_below(draw, names, taken, depth)}
            for i in range(draw(st.integers(1, 3)))
        ]
        return {"type": "record", "name": names.next(), "fields": fields}
    if shape == "union" and not taken:
        return (
            draw(st.sampled_from([["null"], ["int"]])) if draw(st.booleans()) else _union(draw, names, depth)
        )
    return _plain(draw, names, taken)


def _union(draw: st.DrawFn, names: _Names, depth: int) -> list[Any]:
    """Several types, no two of which are called alike."""
    kinds = [_type_below(draw, names, False, depth) for _ in range(draw(st.integers(2, 4)))]
    plain = [one for one in kinds if not isinstance(one, list)]
    found = {branch_called(one): one for one in plain}
    branches = ["null", *found.values()][draw(st.integers(0, 1)) :]
    return draw(st.permutations(branches)) if branches else ["int"]


def _type_below(draw: st.DrawFn, names: _Names, taken: bool, depth: int) -> Any:
    return _type(draw, names, taken, depth + 1) if depth < 2 else _plain(draw, names, taken)


def _value(draw: st.DrawFn, kind: Any) -> Any:
    if isinstance(kind, list):
        branch = draw(st.sampled_from(kind))
        value = _value(draw, branch)
        return (
            {branch_called(branch): value}
            if branch != "null" and len([one for one in kind if one != "null"]) > 1
            else value
        )
    if isinstance(kind, str):
        return draw(VALUES[kind])
    if kind["type"] == "array":
        return [_value(draw, kind["items"]) for _ in range(draw(st.integers(0, 3)))]
    if kind["type"] == "map":
        return {
            draw(st.text(max_size=2)): _value(draw, kind["values"]) for _ in range(draw(st.integers(0, 2)))
        }
    if kind["type"] == "record":
        return {field["name"]: _value(draw, field["type"]) for field in kind["fields"]}
    return _plain_value(draw, kind)


def _plain_value(draw: st.DrawFn, kind: dict[str, Any]) -> Any:
    if kind["type"] == "enum":
        return draw(st.sampled_from(kind["symbols"]))
    if kind.get("logicalType") in MEANINGS:
        return draw(MEANINGS[kind["logicalType"]])
    if kind["type"] == "fixed":
        return draw(st.binary(min_size=kind["size"], max_size=kind["size"]))
    return draw(VALUES[kind["type"]])


@st.composite
def batches(draw: st.DrawFn, taken: bool | None = None) -> tuple[RecordSchema, list[bytes]]:
    """A schema, and enough values of it for the fast path."""
    names, inside = _Names(), draw(st.booleans()) if taken is None else taken
    fields = [{"name": f"f{i}", "type": _type(draw, names, inside)} for i in range(draw(st.integers(1, 5)))]
    document = {"type": "record", "name": "Root", "fields": fields}
    of = RecordSchema(json.dumps(document))
    values = [_value(draw, document) for _ in range(draw(st.integers(FAST_FROM_ROWS, FAST_FROM_ROWS + 6)))]
    return of, [written(of, value, named=True) for value in values]


def decoder_of(of: RecordSchema) -> Decoder:
    """Of all leaves, for values of the schema itself."""
    return Decoder(of, [leaf.path for leaf in of.leaves()], "bare", of)


def bits(column: pa.Array) -> list[str]:
    """Comparable values: NaN like NaN, -0.0 unlike 0.0, dates as numbers."""
    kind = column.type
    if pa.types.is_temporal(kind):
        column = column.view(pa.int32() if kind in (pa.date32(), pa.time32("ms")) else pa.int64())
    if pa.types.is_list(kind) or pa.types.is_map(kind):
        return [repr(bits(one.values) if one.is_valid else None) for one in column]
    if pa.types.is_struct(kind):
        parts = [bits(part) for part in column.flatten()]
        rows = zip(*parts, strict=True) if parts else ((),) * len(column)
        return [
            repr(row if there else None)
            for row, there in zip(rows, column.is_valid().to_pylist(), strict=True)
        ]
    return [repr(value) for value in column.to_pylist()]


def walk(record: Any, path: str) -> Any:
    """What stands at a dotted path; None below a null."""
    for name in path.split("."):
        record = record[name] if record is not None else None
    return record


@st.composite
def spoiled(draw: st.DrawFn) -> tuple[RecordSchema, list[bytes]]:
    """A batch in which some values have bytes changed, put in, taken out or cut off."""
    of, bodies = draw(batches())
    for i in draw(st.lists(st.integers(0, len(bodies) - 1), min_size=1, max_size=len(bodies))):
        at = draw(st.integers(0, len(bodies[i])))
        put = draw(
            st.one_of(
                st.binary(max_size=3),
                st.sampled_from([b"\x01", b"\x80", b"\xff" * 9, b"\x80\x80\x80\x80\x10"]),
            )
        )
        bodies[i] = bodies[i][:at] + put + bodies[i][at + draw(st.integers(0, 3)) :]
    return of, bodies
