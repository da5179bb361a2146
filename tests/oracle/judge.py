"""Our answer beside Avro Java's: the same, a difference that `docs/wire-format.md` lists, or a fault."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from stream.codec import Decoder, RecordSchema
from stream.errors import SchemaError
from tests.oracle.triples import Triple

__all__ = ["DIFFERENCES", "SAME", "Difference", "judge", "ours"]

SAME = "same"

_STRICT = {
    "trailing_bytes", "invalid_utf8", "bad_boolean", "int_out_of_range", "long_out_of_range", "bad_block",
    "too_many_items", "bad_length", "bad_enum_index",
}  # fmt: skip

_FOUND = re.compile(r"AvroTypeException: Found ([^,]+), expecting (union\[.*\]|[^,]+)\Z")

_Answer = Mapping[str, Any]


def ours(triple: Triple) -> dict[str, Any]:
    """What our decoder makes of it: `value`, or `stage` and `reason`; or `schema`, why it takes one schema not."""
    try:
        writer = RecordSchema(triple.writer)
    except SchemaError as error:
        return {"schema": error.message}
    about: dict[str, Any] = {"canonical": writer.canonical, "fingerprint": writer.fingerprint.hex()}
    try:
        reader = RecordSchema(triple.reader)
        paths = ["f.x" if "f.x" in reader.types() else "f", "t"]
        decoder = Decoder(reader, paths, "bare", writer)
    except SchemaError as error:
        return {**about, "schema": error.message}
    decoded = decoder.decode([triple.body])
    if decoded.faults:
        fault = decoded.faults[0]
        return {**about, "stage": fault.stage, "reason": fault.reason, "message": fault.message}
    value = {}
    for path in paths:
        kind = reader.leaf(path).type
        value[path] = _plain(kind.python_values(kind.to_storage(decoded.columns[path]))[0])
    return {**about, "value": value}


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return {"b": value.hex()}
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _java_value(java: _Answer, mine: _Answer) -> object:
    """Java's value by our paths; a record that is null has null leaves."""
    value = dict(java["value"])
    if "f.x" in mine.get("value", {}):
        inner = value.pop("f")
        value["f.x"] = None if inner is None else inner["x"]
    return value


Difference = Callable[[Triple, _Answer, _Answer], bool]
"""Takes Java's answer and ours."""


def _stricter(triple: Triple, java: _Answer, mine: _Answer) -> bool:
    return mine.get("stage") == "decode" and mine["reason"] in _STRICT and "value" in java


def _held(triple: Triple, java: _Answer, mine: _Answer) -> bool:
    return mine.get("reason") == "value_out_of_range" and mine["stage"] == "contract" and "value" in java


def _measure(triple: Triple, java: _Answer, mine: _Answer) -> bool:
    """Both types are dates, times or decimals; or the numbers are, in another unit."""
    if "value" in mine and "value" in java:
        return _times(_leaf(_java_value(java, mine)), _leaf(mine["value"]))
    if mine.get("reason") != "wrong_type" or "value" not in java:
        return False
    measured = re.findall(r"(?:local-)?timestamp-\w+|time-\w+|date|decimal", mine["message"])
    return len(measured) > 1


def _leaf(value: Any) -> Any:
    return next(inner for path, inner in value.items() if path != "t")


def _times(one: object, other: object) -> bool:
    """Whether whole numbers differ by a thousand, or a thousand thousands."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_times, one, other))
    if not isinstance(one, int) or not isinstance(other, int):
        return one is None and other is None
    small, large = sorted((abs(one), abs(other)))
    return large in (small * 1_000, small * 1_000_000)


def _alias(triple: Triple, java: _Answer, mine: _Answer) -> bool:
    writer, reader = json.loads(triple.writer), json.loads(triple.reader)
    if writer["fields"][0]["name"] == "g" and writer["name"] != reader["name"]:
        return True
    inside = '"aliases": ["x0"]' in triple.reader and '"name": "Other"' in triple.reader
    said = re.search("expecting (union|Other)", java.get("error", ""))
    return inside and "value" in mine and said is not None


def _empty(triple: Triple, java: _Answer, mine: _Answer) -> bool:
    if mine.get("reason") not in ("wrong_type", "missing_field") or "value" not in java:
        return False
    return re.search(r"array of|map of|\[\]|\[\"…\"\]", mine["message"]) is not None and _some_empty(
        java["value"]
    )


def _some_empty(value: object) -> bool:
    """Whether an array or a map in it has nothing."""
    if isinstance(value, list | dict):
        return not value or any(map(_some_empty, value.values() if isinstance(value, dict) else value))
    return False


def _named(triple: Triple, java: _Answer, mine: _Answer) -> bool:
    found = _FOUND.match(java.get("error", ""))
    return "value" in mine and found is not None and found[1].rpartition(".")[2] in "EFGHÜ"


def _record(triple: Triple, java: _Answer, mine: _Answer) -> bool:
    found = _FOUND.match(java.get("error", ""))
    if "value" not in mine or found is None:
        return False
    # Of several records Java takes the first whose fields are there, whatever their types.
    renamed = (
        '"name": "Other"' in triple.reader and re.search(r'"name": "(n\.)?R\d"', triple.reader) is not None
    )
    return found[2] in ("union[null, One]", "union[null, Other]") or renamed


DIFFERENCES: dict[str, Difference] = {
    "alias": _alias,
    "bytes": _stricter,
    "range": _held,
    "empty array": _empty,
    "unit": _measure,
    "name": _named,
    "record": _record,
}
"""Deliberate ones, by the names that `docs/wire-format.md` gives them."""


def judge(triple: Triple, java: _Answer, mine: _Answer) -> str | None:
    """
    Compare two answers.

    Returns: `SAME`, the name of a deliberate difference, or None: something is wrong.
    """
    if "canonical" in java and "canonical" in mine and java["fingerprint"] != mine["fingerprint"]:
        return None
    if "schema" in mine:
        return SAME  # no column: refused when the model is packed
    if (
        "value" in java
        and "value" in mine
        and not java["left"]
        and _equal(_java_value(java, mine), mine["value"], decimal='"decimal"' in triple.reader)
    ):
        return SAME
    if "error" in java and "stage" in mine:
        return SAME
    return next((name for name, applies in DIFFERENCES.items() if applies(triple, java, mine)), None)


def _equal(one: Any, other: Any, *, decimal: bool = False) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return one == other and math.copysign(1, one) == math.copysign(1, other)
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys() == {"b"}:
        # A decimal's bytes may have been filled up: 00 01 is 01.
        return one == other or (decimal and _whole(one["b"]) == _whole(other["b"]))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(
            _equal(one[key], other[key], decimal=decimal) for key in one
        )
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(partial(_equal, decimal=decimal), one, other))
    return type(one) is type(other) and one == other


def _whole(octets: str) -> int:
    return int.from_bytes(bytes.fromhex(octets), signed=True)
