"""Does the estimator answer the same on the frame that pandas itself would make of the rows?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from stream.manifest import Manifest
from stream.scoring import Estimator, Model, attempt, columns_of, same_answer

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["compare_with_pandas"]

_RELATIVE, _ABSOLUTE = 1e-6, 1e-9
"""Far above rounding, far below a difference that matters: this finds other inputs, not other libraries."""


def compare_with_pandas(
    estimator: Estimator, manifest: Manifest, rows: Sequence[Mapping[str, object]]
) -> list[str]:
    """
    Compare what a worker will publish with what a notebook shows.

    A worker gives numbers as float64 and missing texts as None or NaN, as the model's encoders show; pandas has
    int64, bool and its own texts. To most models these are the same, to some of the user's own functions they are not.

    Args:
        estimator: fitted on a frame with names.
        manifest: its contract.
        rows: Avro records as dicts, at least one.
    Returns: a sentence if answers differ; nothing if they don't, or if the model can't take pandas' frame.
    """
    if manifest.inputs != "frame":
        return []
    columns = columns_of(rows, manifest.features)
    scored = Model(estimator, manifest).score(columns, len(rows))
    table = pa.table(list(columns.values()), names=[feature.name for feature in manifest.features])
    frame: pd.DataFrame = table.take(pa.array(scored.rows, pa.int64())).to_pandas()
    own = attempt(lambda: np.asarray(estimator.predict(frame))) if len(frame) else None
    if not isinstance(own, np.ndarray):
        return []
    theirs = (own[:, 0] if own.ndim == 2 and own.shape[1] == 1 else own).tolist()
    ours = next(iter(scored.columns.values())).to_pylist()
    pairs = zip(ours, theirs, strict=True)
    differ = [i for i, (one, other) in enumerate(pairs) if not same_answer(one, other, _RELATIVE, _ABSOLUTE)]
    if not differ:
        return []
    first = differ[0]
    return [
        f"on {len(differ)} of {len(ours)} rows the model answers differently when pandas makes the frame "
        f"(row {scored.rows[first] + 1}: {theirs[first]!r}, published would be {ours[first]!r}): it tells "
        "whole numbers or booleans from float64, or a missing text from None; fit it on such a frame"
    ]
