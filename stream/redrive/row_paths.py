"""Fields of a row by dotted path, through records within records."""

from __future__ import annotations

from typing import Any

from stream.errors import RecordError

__all__ = ["holds_at", "put_at", "take_at", "value_at"]


def _parent(row: dict[str, Any], path: str, *, make: bool = False) -> tuple[dict[str, Any] | None, str]:
    """The record that holds the field at a dotted path, and the field's name in it."""
    *above, last = path.split(".")
    inner: Any = row
    for name in above:
        if make and isinstance(inner, dict) and inner.get(name) is None:
            inner[name] = {}
        inner = inner.get(name) if isinstance(inner, dict) else None
    return (inner if isinstance(inner, dict) else None), last


def holds_at(row: dict[str, Any], path: str) -> bool:
    """Whether there is such a field, null or not."""
    parent, name = _parent(row, path)
    return parent is not None and name in parent


def value_at(row: dict[str, Any], path: str) -> Any:
    """Its value; None where there is no such field."""
    parent, name = _parent(row, path)
    return None if parent is None else parent.get(name)


def take_at(row: dict[str, Any], path: str) -> Any:
    """Take it out of the row; its value."""
    parent, name = _parent(row, path)
    return None if parent is None else parent.pop(name, None)


def put_at(row: dict[str, Any], path: str, value: Any) -> None:
    """
    Put a value there, in records that are made where they are missing.

    Raises: RecordError when what is around it is no record.
    """
    parent, name = _parent(row, path, make=True)
    if parent is None:
        raise RecordError(f"field {path!r}: what is around it is no record", reason="wrong_type", field=path)
    parent[name] = value
