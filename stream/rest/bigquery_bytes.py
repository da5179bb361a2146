"""Bytes as BigQuery has them in JSON: base64; everywhere else in this service a character stands for each byte."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Sequence
from typing import Any, TypeAlias

from stream.records import DeadLetter
from stream.rest.served_model import Answer, Row, Served
from stream.types import Misfit, dead_letter_of, mismatch

__all__ = ["Call", "read_bytes", "spelled", "write_bytes"]

Call: TypeAlias = "Row | DeadLetter | None"
"""A call of a remote function: a row, NULL, or why it is neither."""


def read_bytes(served: Served, call: Call) -> Call:
    """
    Args:
        served: the model.
        call: as it came.
    Returns: a row with its bytes instead of texts, or a DeadLetter where one is not base64; any other call as it is.
    """
    if not served.binaries or call is None or isinstance(call, DeadLetter):
        return call
    try:
        return _decoded(call, served.binaries, "")
    except Misfit as misfit:
        return dead_letter_of([misfit])


def spelled(served: Served, row: Row) -> dict[str, Any]:
    """A row as BigQuery would send it: its bytes are base64, where everybody else's have a character for each."""
    return {
        name: _base64(value) if name in served.binaries and isinstance(value, str) else value
        for name, value in row.items()
    }


def write_bytes(served: Served, answers: Sequence[Answer | None]) -> None:
    """
    Args:
        served: the model.
        answers: predictions among them are changed: their bytes are base64.
    """
    names = [name for path, name in served.carried.items() if path in served.binaries]
    for name in names:
        for answer in answers:
            if isinstance(answer, dict) and answer.get(name) is not None:
                answer[name] = _base64(answer[name])


def _base64(characters: str) -> str:
    return base64.b64encode(characters.encode("latin-1")).decode()


def _decoded(row: Row, names: Collection[str], prefix: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in row.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            found[key] = _decoded(value, names, f"{name}.")
        elif isinstance(value, str) and name in names:
            found[key] = _content(name, value)
        else:
            found[key] = value
    return found


def _content(name: str, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise mismatch("base64", text).within(name) from None
