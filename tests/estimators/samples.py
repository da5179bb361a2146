"""A frame as a sample file, in each format and in each order of its columns."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastavro
import numpy as np
import pandas as pd

__all__ = ["ID", "ORDERS", "WRITERS", "arranged", "json_rows"]

ID = "row_id"
"""The column that is carried: the row's number, as text."""


def _ids(frame: pd.DataFrame) -> list[str]:
    return [f"r{i}" for i in range(len(frame))]


def _own(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(**{ID: _ids(frame)})


def _reversed(frame: pd.DataFrame) -> pd.DataFrame:
    return _own(frame)[[ID, *frame.columns[::-1]]]


def _foreign(frame: pd.DataFrame) -> pd.DataFrame:
    """Before, between and behind: an id, numbers, texts."""
    columns: dict[str, Any] = {ID: _ids(frame), "zz_before": np.arange(len(frame)) * 1.5}
    for place, name in enumerate(frame.columns):
        columns[name] = frame[name]
        if place % 3 == 0:
            columns[f"zz_{place}"] = np.arange(len(frame)) % 7
    return pd.DataFrame({**columns, "zz_note": ["seen" if i % 2 else "new" for i in range(len(frame))]})


ORDERS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "own": _own,
    "reversed": _reversed,
    "foreign": _foreign,
}


def arranged(frame: pd.DataFrame, order: str) -> pd.DataFrame:
    """The frame with its ids, and its columns in the order of that name."""
    return ORDERS[order](frame)


def _csv(frame: pd.DataFrame, path: Path) -> None:
    frame.to_csv(path, index=False)


def _parquet(frame: pd.DataFrame, path: Path) -> None:
    frame.to_parquet(path, index=False)


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Plain values: None where there is none."""
    return [
        {name: _value(value) for name, value in zip(frame.columns, row, strict=True)}
        for row in frame.itertuples(index=False, name=None)
    ]


def _value(value: Any) -> Any:
    if isinstance(value, list):
        return value
    if pd.isna(value):
        return None
    return value.item() if isinstance(value, np.generic) else value


def json_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Its rows as JSON has them: null for a gap, ISO texts for times."""
    return [
        {name: value.isoformat() if isinstance(value, pd.Timestamp) else value for name, value in row.items()}
        for row in _rows(frame)
    ]


def _jsonl(frame: pd.DataFrame, path: Path) -> None:
    rows = json_rows(frame)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def _avro(frame: pd.DataFrame, path: Path) -> None:
    rows = _rows(frame)
    fields: list[dict[str, Any]] = []
    for place, name in enumerate(frame.columns):
        kind = _avro_type(next(row[name] for row in rows if row[name] is not None))
        null = any(row[name] is None for row in rows)
        legal = name if name.isidentifier() and name.isascii() else f"column_{place}"
        fields.append({"name": legal, "type": ["null", kind] if null else kind, "feature": name})
    schema = {"type": "record", "name": "Row", "fields": fields}
    records = [{f["name"]: row[f["feature"]] for f in fields} for row in rows]
    stream = io.BytesIO()
    fastavro.writer(stream, fastavro.parse_schema(schema), records)
    path.write_bytes(stream.getvalue())


def _avro_type(value: object) -> Any:
    match value:
        case bool():
            return "boolean"
        case int():
            return "long"
        case float():
            return "double"
        case list():
            return {"type": "array", "items": "double"}
        case pd.Timestamp():
            return {"type": "long", "logicalType": "local-timestamp-micros"}
    return "string"


WRITERS: dict[str, Callable[[pd.DataFrame, Path], None]] = {
    "csv": _csv,
    "parquet": _parquet,
    "jsonl": _jsonl,
    "avro": _avro,
}
