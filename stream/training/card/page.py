"""The card as a page: plots and texts, set by the template beside this file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from stream.manifest import Manifest
from stream.training.card import content, plots
from stream.training.card.drawing import draw
from stream.training.importance import Importance, importances
from stream.training.model_metrics import HIGHER_IS_BETTER, scoring_of
from stream.training.slices import Slice, slice_columns, slices
from stream.training.trained import Trained
from stream.training.version_comparison import Compared

__all__ = ["Card", "card_of"]

_MAX_CLASSES = 20
"""A confusion matrix of more classes can't be read."""

_TILES = 4


@dataclass(frozen=True, slots=True)
class Plot:
    """An inline SVG, its title and how to read it."""

    title: str
    svg: str
    text: str


@dataclass(frozen=True, slots=True)
class Card:
    """
    Everything on a card that doesn't hang on its version.

    Attributes:
        trained: the model.
        compared: with the version in use; None where there is none.
        important: its columns' importance.
        parts: its metrics by the values of some columns.
    """

    trained: Trained
    compared: Compared | None
    important: Sequence[Importance]
    parts: Sequence[Sequence[Slice]]

    def html(self, manifest: Manifest | None = None) -> bytes:
        """
        Args:
            manifest: of the version that the card goes with; None when the model was not packed.
        Returns: one HTML file, UTF-8, that needs nothing else: no script, no font, no picture from elsewhere.
        """
        from jinja2 import Environment, PackageLoader, StrictUndefined

        environment = Environment(
            loader=PackageLoader("stream.training.card", ""), autoescape=True, undefined=StrictUndefined,
            trim_blocks=True, lstrip_blocks=True,
        )  # fmt: skip
        text = environment.get_template("card.html").render(**self._context(manifest))
        return text.encode()

    def _context(self, manifest: Manifest | None) -> dict[str, Any]:
        trained = self.trained
        figures = content.figures(trained)
        return {
            "name": trained.recipe.name,
            "version": manifest and manifest.version,
            "created": manifest and manifest.created,
            "about": [part.split("`") for part in trained.recipe.about.split("\n\n") if part.strip()],
            "kind": _kind(trained),
            "tiles": [figure for figure in figures if figure.better][:_TILES],
            "figures": figures,
            "compared": self.compared,
            "comparison": self.compared and content.comparison(self.compared),
            "plots": _plots(trained, self.important),
            "part_plots": [_part_plot(trained, parts) for parts in self.parts],
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
            "estimator": repr(trained.estimator),
            "libraries": dict(manifest.libraries) if manifest else {},
            "notes": trained.notes,
        }


def card_of(trained: Trained, compared: Compared | None) -> Card:
    """
    Look at a model from the sides that a card shows.

    Args:
        trained: the model, with its held-out rows.
        compared: with the version in use; None where there is none.
    Returns: the card, to be set when its version is known.
    Blocks: for the importance of each column, and the intervals of each part.
    """
    held_out, recipe = trained.held_out, trained.recipe
    columns = slice_columns(held_out, recipe.features, recipe.by)
    return Card(
        trained,
        compared,
        importances(trained),
        [
            slices(held_out, name, trained.sheet, trained.judge, trained.units, trained.seed)
            for name in columns
        ],
    )


def _kind(trained: Trained) -> str:
    answers = trained.sheet.answers
    if answers.classes is None:
        return f"Regressor: predicts the number {trained.recipe.target}."
    names = ", ".join(map(str, answers.classes[:_MAX_CLASSES]))
    if answers.binary:
        return f"Classifier: says whether {trained.recipe.target} is {answers.classes[1]} or {answers.classes[0]}."
    return f"Classifier: says which {trained.recipe.target} of {len(answers.classes)}: {names}."


def _plots(trained: Trained, important: Sequence[Importance]) -> list[Plot]:
    sheet, judge = trained.sheet, trained.judge
    title = content.METRICS[judge][0]
    found: list[tuple[str, Callable[[Any], None], str]] = []
    if sheet.answers.classes is None:
        found += _of_numbers(trained)
    else:
        found += _of_classes(trained)
    found.append(
        (
            "What it rests on",
            partial(plots.importance, found=important, title=title, higher_is_better=HIGHER_IS_BETTER[judge]),
            "How much worse the model gets when a column's values are shuffled among the held-out rows. Columns that "
            "say the same share the credit.",
        )
    )
    return [Plot(name, draw(plot), text) for name, plot, text in found]


def _of_classes(trained: Trained) -> list[tuple[str, Callable[[Any], None], str]]:
    sheet = trained.sheet
    answers = sheet.answers
    assert answers.classes is not None
    found: list[tuple[str, Callable[[Any], None], str]] = []
    if answers.probabilities is not None:
        against = "" if answers.binary else ", each class against the others"
        said = (
            f"the probability of {answers.classes[1]}" if answers.binary else "the given label's probability"
        )
        found += [
            (
                "ROC",
                partial(plots.roc, sheet=sheet),
                f"Hits against false alarms at every threshold{against}; the dashed line is chance.",
            ),
            (
                "Calibration",
                partial(plots.calibration, sheet=sheet),
                f"Held-out rows in ten parts by {said}: on the dashed line, of rows with 30 % some 30 % came true.",
            ),
        ]
        if answers.binary:
            found.append(
                (
                    "Scores",
                    partial(plots.scores, sheet=sheet),
                    "What the model said of the rows of either class; the less they overlap, the better.",
                )
            )
    if len(answers.classes) <= _MAX_CLASSES:
        found.append(
            (
                "Confusion",
                partial(plots.confusion, sheet=sheet),
                "Rows by their true class and the label they were given; the diagonal is right.",
            )
        )
    return found


def _of_numbers(trained: Trained) -> list[tuple[str, Callable[[Any], None], str]]:
    return [
        (
            "Predicted and actual",
            partial(plots.actual, sheet=trained.sheet),
            "A dot for each held-out row (or some, evenly chosen); on the dashed line the prediction was right.",
        ),
        (
            "Residuals",
            partial(plots.residuals, sheet=trained.sheet),
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
