"""
What the owner of a model would give it for a sample's rows: made with pandas from the sample itself.

It is the other side of the comparison, and independent of `stream.scoring` on purpose: how pandas' values become a
model's columns is said here a second time. Only a column that the sample lacks is taken from the events.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from stream.codec import Leaf, RecordSchema
from stream.files import Sample, owner_frame
from stream.manifest import Feature, Manifest
from stream.scoring import X, value_at

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["owner_inputs"]


def owner_inputs(
    sample: Sample,
    places: Sequence[int],
    events: Sequence[Mapping[str, object]],
    features: RecordSchema,
    manifest: Manifest,
    texts: Mapping[str, Collection[str]],
) -> list[X]:
    """
    What the owner would ask the estimator for.

    Args:
        sample: its rows.
        places: those that are asked for, ascending indices.
        events: made of them: what stands for a column that the sample lacks, whose default pandas can't know.
        features: the events' schema.
        manifest: the model's columns, by name.
        texts: the texts that the estimator was fitted on, for columns of which they are known.
    Returns: an input of len(places) rows; then others that an owner may have had instead, for an estimator that
        raises on the first.
    Raises: SampleError naming the file if pandas can't read it.
    """
    known = {name: found for name, found in texts.items() if found} | _text_categories(manifest)
    frame = owner_frame(sample, known).rename(columns=str)
    if any(frame.index.names):
        frame = frame.reset_index()
    rows = frame.iloc[list(places)].reset_index(drop=True)
    columns = {
        feature.name: _column(rows, events, feature, features.leaf(feature.path))
        for feature in manifest.features
    }
    if manifest.inputs == "vector":
        return [_stacked(next(iter(columns.values())), manifest.width)]
    if manifest.inputs == "series":
        return [next(iter(columns.values()))]
    first = _framed(columns)
    if manifest.inputs == "matrix":
        return [first, _array(first)]  # a frame shows whether it knows names after all
    fitted = {feature.name: _as_fitted(columns[feature.name], feature) for feature in manifest.features}
    naive = {name: _without_zone(column) for name, column in columns.items()}
    return [
        first,
        *(other for other in map(_framed, (fitted, naive)) if not other.dtypes.equals(first.dtypes)),
    ]


def _text_categories(manifest: Manifest) -> dict[str, Collection[str]]:
    """Columns whose fitted categories are all texts: a person has read them as such."""
    found: dict[str, Collection[str]] = {}
    for feature in manifest.features:
        texts = [category for category in feature.categories or () if isinstance(category, str)]
        if texts and len(texts) == len(feature.categories or ()):
            found[feature.name] = texts
    return found


def _framed(columns: Mapping[str, pd.Series]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(dict(columns), copy=False)


def _column(
    rows: pd.DataFrame, events: Sequence[Mapping[str, object]], feature: Feature, leaf: Leaf
) -> pd.Series:
    """The sample's column of a feature, by either of its names, or taken out of the record that holds it."""
    import pandas as pd

    name = next((name for name in (feature.name, leaf.feature, feature.path) if name in rows), None)
    if name is not None:
        column = rows[name]
    else:
        column = pd.Series([value_at(event, feature.path) for event in events], index=rows.index)
    if feature.kind == "category":
        return column.astype("category")
    return _parsed(column) if feature.kind == "datetime" else column


def _as_fitted(column: pd.Series, feature: Feature) -> pd.Series:
    """
    With all fitted categories, for a library that goes by their places.

    Those that go by values are asked with the sample's own, so that the fitted ones as the manifest has them are
    proved too.
    """
    if feature.kind != "category" or feature.categories is None:
        return column
    fitted: pd.Series = column.cat.set_categories(list(feature.categories), ordered=feature.ordered)
    return fitted


def _parsed(column: pd.Series) -> pd.Series:
    """A csv and JSON have no dates: whoever fitted a model on dates has parsed them."""
    import pandas as pd

    if column.dtype.kind == "M" or isinstance(column.dtype, pd.DatetimeTZDtype):
        return column
    return (
        pd.to_datetime(column, format="ISO8601")
        if pd.api.types.is_string_dtype(column)
        else pd.to_datetime(column)
    )


def _without_zone(column: pd.Series) -> pd.Series:
    import pandas as pd

    if isinstance(column.dtype, pd.DatetimeTZDtype):
        naive: pd.Series = column.dt.tz_convert("UTC").dt.tz_localize(None)
        return naive
    return column


def _array(frame: pd.DataFrame) -> X:
    """As `to_numpy` gives it; of columns of several types, which it makes objects of, as numbers."""
    values = frame.to_numpy()
    return values.astype(np.float64) if values.dtype == object else values


def _stacked(column: pd.Series, width: int) -> X:
    """One row per list; NaN where it has another length, which no model takes."""
    lists = [json.loads(value) if isinstance(value, str) else value for value in column]
    none = np.full(width, np.nan)
    return np.stack(
        [none if value is None or np.size(value) != width else np.asarray(value) for value in lists]
    )
