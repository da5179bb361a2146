"""The rows that a model is asked while it is packed: some of the sample's, or made up."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from stream.codec import RecordSchema
from stream.errors import PackageError
from stream.files import Sample, events_of
from stream.store.golden import places, rows_for, through_avro
from stream.store.mapping import FeatureMapping
from stream.store.synthesis import synthesise
from stream.table import AnyOf

__all__ = ["AskedRows", "asked_rows"]

_ROWS = 2_000
"""Of a sample that are asked and compared; a worker's usual batch."""

_VALUES = 500_000
"""Of all of them together; of wide rows, fewer are asked."""


@dataclass(frozen=True, slots=True)
class AskedRows:
    """
    Rows to ask for.

    Attributes:
        places: their indices in the sample; none for rows that were made up.
        events: made of them.
    """

    places: list[int]
    events: list[dict[str, object]]


def asked_rows(
    features: RecordSchema,
    mapping: FeatureMapping,
    texts: Mapping[str, Collection[str]],
    sample: Sample | None,
) -> AskedRows:
    """
    Rows as a decoder would give them.

    Args:
        features: what the model takes and what is carried.
        mapping: which field is which column.
        texts: the texts that the estimator was fitted on, by column.
        sample: theirs; None = they are made up.
    Raises: PackageError for a sample without rows; SampleError naming a row that doesn't fit.
    """
    if sample is None:
        by_path = {item.path: tuple(texts[item.name]) for item in mapping.features if texts.get(item.name)}
        made_up = synthesise(features, rows_for(len(mapping.features)), by_path, mapping.width)
        return AskedRows([], through_avro(made_up, features))
    if not sample.rows:
        raise PackageError(f"{sample.name}: has no rows", step="golden", hint="give a sample with rows")
    AnyOf(features.root, [feature.path for feature in mapping.features]).check_some(
        sample.name, (row.values for row in sample.rows)
    )
    count = rows_for(len(mapping.features), _ROWS, _VALUES)
    chosen = places(len(sample.rows), count)
    return AskedRows(chosen, through_avro(_events_at(sample, features, chosen, wide=count < _ROWS), features))


def _events_at(
    sample: Sample, features: RecordSchema, chosen: list[int], *, wide: bool
) -> list[dict[str, object]]:
    """Some of a sample's rows as events; the others must be events as well, unless they have thousands of values."""
    if wide:
        return list(events_of(replace(sample, rows=[sample.rows[i] for i in chosen]), features))
    every = list(events_of(sample, features))
    return [every[i] for i in chosen]
