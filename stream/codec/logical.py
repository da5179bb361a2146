"""Logical types: which ones a type really has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from stream.types import type_of

__all__ = ["Logical", "logical_type"]

_FIXED_BYTES = {"uuid": 16, "duration": 12}
"""Logical types that a fixed of one size may have, beside decimal."""


class Logical(NamedTuple):
    """A logical type, and the precision and scale of a decimal."""

    name: str | None = None
    precision: int = 0
    scale: int = 0


def logical_type(given: Mapping[str, object], kind: str, size_bytes: int = 0) -> Logical:
    """
    Say which logical type a type has. An invalid one is as none: the values are what they are stored as.

    Args:
        given: the type in the schema's JSON.
        kind: what it is stored as: `int`, `fixed` …
        size_bytes: of a fixed.
    Returns: the logical type; without a name where there is none, it is not known, is made for another type, or
        has parameters that can't be.
    Source: Avro 1.12 specification, "Logical Types": implementations must ignore unknown ones, and should ignore
        invalid ones.
    """
    name = given.get("logicalType")
    if not isinstance(name, str):
        return Logical()
    if name == "decimal":
        return _decimal(given, kind, size_bytes)
    known = _FIXED_BYTES.get(name) == size_bytes if kind == "fixed" else type_of(kind, name).name == name
    return Logical(name) if known else Logical()


def _decimal(given: Mapping[str, object], kind: str, size_bytes: int) -> Logical:
    """Source: Avro 1.12 specification, "Decimal"."""
    precision, scale = given.get("precision"), given.get("scale", 0)
    if type(precision) is not int or type(scale) is not int or not 0 <= scale <= precision or not precision:
        return Logical()
    if kind == "fixed" and (not size_bytes or 10**precision > 1 << (8 * size_bytes - 1)):
        return Logical()
    return Logical("decimal", precision, scale) if kind in ("bytes", "fixed") else Logical()
