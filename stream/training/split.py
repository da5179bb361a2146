"""Rows by time: those to learn from, and the later ones to be judged by."""

from __future__ import annotations

import pandas as pd

from stream.errors import SampleError

__all__ = ["split_by_time"]


def split_by_time(frame: pd.DataFrame, time: str, hold_out: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """
    Cut a frame in two by time.

    Args:
        frame: n ≥ 2 rows in any order.
        time: the column of their time, without nulls.
        hold_out: share of the rows for the later part, 0 < share < 1; a little more where rows share the
            moment of the cut.
    Returns: the earlier and the later rows, each in the order of time (rows of one moment stay in theirs)
        with a new index. Every row of the second is later than every row of the first.
    Raises: SampleError when a time is missing or a part would be empty.
    """
    if time not in frame:
        raise SampleError(f"the rows have no column {time!r} to be split by", mend="correct TIME or the rows")
    if missing := int(frame[time].isna().sum()):
        raise SampleError(f"{missing} rows have no {time}", mend=f"leave rows without {time} out")
    ordered = frame.sort_values(time, kind="stable", ignore_index=True)
    if len(ordered) < 2:
        raise SampleError(f"{len(ordered)} rows can't be split", mend="give more rows")
    cut = ordered[time].iloc[min(int(len(ordered) * (1 - hold_out)), len(ordered) - 1)]
    early = ordered[time] < cut
    if not early.any():
        raise SampleError(
            f"no row is earlier than {time} = {cut}: nothing is left to learn from",
            mend="hold a smaller share out, or split by a finer time",
        )
    return ordered[early].reset_index(drop=True), ordered[~early].reset_index(drop=True)
