"""Confidence intervals of metrics, by the bootstrap."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from scipy import stats
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

__all__ = ["LEVEL", "RESAMPLES", "Interval", "bootstrap"]

Interval: TypeAlias = "tuple[float, float]"
"""The lower and the upper end."""

LEVEL = 0.95
"""Share of such intervals that would hold the true value if the run were repeated with other held-out rows."""

RESAMPLES = 1_000
"""Enough for two digits of an interval's ends; scipy's default of 9,999 is for the last digit."""

_BATCH_NUMBERS = 1_000_000
"""Weights (resamples × rows) in memory at a time: 8 MB, and a few times that during the computation."""

_FEW = 2
"""With fewer units there is nothing to resample."""


def bootstrap(
    statistic: Callable[[np.ndarray], Mapping[str, np.ndarray]],
    units: np.ndarray,
    seed: int,
    resamples: int = RESAMPLES,
) -> dict[str, Interval]:
    """
    The percentile interval of each figure.

    Args:
        statistic: from row weights, shape (b, n), to figures by name, shape (b,); NaN where one isn't defined.
        units: shape (n,), 0, 1, …: rows of one unit are drawn together, since they are not independent.
        seed: of the resampling.
        resamples: how often to draw.
    Returns: an interval for each figure that every resample defines; none where there is only one unit, and none
        of width zero: where every row is right, so is every resample, which does not make the figure certain.
    Blocks: for `resamples` times the statistic.
    Source: scipy.stats.bootstrap, method "percentile".
    """
    count = int(units.max()) + 1
    if count < _FEW:
        return {}
    names = list(statistic(np.ones((1, len(units)))))

    def each(sample: np.ndarray, axis: int = -1) -> np.ndarray:
        """scipy's vectorised form: (…, count) drawn units → (figures, …)."""
        drawn = sample.reshape(-1, count).astype(np.intp)
        places = drawn + np.arange(len(drawn))[:, None] * count
        weights = np.bincount(places.ravel(), minlength=len(drawn) * count).reshape(len(drawn), count)
        found = statistic(weights[:, units].astype(float))
        return np.array([found[name] for name in names]).reshape(len(names), *sample.shape[:-1])

    # Threads of BLAS would spin for longer than such products take.
    with warnings.catch_warnings(), threadpool_limits(1, user_api="blas"):
        # A figure that some resample doesn't define has no interval: it is left out.
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        done = stats.bootstrap(
            (np.arange(count),), each, n_resamples=resamples, batch=max(1, _BATCH_NUMBERS // len(units)),
            vectorized=True, confidence_level=LEVEL, method="percentile", rng=np.random.default_rng(seed),
        )  # fmt: skip
    ends = zip(
        names, done.confidence_interval.low.tolist(), done.confidence_interval.high.tolist(), strict=True
    )
    return {
        name: (low, high) for name, low, high in ends if np.isfinite(low) and np.isfinite(high) and low < high
    }
