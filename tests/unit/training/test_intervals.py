"""Bootstrap intervals."""

from __future__ import annotations

import numpy as np
import pytest

from stream.training.intervals import bootstrap

RNG = np.random.default_rng(3)
VALUES = RNG.normal(10, 2, 400)


def _mean(weights: np.ndarray) -> dict[str, np.ndarray]:
    return {"mean": weights @ VALUES / weights.sum(axis=1)}


def test_interval_of_a_mean_is_that_of_the_normal_theory() -> None:
    """1.96 standard errors on either side, within a tenth of it."""
    low, high = bootstrap(_mean, np.arange(400), seed=1)["mean"]
    error = 1.96 * VALUES.std() / 20

    assert VALUES.mean() - error == pytest.approx(low, abs=error / 10)
    assert VALUES.mean() + error == pytest.approx(high, abs=error / 10)


def test_rows_of_one_group_are_drawn_together() -> None:
    """Each value ten times over is no more evidence than once: the interval stays as wide."""
    groups = np.repeat(np.arange(40), 10)
    values = np.repeat(VALUES[:40], 10)

    def mean(weights: np.ndarray) -> dict[str, np.ndarray]:
        return {"mean": weights @ values / weights.sum(axis=1)}

    (low, high), (near, far) = (bootstrap(mean, units, seed=1)["mean"] for units in (groups, np.arange(400)))

    assert 2 < (high - low) / (far - near) < 5


def test_seed_decides() -> None:
    """The same ends with the same seed, others with another."""
    one, two, three = (bootstrap(_mean, np.arange(400), seed)["mean"] for seed in (1, 1, 2))

    assert one == two
    assert one != three


@pytest.mark.parametrize("values", [np.ones(50), np.full(50, np.nan)], ids=["no width", "not defined"])
def test_interval_that_would_say_nothing_is_left_out(values: np.ndarray) -> None:
    """No width would claim certainty; without a value there is no figure."""
    assert {} == bootstrap(lambda weights: {"m": weights @ values}, np.arange(50), seed=0)


def test_one_unit_has_no_interval() -> None:
    """There is nothing to be drawn anew from."""
    assert {} == bootstrap(_mean, np.zeros(400, int), seed=0)
