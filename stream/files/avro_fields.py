"""Columns as fields of an Avro record: legal names, beside which the original ones are kept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

__all__ = ["field_schema", "legal_name", "legal_names"]

_ILLEGAL = re.compile(r"[^A-Za-z0-9_]")


def legal_names(columns: Sequence[str]) -> dict[str, str]:
    """An Avro name for each column; two that would get the same are told apart by a number."""
    names: dict[str, str] = {}
    taken = {column for column in columns if legal_name(column) == column}
    for column in columns:
        legal = base = legal_name(column)
        i = 2
        while legal != column and legal in taken:
            legal, i = f"{base}_{i}", i + 1
        names[column] = legal
        taken.add(legal)
    return names


def legal_name(name: str) -> str:
    """An Avro name for one column, or for a record."""
    legal = _ILLEGAL.sub("_", name)
    return f"_{legal}" if not legal or legal[0].isdigit() else legal


def field_schema(column: str, name: str, kind: object, nullable: bool) -> dict[str, Any]:
    """
    Args:
        column: its own name.
        name: a legal one.
        kind: its Avro type, as JSON.
        nullable: whether it may be null, which is its default then.
    Returns: the field, as JSON.
    """
    field: dict[str, Any] = {"name": name, "type": ["null", kind] if nullable else kind}
    if nullable:
        field["default"] = None
    if name != column:
        field["feature"] = column
    return field
