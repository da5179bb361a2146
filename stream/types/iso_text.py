"""How dates and timestamps are written in text."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["iso_json", "iso_texts"]


def iso_texts(counts: pa.Array, times: pa.Array, first: int, last: int, zone: str) -> pa.Array:
    """
    The one spelling of dates and instants, wherever a text is written.

    Args:
        counts: bare numbers since 1970.
        times: the same as Arrow's dates or times, without a zone.
        first, last: of the calendar with four digits for a year.
        zone: what stands behind a text.
    Returns: ISO 8601 with the fraction's digits by the unit; the bare number beyond the calendar.
    """
    bounds = pc.min_max(counts)
    low, high = bounds["min"].as_py(), bounds["max"].as_py()
    beyond = None
    if low is not None and (low < first or high > last):
        beyond = pc.or_(pc.less(counts, pa.scalar(first)), pc.greater(counts, pa.scalar(last)))
        times = pc.if_else(beyond, pa.scalar(None, times.type), times)
    texts = pc.replace_substring(times.cast(pa.string()), " ", "T")
    if zone:
        texts = pc.binary_join_element_wise(texts, zone, "")
    return texts if beyond is None else pc.if_else(beyond, counts.cast(pa.string()), texts)


def iso_json(texts: pa.Array) -> list[str | int | None]:
    """
    Args:
        texts: as `iso_texts` gives them.
    Returns: the same, but bare numbers as numbers: a text has a hyphen behind its year.
    """
    return [text if text is None or text[4:5] == "-" else int(text) for text in texts.to_pylist()]
