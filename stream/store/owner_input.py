"""
What the owner of a model would give it for a sample's rows: made with pandas from the sample itself.

It is the other side of the comparison, and independent of `stream.scoring` on purpose: how pandas' values become a
model's columns is said here a second time. Only a column that the sample lacks is taken from the events.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stream.codec import Leaf, RecordSchema
from stream.errors import PackageError
from stream.files import Sample, owner_frame
from stream.manifest import Feature, Manifest, NullText
from stream.scoring import X, value_at

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["OwnerRows", "other_times", "owner_inputs"]


@dataclass(frozen=True, slots=True)
class OwnerRows:
    """
    Whose rows they are.

    Attributes:
        sample: its rows.
        places: those that are asked for, ascending indices.
        events: made of them: what stands for a column that the sample lacks, whose default pandas can't know.
        features: the events' schema.
        manifest: the model's columns, by name.
        texts: the texts that the estimator was fitted on, for columns of which they are known.
        nulls: what stood for a missing text when it was fitted, for columns whose encoder shows it.
    """

    sample: Sample
    places: Sequence[int]
    events: Sequence[Mapping[str, object]]
    features: RecordSchema
    manifest: Manifest
    texts: Mapping[str, tuple[str, ...]]
    nulls: Mapping[str, NullText]


def owner_inputs(owner: OwnerRows) -> Iterator[X]:
    """
    What the owner would ask the estimator for.

    Args:
        owner: whose rows they are.
    Returns: an input of len(places) rows; then others that an owner may have had instead, for an estimator that
        raises on the first.
    Raises: SampleError naming the file if pandas can't read it.
    """
    manifest, rows = owner.manifest, _rows(owner)
    whole = _numbers_alone(owner, rows)
    if whole is not None:
        yield whole
        if manifest.inputs == "matrix":
            yield _array(whole)  # a frame shows whether it knows names after all
        return
    columns = {feature.name: _typed(column, feature) for feature, column in _columns(owner, rows)}
    if manifest.inputs == "vector":
        yield _stacked(next(iter(columns.values())), manifest.width)
        return
    first = _input(manifest, columns)
    yield first
    if manifest.inputs == "matrix":
        yield _array(first)  # a frame shows whether it knows names after all
        return
    if manifest.inputs == "frame":
        fitted = {feature.name: _as_fitted(columns[feature.name], feature) for feature in manifest.features}
        naive = {name: _without_zone(column) for name, column in columns.items()}
        for other in map(_framed, (fitted, naive)):
            if not other.dtypes.equals(first.dtypes):
                yield other
    if any(
        feature.kind == "text" and columns[feature.name].dtype.kind in "iufb" for feature in manifest.features
    ):
        yield _input(
            manifest,
            {
                feature.name: _typed(column, feature)
                for feature, column in _columns(owner, _rows(owner, all_texts=True))
            },
        )


def other_times(owner: OwnerRows) -> Iterator[tuple[str, X]]:
    """
    The owner's input if whoever fitted the model had something else than times of a csv's, or of JSON's, texts.

    Args:
        owner: whose rows they are.
    Returns: what was had, and an input of len(places) rows: the texts as they are, and Python's dates; nothing where
        the sample's columns say themselves that they are times.
    """
    manifest = owner.manifest
    if manifest.inputs != "frame" or not any(feature.kind == "datetime" for feature in manifest.features):
        return
    columns = list(_columns(owner, _rows(owner)))
    times = [feature for feature, column in columns if feature.kind == "datetime" and _is_text(column)]
    days = [feature for feature in times if feature.avro == "date" and not feature.dtype]
    for called, others, other in (("texts", times, lambda column, _: column), ("dates", days, _dates)):
        if others:
            yield (
                called,
                _framed(
                    {
                        feature.name: (
                            other(column, feature.name) if feature in others else _typed(column, feature)
                        )
                        for feature, column in columns
                    }
                ),
            )


def _rows(owner: OwnerRows, *, all_texts: bool = False) -> pd.DataFrame:
    """The rows as pandas reads them; `all_texts`: told that the columns of the model's texts are texts."""
    manifest = owner.manifest
    known = {name: found for name, found in owner.texts.items() if found} | _text_categories(manifest)
    if all_texts:
        known = {feature.name: () for feature in manifest.features if feature.kind == "text"} | known
    frame = owner_frame(owner.sample, known).rename(columns=str)
    if any(frame.index.names):
        frame = frame.reset_index()
    return frame.iloc[list(owner.places)].reset_index(drop=True)


def _numbers_alone(owner: OwnerRows, rows: pd.DataFrame) -> pd.DataFrame | None:
    """The frame at once where each column is the sample's own, of numbers; None where one is not."""
    features = owner.manifest.features
    if owner.manifest.inputs not in ("frame", "matrix") or not rows.columns.is_unique:
        return None
    if any(feature.kind != "number" or owner.nulls.get(feature.name) == "None" for feature in features):
        return None
    names = [feature.name for feature in features]
    if not set(names) <= set(rows.columns):
        return None
    frame = rows[names].rename_axis(columns=None)
    return frame if all(dtype.kind in "iufb" for dtype in frame.dtypes.unique()) else None


def _columns(owner: OwnerRows, rows: pd.DataFrame) -> Iterator[tuple[Feature, pd.Series]]:
    """Each feature's column."""
    for feature in owner.manifest.features:
        column = _column(rows, owner.events, feature, owner.features.leaf(feature.path))
        yield feature, _with_none(column) if owner.nulls.get(feature.name) == "None" else column


def _input(manifest: Manifest, columns: Mapping[str, pd.Series]) -> X:
    return next(iter(columns.values())) if manifest.inputs == "series" else _framed(columns)


def _text_categories(manifest: Manifest) -> dict[str, tuple[str, ...]]:
    """Columns whose fitted categories are all texts: a person has read them as such."""
    found: dict[str, tuple[str, ...]] = {}
    for feature in manifest.features:
        texts = [category for category in feature.categories or () if isinstance(category, str)]
        if texts and len(texts) == len(feature.categories or ()):
            found[feature.name] = tuple(texts)
    return found


def _framed(columns: Mapping[str, pd.Series]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(dict(columns))  # copied: columns of a type side by side, which is faster to ask with


def _column(
    rows: pd.DataFrame, events: Sequence[Mapping[str, object]], feature: Feature, leaf: Leaf
) -> pd.Series:
    """The sample's column of a feature, by either of its names, or taken out of the record that holds it."""
    import pandas as pd

    name = next((name for name in (feature.name, leaf.feature, feature.path) if name in rows), None)
    if name is not None:
        return rows[name]
    return pd.Series([value_at(event, feature.path) for event in events], index=rows.index)


def _with_none(column: pd.Series) -> pd.Series:
    """pandas reads a missing text as NaN; a model that was fitted on None had a column of objects."""
    return column.astype(object).where(column.notna(), None) if column.dtype.kind == "O" else column


def _typed(column: pd.Series, feature: Feature) -> pd.Series:
    if feature.kind == "category":
        return column.astype("category")
    if feature.kind != "datetime":
        return column
    return _dates(column, feature.name) if feature.dtype == "object" else _parsed(column, feature.name)


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


def _is_text(column: pd.Series) -> bool:
    import pandas as pd

    return not isinstance(column.dtype, pd.DatetimeTZDtype) and pd.api.types.is_string_dtype(column)


def _parsed(column: pd.Series, name: str) -> pd.Series:
    """A csv and JSON have no dates: whoever fitted a model on dates has parsed them."""
    import pandas as pd

    if column.dtype.kind == "M" or isinstance(column.dtype, pd.DatetimeTZDtype):
        return column
    if not _is_text(column):
        return pd.to_datetime(column)
    try:
        return pd.to_datetime(column, format="ISO8601")
    except ValueError as error:
        raise PackageError(
            f"column {name!r}: pandas can't make one column of its times: {error}",
            step="proof",
            hint="give the sample as parquet, which keeps a column's zone, or write all times in one zone",
        ) from error


def _dates(column: pd.Series, name: str) -> pd.Series:
    """Python's dates, as pandas reads them from parquet and avro; those of a csv or JSON are parsed."""
    if not _is_text(column):
        return column
    days: pd.Series = _parsed(column, name).dt.date.astype(object)
    return days.where(days.notna(), None)


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
