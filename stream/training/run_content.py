"""What a tracked run says of a training: parameters, metrics, tags and files, from what the training tells."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING

import pandas as pd

from stream.mlflow import DataNote, Figure
from stream.training import run_tags
from stream.training.card import Card, standalone
from stream.training.provenance import commit_of, file_sha256, user_name
from stream.training.recipe import Recipe
from stream.training.search import Candidate
from stream.training.trained import Metrics, Trained
from stream.training.version_comparison import Compared

if TYPE_CHECKING:
    from stream.store import Packed

__all__ = [
    "candidate_figures",
    "candidate_params",
    "candidate_tags",
    "comparison_figures",
    "comparison_tags",
    "data_note",
    "first_tags",
    "model_params",
    "package_params",
    "package_tags",
    "plan_params",
    "plots",
    "row_params",
    "slice_figures",
    "slices_table",
    "trained_figures",
]

_COLUMNS = 500
"""Of a wider model, the dataset's schema names the first ones."""


def candidate_tags(recipe: Recipe) -> dict[str, object]:
    """Of each run, nested ones too: who runs what; by MLflow's own names."""
    tags = {"mlflow.user": user_name(), "mlflow.source.name": str(recipe.path), "mlflow.source.type": "LOCAL"}
    return {name: value for name, value in tags.items() if value != ""}


def first_tags(recipe: Recipe) -> dict[str, object]:
    """What is known before anything is run: by MLflow's own names where it has them."""
    tags = {
        **candidate_tags(recipe),
        run_tags.RECIPE: str(recipe.path),
        run_tags.RELEASE: version("prediction-stream"),
    }
    if recipe.about:
        tags["mlflow.note.content"] = recipe.about
    commit = commit_of(recipe.path)
    if commit is not None:
        tags["mlflow.source.git.commit"] = commit.id
        tags[run_tags.CHANGED] = "true" if commit.changed else "false"
        if commit.branch:
            tags["mlflow.source.git.branch"] = commit.branch
    return tags


def plan_params(recipe: Recipe) -> dict[str, object]:
    """The recipe, its grid, and what the command line fixed."""
    split = recipe.split
    params: dict[str, object] = {
        "recipe.name": recipe.name,
        "recipe.file": recipe.path.name,
        "recipe.target": recipe.target,
        "recipe.features": ", ".join(recipe.features),
        "recipe.feature_count": len(recipe.features),
        "recipe.split": split.way,
        "recipe.hold_out": split.hold_out,
        "recipe.folds": split.folds,
        "recipe.seed": split.seed,
    }
    named = {
        "recipe.split_by": split.column,
        "recipe.scoring": recipe.scoring,
        "recipe.judge": recipe.judge,
        "recipe.carry": ", ".join(recipe.carry) or None,
        "recipe.data": None if recipe.data is None else recipe.data.name,
    }
    params |= {name: value for name, value in named.items() if value is not None}
    grids = [recipe.grid] if isinstance(recipe.grid, Mapping) else list(recipe.grid)
    for number, grid in enumerate(grids, 1):
        prefix = "grid" if len(grids) == 1 else f"grid {number}"
        params |= {f"{prefix}.{name}": [*map(_plain, values)] for name, values in grid.items()}
    return params | {f"set.{name}": value for name, value in recipe.fixed.items()}


def _plain(value: object) -> object:
    """A value of a grid as JSON has it; an estimator or a function as it shows itself."""
    return value if value is None or isinstance(value, bool | int | float | str) else repr(value)


def row_params(recipe: Recipe, facts: Metrics) -> dict[str, object]:
    """The rows: how many, and by what to tell them from others."""
    found: dict[str, object] = {
        f"data.{name}": value for name, value in facts.items() if name not in _PLANNED
    }
    sha256 = None if recipe.data is None else file_sha256(recipe.data)
    return found if sha256 is None else {**found, "data.file_sha256": sha256}


_PLANNED = frozenset({"split", "hold_out", "seed", "split_by"})
"""Facts of the rows that the plan has already."""


def data_note(recipe: Recipe, training: pd.DataFrame, facts: Metrics) -> DataNote:
    """The rows as MLflow's datasets are: no value of any row."""
    rows = int(facts["rows_trained"]) + int(facts["rows_held_out"])
    names = [*recipe.features, recipe.target]
    schema = [
        {"type": _mlflow_type(training[name]), "name": name, "required": not training[name].isna().any()}
        for name in names[:_COLUMNS]
    ]
    source = str(recipe.data) if recipe.data is not None else f"load() of {recipe.path.name}"
    return DataNote(
        name=recipe.data.name if recipe.data is not None else recipe.path.name,
        digest=str(facts["rows_sha256"])[:8],
        source=json.dumps({"uri": source}, ensure_ascii=False),
        schema=json.dumps({"mlflow_colspec": schema}, ensure_ascii=False),
        profile=json.dumps({"num_rows": rows, "num_elements": rows * len(names)}),
    )


def _mlflow_type(column: pd.Series) -> str:
    types = pd.api.types
    if types.is_bool_dtype(column):
        return "boolean"
    if types.is_integer_dtype(column):
        return "long"
    if types.is_float_dtype(column):
        return "double"
    return "datetime" if types.is_datetime64_any_dtype(column) else "string"


def candidate_params(recipe: Recipe, params: Mapping[str, object]) -> dict[str, object]:
    """The estimator's parameters of a candidate, by its own names."""
    return {**recipe.fixed, **params}


def candidate_figures(candidate: Candidate) -> list[Figure]:
    """Its scores: each fold's is a step of the curve."""
    return [
        Figure("search_score", candidate.score),
        Figure("search_deviation", candidate.deviation),
        *(Figure("fold_score", score, fold) for fold, score in enumerate(candidate.scores, 1)),
    ]


def model_params(trained: Trained) -> dict[str, object]:
    """The estimator that was chosen: each parameter that is a plain value, by the estimator's own names."""
    known = trained.estimator.get_params()
    plain = {
        name: value
        for name, value in known.items()
        if value is None or isinstance(value, bool | int | float | str)
    }
    return {**plain, **candidate_params(trained.recipe, trained.params), "estimator": repr(trained.estimator)}


def trained_figures(trained: Trained) -> list[Figure]:
    """The metrics on the held-out rows under the manifest's names, and those of a model that ignores the features."""
    found = {name: value for name, value in trained.metrics.items() if not isinstance(value, str)}
    left = {*trained.facts} - {"search_score", "search_candidates"}
    return [
        *(Figure(name, float(value)) for name, value in found.items() if name not in left),
        *(Figure(f"baseline/{name}", value) for name, value in trained.baseline.items()),
    ]


def comparison_figures(compared: Compared) -> list[Figure]:
    """Of each metric, how much it differs from the version in use."""
    return [Figure(f"difference/{name}", one.difference) for name, one in compared.metrics.items()]


def comparison_tags(compared: Compared) -> dict[str, object]:
    """The verdict."""
    return {run_tags.VERDICT: compared.verdict, run_tags.COMPARISON: compared.sentence}


def slice_figures(card: Card) -> list[Figure]:
    """The metrics of each part of the rows that the card has."""
    return [
        Figure(f"slices/{_group(part.column)}/{name}/{_group(part.value)}", value)
        for parts in card.parts
        for part in parts
        for name, value in part.figures.items()
    ]


def _group(text: str) -> str:
    """A part of a metric's name: it makes no group of its own, and two different texts stay two."""
    return text.replace("/", "\0") or "\0"


def slices_table(card: Card) -> bytes | None:
    """The same as a table, as MLflow shows those; None without parts."""
    rows = [
        {
            "column": part.column,
            "value": part.value,
            "rows": part.rows,
            **{name: value if math.isfinite(value) else None for name, value in part.figures.items()},
            **dict(zip(("low", "high"), part.interval or (None, None), strict=True)),
        }
        for parts in card.parts
        for part in parts
    ]
    if not rows:
        return None
    names = [*dict.fromkeys(name for row in rows for name in row)]
    table = {"columns": names, "data": [[row.get(name) for name in names] for row in rows]}
    return json.dumps(table, ensure_ascii=False).encode()


def plots(card: Card) -> Iterator[tuple[str, bytes]]:
    """The card's plots as files: their names, and SVG."""
    for number, plot in enumerate((*card.plots, *card.part_plots), 1):
        name = "".join(letter if letter.isalnum() else "_" for letter in plot.title.lower())
        yield f"plots/{number:02d}_{name[:60]}.svg", standalone(plot.svg).encode()


def package_params(packed: Packed) -> dict[str, object]:
    """The versions of the libraries that the package was made with."""
    return {f"library.{name}": text for name, text in packed.package.manifest.libraries.items()}


def package_tags(packed: Packed, manifest_sha256: str) -> dict[str, object]:
    """The package that the run has made."""
    return {run_tags.MODEL: packed.package.manifest.model, run_tags.MANIFEST_SHA256: manifest_sha256}
