"""The table of starts."""

from __future__ import annotations

from benchmarks.start import Start, table


def test_starts_of_a_checkout_are_a_median_with_its_spread() -> None:
    """Models, things and checkouts are kept apart; those that took turns stand side by side."""
    starts = [
        Start("lr", "worker", tree, wall_s, cpu_s)
        for tree, wall_s, cpu_s in [
            ("old", 3.0, 4.0),
            ("new", 2.0, 2.5),
            ("old", 9.0, 4.4),
            ("old", 2.9, 4.2),
        ]
    ]

    assert [
        "| lr | serve | old | 1.00 (1.00–1.00) | 0.50 |",
        "| lr | worker | old | 3.00 (2.90–9.00) | 4.20 |",
        "| lr | worker | new | 2.00 (2.00–2.00) | 2.50 |",
    ] == table([*starts, Start("lr", "serve", "old", 1.0, 0.5)]).splitlines()[2:]
