"""
The input example of a model folder of MLflow → rows as a sample has them.

Source: `mlflow.models.utils._Example`, of MLflow 3.17: what each `type` of example is written as.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stream.errors import SampleError
from stream.files import Sample, sample_of
from stream.store.mlflow_signature import VECTOR, Signature, Unreadable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["example_rows"]


def example_rows(content: bytes, about: Mapping[str, Any], signature: Signature | None, place: str) -> Sample:
    """
    Args:
        content: of the example's file.
        about: what `MLmodel` says of it (`saved_input_example_info`).
        signature: of the model; what it calls double is double, though JSON writes 1 for 1.0.
        place: what messages call the rows.
    Returns: its rows; of rows without names, the one array field `VECTOR`.
    Raises: Unreadable, saying why there are no rows that could be asked.
    """
    import pandas as pd

    try:
        held = json.loads(content)
        if "params" in about and isinstance(held, dict):
            held = held["inputs"]
        frame = _frame(held, about)
        if signature is None or signature.columns is not None:
            frame = _typed(frame, signature)
        found = sample_of(frame)
    except (ValueError, KeyError, TypeError, RecursionError, SampleError, pd.errors.ParserError) as error:
        raise Unreadable(f"it can't be read as rows: {error}") from error
    return Sample(place, found.rows, columns=found.columns, cut=found.cut, source=found.source)


def _frame(held: Any, about: Mapping[str, Any]) -> pd.DataFrame:
    """The table that the example is."""
    import pandas as pd

    kind, orient = about.get("type"), about.get("pandas_orient")
    if kind == "dataframe" and orient == "split":
        if len(set(held["columns"])) < len(held["columns"]):
            raise ValueError("two of its columns have one name")
        return pd.DataFrame(held["data"], columns=held["columns"])
    if kind == "dataframe":
        return _vectors(held["data"] if isinstance(held, dict) else held)
    if kind == "ndarray" and isinstance(held, dict):
        return pd.DataFrame({name: _column(values) for name, values in held.items()})
    if kind == "ndarray":
        return _vectors(held)
    if kind == "json_object" and isinstance(held, list) and all(isinstance(row, dict) for row in held):
        return pd.DataFrame(held)
    if kind == "json_object" and isinstance(held, dict):
        listed = all(isinstance(value, list) for value in held.values())
        return pd.DataFrame(held if listed else [held])
    raise ValueError(f"rows are taken as a frame, an array, a dict or a list of dicts; it is {kind!r}")


def _vectors(rows: Any) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        {VECTOR: [[float("nan") if item is None else float(item) for item in row] for row in rows]}
    )


def _column(values: Any) -> Any:
    """A tensor of one number for each row, perhaps in a list of its own."""
    return [one[0] if isinstance(one, list) and len(one) == 1 else one for one in values]


def _typed(frame: pd.DataFrame, signature: Signature | None) -> pd.DataFrame:
    import pandas as pd

    kinds = {} if signature is None or signature.columns is None else signature.columns
    for name in frame.columns:
        kind = kinds.get(name, {}).get("type")
        if kind in ("double", "float"):
            frame[name] = frame[name].astype("float64" if kind == "double" else "float32")
        elif kind == "integer" and frame[name].dtype == "int64":
            frame[name] = frame[name].astype("int32")
        elif kind == "datetime":
            frame[name] = pd.to_datetime(frame[name], format="ISO8601").astype("datetime64[us]")
        elif kind == "binary":
            frame[name] = [None if one is None else base64.b64decode(one) for one in frame[name]]
    return frame
