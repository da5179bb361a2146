"""Does the estimator answer the same on the frame that pandas itself would make of the rows?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from stream.manifest import Manifest
from stream.scoring import Estimator, Model, attempt, columns_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["compare_with_pandas"]


def compare_with_pandas(
    estimator: Estimator, manifest: Manifest, rows: Sequence[Mapping[str, object]]
) -> list[str]:
    """
    Compare what a worker will publish with what a notebook shows.

    A worker gives numbers as float64 and missing texts as None or NaN, as the model's encoders show; pandas has
    int64, bool and its own texts. To most models that is one, to some functions of the user's it is not.

    Args:
        estimator: fitted on a frame with names.
        manifest: its contract.
        rows: Avro records as dicts, at least one.
    Returns: a sentence if answers differ, else nothing; nothing, too, where the model can't take pandas' frame.
    """
    if manifest.inputs != "frame":
        return []
    scored = Model(estimator, manifest).score(columns_of(rows, manifest.features), len(rows))
    frame = pandas_frame([rows[i] for i in scored.rows], manifest)
    own = attempt(partial(_predicted, estimator, frame)) if len(frame) else None
    if not isinstance(own, np.ndarray):
        return []
    ours = next(iter(scored.columns.values())).to_pylist()
    differ = [
        i for i, (one, other) in enumerate(zip(ours, own.tolist(), strict=True)) if not _same(one, other)
    ]
    if not differ:
        return []
    first = differ[0]
    return [
        f"on {len(differ)} of {len(ours)} rows the model answers otherwise when pandas makes the frame "
        f"(row {scored.rows[first] + 1}: {own.tolist()[first]!r}, published would be {ours[first]!r}): it tells "
        "whole numbers or booleans from float64, or a missing text from None; fit it on such a frame"
    ]


def pandas_frame(rows: Sequence[Mapping[str, object]], manifest: Manifest) -> pd.DataFrame:
    """
    Args:
        rows: Avro records as dicts.
        manifest: whose features to take.
    Returns: the frame as pandas makes it of such values.
    """
    columns = columns_of(rows, manifest.features)
    table = pa.table(list(columns.values()), names=[feature.name for feature in manifest.features])
    frame: pd.DataFrame = table.to_pandas()
    return frame


def _predicted(estimator: Estimator, frame: pd.DataFrame) -> np.ndarray:
    return np.asarray(estimator.predict(frame))


def _same(one: object, other: object) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return all(map(_same, one, other))
    if isinstance(one, float) or isinstance(other, float):
        # Far above rounding, far below a difference that matters: this finds other inputs, not other libraries.
        return bool(np.isclose(float(one), float(other), rtol=1e-6, atol=1e-9))  # type: ignore[arg-type]
    return one == other
