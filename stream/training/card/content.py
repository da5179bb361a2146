"""What the card says, as plain texts and numbers, for the template."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from stream.training.intervals import RESAMPLES
from stream.training.model_metrics import HIGHER_IS_BETTER
from stream.training.trained import Trained
from stream.training.version_comparison import Compared

__all__ = ["METRICS", "columns", "comparison", "data", "figures", "number", "search"]

METRICS: Mapping[str, tuple[str, str]] = {
    "auc": (
        "ROC AUC",
        "the chance that a row where it happened has a higher score than one where it did not",
    ),
    "log_loss": ("log loss", "how surprised the probabilities were by the truth; 0 is perfect"),
    "brier": ("Brier score", "mean squared distance of the probability from what happened; 0 is perfect"),
    "accuracy": ("accuracy", "share of the rows whose label was right"),
    "f1_macro": ("F1, macro", "balance of precision and recall, each class counting the same"),
    "base_rate": ("base rate", "share of the rows where it happened"),
    "rmse": ("RMSE", "root of the mean squared error, in the target's unit"),
    "mae": ("mean absolute error", "how far off on average, in the target's unit"),
    "r2": ("R²", "share of the target's variance that is explained; 1 is perfect"),
}
"""A metric's name for people, and what it means."""

_COLUMNS = 60
"""Columns that the table of features shows; of a wider model, it says how many more there are."""

_CANDIDATES = 20
_VALUES = 3


def number(value: object) -> str:
    """A figure for people: four digits, thousands separated."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"


def figures(trained: Trained) -> list[dict[str, str]]:
    """A row for each metric, in the order of `METRICS`."""
    found = []
    for name, (title, meaning) in METRICS.items():
        if name not in trained.figures:
            continue
        ends = trained.intervals.get(name)
        baseline = trained.baseline.get(name)
        found.append(
            {
                "name": title,
                "meaning": meaning,
                "value": number(trained.figures[name]),
                "interval": f"{number(ends[0])} – {number(ends[1])}" if ends else "",
                "baseline": "" if baseline is None else number(baseline),
                "better": {True: "higher", False: "lower", None: ""}[HIGHER_IS_BETTER.get(name)],
            }
        )
    return found


def comparison(compared: Compared) -> list[dict[str, str]]:
    """A row for each metric of both versions."""
    return [
        {
            "name": METRICS[name][0] + (" (decides)" if name == compared.judge else ""),
            "used": number(one.used),
            "new": number(one.new),
            "difference": f"{one.difference:+.4g}",
            "interval": f"{one.interval[0]:+.4g} – {one.interval[1]:+.4g}" if one.interval else "",
        }
        for name, one in sorted(compared.metrics.items(), key=lambda item: item[0] != compared.judge)
    ]


def data(trained: Trained) -> list[tuple[str, str]]:
    """What the rows are, and how they were split."""
    facts, recipe = trained.facts, trained.recipe
    source = str(recipe.data) if recipe.data is not None else f"load() of {recipe.path.name}"
    found = [
        ("source", source),
        ("target", recipe.target),
        ("rows learned from", number(facts["rows_trained"])),
        ("rows held out", number(facts["rows_held_out"])),
        ("split", recipe.split.text),
    ]
    if "trained_until" in facts:
        found += [
            ("learned from rows until", str(facts["trained_until"])),
            ("judged by rows from", str(facts["held_out_from"])),
        ]
    if "groups_trained" in facts:
        found.append(
            (
                "groups",
                f"{number(facts['groups_trained'])} learned from, {number(facts['groups_held_out'])} held out",
            )
        )
    units = "groups" if recipe.split.way == "group" else "rows"
    return [
        *found,
        ("intervals", f"95 %, percentile bootstrap of the held-out {units}, {RESAMPLES:,} resamples"),
        ("rows' sha256", str(facts["rows_sha256"])),
        ("seed", str(trained.seed)),
    ]


def columns(trained: Trained) -> list[dict[str, str]]:
    """What the features hold, in the rows that were learned from."""
    rows = trained.training
    return [
        {
            "name": name,
            "type": str(rows[name].dtype),
            "missing": f"{rows[name].isna().mean():.1%}" if rows[name].isna().any() else "",
            "holds": _values(rows[name]),
        }
        for name in trained.recipe.features[:_COLUMNS]
    ]


def _values(column: pd.Series) -> str:
    known = column.dropna()
    if known.empty:
        return "no value"
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        low, middle, high = (float(known.quantile(at)) for at in (0, 0.5, 1))
        return f"{number(low)} … {number(middle)} … {number(high)}"
    if pd.api.types.is_datetime64_any_dtype(column):
        return f"{known.min()} … {known.max()}"
    counts = known.map(str).value_counts().sort_index().sort_values(ascending=False, kind="stable")
    shown = ", ".join(
        f"{str(text)[:20]} ({count / len(known):.0%})" for text, count in counts.head(_VALUES).items()
    )
    return shown if len(counts) <= _VALUES else f"{len(counts):,} values: {shown} …"


def search(trained: Trained) -> list[dict[str, str]]:
    """The candidates, the best first."""
    ordered = sorted(trained.candidates, key=lambda one: (-one.score, one.number))
    return [
        {
            "params": ", ".join(f"{name} = {value}" for name, value in one.params.items()) or "as it comes",
            "score": f"{one.score:.5f}",
            "deviation": f"± {one.deviation:.5f}",
        }
        for one in ordered[:_CANDIDATES]
    ]
