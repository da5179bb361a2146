"""The card as a page: plots and texts, rendered by the template beside this file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from stream.extras import require
from stream.manifest import Manifest
from stream.shown import shown
from stream.training.card import content, plots
from stream.training.card.drawing import draw
from stream.training.importance import Importance, importances
from stream.training.model_metrics import HIGHER_IS_BETTER, Sheet, scoring_of
from stream.training.slices import Slice, slice_columns, slices
from stream.training.trained import Trained
from stream.training.version_comparison import Compared

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Card", "Plot", "card_of", "check_libraries"]

LIBRARIES = ("matplotlib", "jinja2")
"""What the extra `train` installs for the card."""

_MAX_CLASSES = 20
"""A confusion matrix of more classes can't be read."""

_TILES = 4


@dataclass(frozen=True, slots=True)
class Plot:
    """
    A plot of a card.

    Attributes:
        title: of it.
        svg: inline, for a page.
        text: how to read it.
    """

    title: str
    svg: str
    text: str


@dataclass(frozen=True, slots=True)
class Card:
    """
    Everything on a card that doesn't depend on its version.

    Attributes:
        trained: the model.
        compared: with the version in use; None without one.
        parts: its metrics by the values of some columns.
        plots: of the model.
        part_plots: one for each of `parts`.
    """

    trained: Trained
    compared: Compared | None
    parts: Sequence[Sequence[Slice]]
    plots: Sequence[Plot]
    part_plots: Sequence[Plot]

    def html(self, manifest: Manifest | None = None) -> bytes:
        """
        Args:
            manifest: of the version that the card goes with; None when the model was not packed.
        Returns: one HTML file, UTF-8, that needs nothing else: no script, no font, no picture from elsewhere.
        """
        from jinja2 import Environment, PackageLoader, StrictUndefined

        environment = Environment(
            loader=PackageLoader("stream.training.card", ""), autoescape=True, undefined=StrictUndefined,
            trim_blocks=True, lstrip_blocks=True, finalize=_shown,
        )  # fmt: skip
        text = environment.get_template("card.html").render(**self._context(manifest))
        return text.encode()

    def _context(self, manifest: Manifest | None) -> dict[str, object]:
        trained = self.trained
        figures = content.figures(trained)
        return {
            "name": trained.recipe.name,
            "version": manifest and manifest.version,
            "created": manifest and manifest.created,
            "proof": "" if manifest is None or manifest.proof is None else str(manifest.proof),
            "about": [part.split("`") for part in trained.recipe.about.split("\n\n") if part.strip()],
            "kind": _kind(trained),
            "tiles": [figure for figure in figures if figure["better"]][:_TILES],
            "figures": figures,
            "compared": self.compared,
            "comparison": self.compared and content.comparison(self.compared),
            "plots": self.plots,
            "part_plots": self.part_plots,
            "parts": [part for parts in self.parts for part in parts],
            "part_figures": {
                name: title for name, (title, _) in content.METRICS.items() if name in trained.figures
            },
            "number": content.number,
            "data": content.data(trained),
            "columns": content.columns(trained),
            "more_columns": max(0, len(trained.recipe.features) - len(content.columns(trained))),
            "search": content.search(trained),
            "candidates": len(trained.candidates),
            "scoring": trained.recipe.scoring or scoring_of(trained.estimator),
            "folds": trained.recipe.split.folds,
            "estimator": [*map(shown, repr(trained.estimator).split("\n"))],
            "libraries": dict(manifest.libraries) if manifest else {},
            "notes": trained.notes,
        }


def check_libraries() -> None:
    """Raises: SettingsError naming what is missing, how to get it, and how to do without."""
    require("the model card", "train", *LIBRARIES, otherwise=", or give --no-card")


def card_of(trained: Trained, compared: Compared | None) -> Card:
    """
    Compute what a model's card shows.

    Args:
        trained: the model, with its held-out rows.
        compared: with the version in use; None without one.
    Returns: the card, its plots drawn, to be rendered when its version is known.
    Blocks: for the importance of each column, and the intervals of each part.
    """
    held_out, recipe = trained.held_out, trained.recipe
    columns = slice_columns(held_out, recipe.features, recipe.by)
    parts = [
        slices(held_out, name, trained.sheet, trained.judge, trained.units, trained.seed) for name in columns
    ]
    drawn = _plots(trained, importances(trained))
    return Card(trained, compared, parts, drawn, [_part_plot(trained, each) for each in parts])


def _shown(value: object) -> object:
    """Each text of a page as people are shown it; what is markup already was made here."""
    return shown(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _kind(trained: Trained) -> str:
    answers = trained.sheet.answers
    if answers.classes is None:
        return f"Regressor: predicts the number {trained.recipe.target}."
    names = ", ".join(map(str, answers.classes[:_MAX_CLASSES]))
    if answers.binary:
        return f"Classifier: says whether {trained.recipe.target} is {answers.classes[1]} or {answers.classes[0]}."
    return f"Classifier: says which {trained.recipe.target} of {len(answers.classes)}: {names}."


def _plots(trained: Trained, important: Sequence[Importance]) -> list[Plot]:
    judge = trained.judge
    importance = partial(
        plots.importance,
        found=important,
        title=content.METRICS[judge][0],
        higher_is_better=HIGHER_IS_BETTER[judge],
    )
    text = (
        "How much worse the model gets when a column's values are shuffled among the held-out rows. Columns that "
        "say the same share the credit."
    )
    found = (
        _of_numbers(trained.sheet) if trained.sheet.answers.classes is None else _of_classes(trained.sheet)
    )
    return [*found, Plot("What it relies on", draw(importance), text)]


def _of_classes(sheet: Sheet) -> list[Plot]:
    answers = sheet.answers
    assert answers.classes is not None
    found: list[Plot] = []

    def add(title: str, plot: Callable[[Axes, Sheet], None], text: str) -> None:
        found.append(Plot(title, draw(lambda axes: plot(axes, sheet)), text))

    if answers.probabilities is not None:
        against = "" if answers.binary else ", each class against the others"
        score = (
            f"the probability of {answers.classes[1]}" if answers.binary else "the given label's probability"
        )
        add(
            "ROC",
            plots.roc,
            f"Hits against false alarms at every threshold{against}; the dashed line is chance.",
        )
        add(
            "Calibration",
            plots.calibration,
            f"Held-out rows in ten parts by {score}: on the dashed line, of rows with 30 % some 30 % came true.",
        )
    if answers.probabilities is not None and answers.binary:
        add(
            "Scores",
            plots.scores,
            "The scores of the rows of either class; the less they overlap, the better.",
        )
    if len(answers.classes) <= _MAX_CLASSES:
        add(
            "Confusion",
            plots.confusion,
            "Rows by their true class and the label they were given; the diagonal is right.",
        )
    return found


def _of_numbers(sheet: Sheet) -> list[Plot]:
    return [
        Plot(
            "Predicted and actual",
            draw(partial(plots.actual, sheet=sheet)),
            "A dot for each held-out row (or some, evenly chosen); on the dashed line the prediction was right.",
        ),
        Plot(
            "Residuals",
            draw(partial(plots.residuals, sheet=sheet)),
            "How far off, by what was predicted: a shape in this cloud is something that the model has missed.",
        ),
    ]


def _part_plot(trained: Trained, parts: Sequence[Slice]) -> Plot:
    judge = trained.judge
    height = 1.1 + 0.36 * len(parts)
    title = content.METRICS[judge][0]
    draws = partial(plots.by_part, parts=parts, judge=judge, title=title, whole=trained.figures[judge])
    return Plot(
        f"By {parts[0].column}",
        draw(draws, height=height),
        f"{title[:1].upper()}{title[1:]} of each part, with its 95 % interval (from ten rows on); the dashed line is "
        "all rows.",
    )
