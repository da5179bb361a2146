"""The card's plots: each draws on one matplotlib axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from sklearn.calibration import calibration_curve
from sklearn.metrics import confusion_matrix, roc_curve

from stream.training.card.drawing import ACCENT, INK, MUTED, SECOND, label
from stream.training.importance import Importance
from stream.training.model_metrics import Sheet
from stream.training.slices import Slice
from stream.training.split import spread

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Rectangle

__all__ = ["actual", "by_part", "calibration", "confusion", "importance", "residuals", "roc", "scores"]

_POINTS = 200
"""Points of a curve: more can't be distinguished at this size."""

_DOTS = 600
"""Dots of a cloud, drawn evenly from all rows."""

_BARS = 15
"""Columns whose importance is shown."""

_CLASSES = 6
"""Classes with a curve of their own."""


def roc(axes: Axes, sheet: Sheet) -> None:
    """True against false positives at every threshold; for several classes, each against the others."""
    answers = sheet.answers
    assert answers.classes is not None
    assert answers.probabilities is not None
    shown = [1] if answers.binary else range(min(len(answers.classes), _CLASSES))
    axes.plot([0, 1], [0, 1], color=MUTED, linestyle="--", linewidth=1)
    for i in shown:
        happened = sheet.truth == answers.classes[i]
        if not 0 < happened.sum() < len(happened):
            continue
        false, true, _ = roc_curve(happened, answers.probabilities[:, i])
        which = spread(len(false), _POINTS)
        name = None if answers.binary else label(answers.classes[i])
        axes.plot(false[which], true[which], color=ACCENT if answers.binary else None, label=name)
    if not answers.binary:
        axes.legend(loc="lower right")
    axes.set(xlabel="false positive rate", ylabel="true positive rate", xlim=(0, 1), ylim=(0, 1.02))


def calibration(axes: Axes, sheet: Sheet) -> None:
    """How often it happened, by the predicted probability."""
    score, happened = _likely(sheet)
    observed, predicted = calibration_curve(happened, score, n_bins=10, strategy="quantile")
    axes.plot([0, 1], [0, 1], color=MUTED, linestyle="--", linewidth=1)
    axes.plot(predicted, observed, color=ACCENT, marker="o", markersize=5)
    axes.set(xlabel="predicted probability", ylabel="observed share", xlim=(0, 1), ylim=(0, 1.02))


def _likely(sheet: Sheet) -> tuple[np.ndarray, np.ndarray]:
    """The score and whether it came true: of the second class, or of the label that was given."""
    answers = sheet.answers
    assert answers.probabilities is not None
    if answers.binary:
        return answers.probabilities[:, 1], sheet.happened
    return answers.probabilities.max(axis=1), (answers.values == sheet.truth).astype(float)


def scores(axes: Axes, sheet: Sheet) -> None:
    """The distribution of the scores of each of two classes."""
    assert sheet.answers.classes is not None
    assert sheet.answers.probabilities is not None
    for i, colour in enumerate((MUTED, ACCENT)):
        which = sheet.truth == sheet.answers.classes[i]
        if which.any():
            axes.hist(
                sheet.answers.probabilities[which, 1], bins=np.linspace(0, 1, 31).tolist(), color=colour, alpha=0.6,
                density=True, label=label(sheet.answers.classes[i]),
            )  # fmt: skip
    axes.legend(title=None)
    axes.set(
        xlabel=f"predicted probability of {label(sheet.answers.classes[1])}", ylabel="density", xlim=(0, 1)
    )


def confusion(axes: Axes, sheet: Sheet) -> None:
    """Which label was given to the rows of which class: counts, shaded by the share of the true class."""
    assert sheet.answers.classes is not None
    known = sheet.answers.classes.tolist()
    names = [*known, *sorted(set(sheet.truth.tolist()) - set(known), key=str)]
    table = confusion_matrix(
        [names.index(one) for one in sheet.truth.tolist()],
        [names.index(one) for one in sheet.answers.values.tolist()],
        labels=range(len(names)),
    )
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    size = max(6, 12 - len(names) // 2)
    for row, column in np.ndindex(table.shape):
        cell = _cell(column, row, float(shares[row, column]))
        axes.add_patch(cell)
        axes.text(column, row, f"{table[row, column]:,}", ha="center", va="center", fontsize=size, color=INK)
    ticks = [label(name) for name in names]
    steep = sum(map(len, ticks)) > 30
    axes.set_xticks(range(len(names)), ticks, rotation=45 if steep else 0, ha="right" if steep else "center")
    axes.set_yticks(range(len(names)), ticks)
    axes.set(xlabel="predicted", ylabel="true", xlim=(-0.5, len(names) - 0.5), ylim=(len(names) - 0.5, -0.5))
    axes.tick_params(length=0)


def _cell(x: float, y: float, share: float) -> Rectangle:
    from matplotlib.patches import Rectangle

    # Visible on white and on black, under the page's own text colour.
    return Rectangle(
        (x - 0.48, y - 0.48), 0.96, 0.96, facecolor=ACCENT, alpha=0.05 + 0.5 * share, linewidth=0
    )


def importance(axes: Axes, found: Sequence[Importance], title: str, higher_is_better: bool) -> None:
    """By how much the judge's figure gets worse when a column is shuffled."""
    shown = list(found)[:_BARS][::-1]
    axes.barh(
        [label(one.column) for one in shown], [one.loss for one in shown], xerr=[one.deviation for one in shown],
        color=ACCENT, alpha=0.85, height=0.65, error_kw={"ecolor": INK, "elinewidth": 1},
    )  # fmt: skip
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.grid(visible=False, axis="y")
    axes.set(xlabel=f"{'drop' if higher_is_better else 'rise'} of the {title}")


def by_part(axes: Axes, parts: Sequence[Slice], judge: str, title: str, whole: float) -> None:
    """The judge's figure of each part, with its interval; the line is all rows."""
    shown = [part for part in parts if judge in part.figures][::-1]
    for place, part in enumerate(shown):
        value = part.figures[judge]
        if part.interval is not None:
            axes.plot(part.interval, [place, place], color=ACCENT, linewidth=2.5, alpha=0.5)
        axes.plot([value], [place], color=ACCENT, marker="o", markersize=6)
    axes.axvline(whole, color=SECOND, linestyle="--", linewidth=1)
    axes.set_yticks(range(len(shown)), [label(part.value) for part in shown])
    axes.set(xlabel=title, ylim=(-0.6, len(shown) - 0.4))
    axes.grid(visible=False, axis="y")


def actual(axes: Axes, sheet: Sheet) -> None:
    """What was predicted against what happened."""
    which = spread(len(sheet.truth), _DOTS)
    predicted, true = sheet.answers.values[which], sheet.truth[which].astype(float)
    ends = [float(min(predicted.min(), true.min())), float(max(predicted.max(), true.max()))]
    axes.plot(ends, ends, color=MUTED, linestyle="--", linewidth=1)
    axes.scatter(predicted, true, s=14, color=ACCENT, alpha=0.45, linewidths=0)
    axes.set(xlabel="predicted", ylabel="actual")


def residuals(axes: Axes, sheet: Sheet) -> None:
    """How far off the predictions are, by what was predicted."""
    which = spread(len(sheet.truth), _DOTS)
    predicted = sheet.answers.values[which]
    axes.axhline(0, color=MUTED, linestyle="--", linewidth=1)
    axes.scatter(
        predicted, predicted - sheet.truth[which].astype(float), s=14, color=ACCENT, alpha=0.45, linewidths=0
    )
    axes.set(xlabel="predicted", ylabel="predicted − actual")
