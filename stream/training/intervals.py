"""Confidence intervals of metrics, by the bootstrap."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from scipy import stats

__all__ = ["LEVEL", "RESAMPLES", "Interval", "bootstrap"]

Interval: TypeAlias = "tuple[float, float]"
"""The lower and the upper end."""

LEVEL = 0.95
"""Share of such intervals that hold the true value, were the whole run repeated with other held-out rows."""

RESAMPLES = 1_000
"""Enough for two digits of an interval's ends; scipy's default of 9,999 is for the last digit."""

_BATCH = 20
"""Resamples that are drawn at once: some 10 MB for 65,000 rows."""

_FEW = 2
"""Fewer units have nothing to be drawn anew from."""


def bootstrap(
    statistic: Callable[[np.ndarray], Mapping[str, float]],
    units: np.ndarray,
    seed: int,
    resamples: int = RESAMPLES,
) -> dict[str, Interval]:
    """
    The percentile interval of each figure.

    Args:
        statistic: figures under row weights, shape (n,).
        units: shape (n,), 0, 1, …: rows of one unit are drawn together, since they are not independent.
        seed: of the drawing.
        resamples: how often to draw.
    Returns: an interval for each figure that every resample defines; none where there is one unit only, and none
        of no width: where every row was right, no drawing of them finds a wrong one, and that is no certainty.
    Blocks: for `resamples` calls of the statistic.
    Source: scipy.stats.bootstrap, method "percentile".
    """
    count = int(units.max()) + 1
    if count < _FEW:
        return {}
    names = list(statistic(np.ones(len(units))))

    def each(sample: np.ndarray, axis: int = -1) -> np.ndarray:
        """scipy's vectorised form: (…, count) drawn units → (figures, …)."""
        drawn = sample.reshape(-1, count)
        found = np.array([_row(statistic, row, units, count, names) for row in drawn])
        return found.T.reshape(len(names), *sample.shape[:-1])

    with warnings.catch_warnings():
        # A figure that some resample doesn't define has no interval, which is said by leaving it out.
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        done = stats.bootstrap(
            (np.arange(count),), each, n_resamples=resamples, batch=_BATCH, vectorized=True,
            confidence_level=LEVEL, method="percentile", rng=np.random.default_rng(seed),
        )  # fmt: skip
    ends = zip(
        names, done.confidence_interval.low.tolist(), done.confidence_interval.high.tolist(), strict=True
    )
    return {
        name: (low, high) for name, low, high in ends if np.isfinite(low) and np.isfinite(high) and low < high
    }


def _row(
    statistic: Callable[[np.ndarray], Mapping[str, float]],
    drawn: np.ndarray,
    units: np.ndarray,
    count: int,
    names: list[str],
) -> list[float]:
    figures = statistic(np.bincount(drawn, minlength=count)[units].astype(float))
    return [figures.get(name, np.nan) for name in names]
