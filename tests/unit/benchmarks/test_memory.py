"""Whether memory grows."""

from __future__ import annotations

import pytest

from benchmarks.memory import Sample, slope_mib_per_min


def test_growth_after_the_start_is_a_slope() -> None:
    """A mebibyte a second is 60 a minute, and a peak in between changes nothing."""
    samples = [Sample(i, 300.0 + i + (500 if i == 50 else 0)) for i in range(100)]

    assert 60.0 == pytest.approx(slope_mib_per_min(samples))


def test_filling_at_the_start_is_no_slope() -> None:
    """Pools and caches fill in the first fifth."""
    samples = [Sample(i, min(400.0, 100.0 + 20 * i)) for i in range(100)]

    assert 0.0 == slope_mib_per_min(samples)


def test_too_few_samples_have_no_slope() -> None:
    """Rather than one that means nothing."""
    with pytest.raises(ValueError, match="1 samples are too few"):
        slope_mib_per_min([Sample(0.0, 100.0)])
