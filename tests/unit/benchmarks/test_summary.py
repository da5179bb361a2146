"""The benchmark's arithmetic."""

from __future__ import annotations

import pytest

from benchmarks.summary import Run, events_per_s, ratio, summaries, table


def run(contestant: str, rate: float, model: str = "hgb") -> Run:
    """A run at a rate; its other figures are a tenth, a hundredth … of it."""
    return Run(model, contestant, 1_000, rate, rate / 10, rate / 100, rate / 1_000)


def test_rate_leaves_out_what_was_there_at_the_first_moment() -> None:
    """Two of six records came in the first millisecond; the other four took 20 ms."""
    stamps = [1_020, 1_000, 1_010, 1_000, 1_015, 1_020]

    assert 200.0 == events_per_s(stamps)


def test_rate_of_one_moment_is_refused() -> None:
    """No time has passed, so there is no rate; never infinity."""
    with pytest.raises(ValueError, match="take more events"):
        events_per_s([5, 5, 5])


def test_summary_is_the_median_with_its_spread() -> None:
    """One slow run among three does not move the median."""
    (found,) = summaries([run("loop", 100), run("loop", 10), run("loop", 120)])

    assert (3, 100, 10, 120) == (found.runs, found.events_per_s, found.slowest, found.fastest)
    assert (10, 1, 0.1) == (found.cpu_us, found.startup_s, found.peak_mib)


def test_summaries_keep_models_and_contestants_apart() -> None:
    """In the order in which they came first."""
    runs = [run("worker", 1), run("loop", 2), run("worker", 3, "lr"), run("worker", 5)]

    assert [("hgb", "worker", 3), ("hgb", "loop", 2), ("lr", "worker", 3)] == [
        (one.model, one.contestant, one.events_per_s) for one in summaries(runs)
    ]


def test_ratio_is_of_medians_of_one_model() -> None:
    """The other model's rates don't count."""
    found = summaries([run("worker", 90), run("loop", 100), run("loop", 1, "lr")])

    assert 0.9 == ratio(found, "hgb", "worker", "loop")


def test_ratio_to_an_absent_contestant_is_none() -> None:
    """`--only worker` has nothing to be compared with."""
    assert ratio(summaries([run("worker", 90)]), "hgb", "worker", "loop") is None


def test_table_has_a_row_for_each_summary() -> None:
    """Rates with their spread, and the ratio; a dash where there is none."""
    found = summaries([run("worker", 90_000), run("loop", 100_000), run("faust", 5, "lr")])
    rows = table(found, "loop").splitlines()[2:]

    assert "| hgb | worker | 90,000 (90,000–90,000) | 0.90 | 9,000.0 | 900.0 | 90 |" == rows[0]
    assert "| 1.00 |" in rows[1]
    assert "| lr | faust | 5 (5–5) | – |" in rows[2]
