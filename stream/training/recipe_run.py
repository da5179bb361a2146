"""One run of a recipe: load, split, search, fit, measure."""

from __future__ import annotations

import random
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from sklearn.dummy import DummyClassifier, DummyRegressor

from stream.errors import Refused, SampleError, SettingsError
from stream.training.checks import check_fields
from stream.training.intervals import bootstrap
from stream.training.listener import SILENT, Listener
from stream.training.model_metrics import Figures, Sheet, answers_of, kind_of, measure
from stream.training.recipe import Recipe, guarded
from stream.training.rehearsal import Rehearse, check_judge, rehearse_run
from stream.training.search import Candidate, search
from stream.training.split import cut, folds_of
from stream.training.trained import Metrics, Step, Trained
from stream.training.training_rows import fingerprint, inferred_schema, load_rows, notes_of, odd_texts
from stream.types import plain_object

__all__ = ["run_recipe"]

T = TypeVar("T")


def run_recipe(
    recipe: Recipe,
    tell: Callable[[Step], None] = lambda _: None,
    rehearse: Rehearse = lambda *_: None,
    listener: Listener = SILENT,
) -> Trained:
    """
    Run a recipe; the same recipe, data, seed and libraries give the same estimator and metrics.

    1. Load the rows and split them, before anything else is done with them.
    2. Rehearse on few of the training rows.
    3. Choose among the grid's candidates on the training rows alone.
    4. Fit the best on all of the training rows.
    5. Measure it on the held-out rows.

    Args:
        recipe: what to run.
        tell: called after each step.
        rehearse: called with an estimator that was fitted on few rows; raises if it can't be packed.
        listener: told of the split, of each candidate and of the result.
    Returns: the fitted estimator and its metrics; nothing is written.
    Raises: Refused, SettingsError or SampleError naming the recipe and what to correct.
    Blocks: for the whole training.
    """
    with _seeded(recipe.split.seed), _warned() as warned:
        frame = load_rows(recipe)
        estimator = _estimator(recipe)
        classes = kind_of(estimator) == "classifier"
        training, held_out = _parts(recipe, frame, classes)  # 1
        schema, findings = _schema(recipe, frame)
        rows_facts = _about_rows(recipe, frame, training, held_out)
        tell(Step(f"{len(training):,} rows to learn from, {len(held_out):,} held out to be judged by"))
        listener.split(recipe, training, rows_facts)
        truth = training[recipe.target].to_numpy()
        if classes:
            _check_classes(recipe, truth)
        rows = training[list(recipe.features)]
        tell(Step("trying it on a few rows"))
        with _seeded(recipe.split.seed):
            rehearse_run(recipe, estimator, training, truth, schema, rehearse)  # 2
        folds = _placed(recipe, lambda: folds_of(recipe.split, training, truth, classes=classes))
        with _naming_texts(recipe, frame):
            tried = _tried(tell, listener)
            found = search(recipe, estimator, rows, truth, folds, tried, listener.trying)  # 3
        guarded(recipe.path, "fit()", estimator.set_params(**found[0].params).fit, rows, truth)  # 4
        tell(Step("measuring"))
        sheet = Sheet(
            guarded(recipe.path, "predict()", answers_of, estimator, held_out[list(recipe.features)]),
            held_out[recipe.target].to_numpy(),
        )  # 5
        units = _units(recipe, held_out)
        trained = Trained(
            recipe, estimator, tuple(found), training, held_out, sheet, units,
            figures=sheet.figures(),
            intervals=bootstrap(sheet.weighed, units, recipe.split.seed),
            baseline=_baseline(classes, truth, sheet.truth),
            facts={"search_score": found[0].score, "search_candidates": len(found), **rows_facts},
            schema=schema,
            findings=(*notes_of(recipe), *findings),
            notes=tuple(_unknown_labels(recipe, sheet)),
        )  # fmt: skip
    check_judge(recipe, trained.figures)
    repeated = (f"{text} ({count} times)" if count > 1 else text for text, count in warned.items())
    return replace(trained, notes=(*trained.notes, *repeated))


@contextmanager
def _naming_texts(recipe: Recipe, frame: pd.DataFrame) -> Iterator[None]:
    """An estimator that fails on texts says neither their column nor what they should have been."""
    try:
        yield
    except Refused as error:
        if not (found := odd_texts(recipe, frame)):
            raise
        raise Refused(
            f"{error.message}; {'; '.join(found)}",
            hint="write it so in the rows (with pandas: read_csv(FILE, sep=…, decimal=',', thousands=…)), let load() "
            "parse it, or take the column out of FEATURES",
        ) from error


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed the global generators, which the recipe may use; restore their states afterwards."""
    before = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])


@contextmanager
def _warned() -> Iterator[Counter[str]]:
    """Collect and count warnings: a search repeats them for every fit."""
    warned: Counter[str] = Counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield warned
        first_lines = (
            f"{item.category.__name__}: {str(item.message).strip().partition(chr(10))[0]}" for item in caught
        )
        warned.update(first_lines)


def _parts(recipe: Recipe, frame: pd.DataFrame, classes: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
    parts = _placed(recipe, lambda: cut(recipe.split, frame, recipe.target, classes=classes))
    for part in parts:
        if part.empty:
            raise SettingsError(
                f"{recipe.path}: one side of the split has no row with a {recipe.target}",
                hint="load more rows, or change HOLD_OUT",
            )
    return parts


def _placed(recipe: Recipe, call: Callable[[], T]) -> T:
    """Errors about the rows name the recipe."""
    try:
        return call()
    except SampleError as error:
        raise SampleError(f"{recipe.path}: {error.message}", hint=error.hint) from error


def _schema(recipe: Recipe, frame: pd.DataFrame) -> tuple[str, tuple[str, ...]]:
    if recipe.schema is not None:
        return recipe.schema.read_text("utf-8"), ()
    text, notes = _placed(recipe, lambda: inferred_schema(recipe, frame))
    check_fields(recipe.path, "the schema of its rows", text, recipe.features, recipe.carry)
    return text, notes


def _estimator(recipe: Recipe) -> Any:
    """A fresh estimator of a kind that can be measured, with every open seed set."""
    estimator: Any = recipe.estimator()
    try:
        kind_of(estimator)
    except Refused as exc:
        raise Refused(
            f"{recipe.path}: estimator() returned something unusable: {exc.message}", hint=exc.hint
        ) from exc
    known = estimator.get_params()
    if unknown := [name for name in recipe.fixed if name not in known]:
        raise SettingsError(
            f"{recipe.path}: the estimator has no parameter {unknown[0]!r}",
            hint=f"choose one of {', '.join(sorted(known))}",
        )
    is_open = (
        name for name, value in known.items() if value is None and name.split("__")[-1] == "random_state"
    )
    return estimator.set_params(**dict.fromkeys(is_open, recipe.split.seed), **recipe.fixed)


def _check_classes(recipe: Recipe, truth: np.ndarray) -> None:
    if len(pd.unique(truth)) < 2:
        raise SettingsError(
            f"{recipe.path}: all {len(truth)} rows to learn from have {recipe.target} = {truth[0]}",
            hint="load rows of every class, or change HOLD_OUT",
        )


def _units(recipe: Recipe, held_out: pd.DataFrame) -> np.ndarray:
    if recipe.split.way == "group":
        return np.asarray(pd.factorize(held_out[recipe.split.column])[0])
    return np.arange(len(held_out))


def _baseline(classes: bool, learned: np.ndarray, truth: np.ndarray) -> Figures:
    dummy = DummyClassifier(strategy="prior") if classes else DummyRegressor()
    nothing = pd.DataFrame({"nothing": np.zeros(len(learned))})
    return measure(dummy.fit(nothing, learned), pd.DataFrame({"nothing": np.zeros(len(truth))}), truth)


def _unknown_labels(recipe: Recipe, sheet: Sheet) -> list[str]:
    if sheet.answers.classes is None:
        return []
    unknown = sorted(set(map(str, sheet.truth)) - set(map(str, sheet.answers.classes)))
    return (
        [f"held-out rows have {recipe.target} = {', '.join(unknown)}, which no row to learn from has"]
        if unknown
        else []
    )


def _about_rows(
    recipe: Recipe, frame: pd.DataFrame, training: pd.DataFrame, held_out: pd.DataFrame
) -> Metrics:
    """The rows that the metrics come from, and how they were split."""
    split = recipe.split
    about: Metrics = {
        "rows_trained": len(training),
        "rows_held_out": len(held_out),
        "split": split.way,
        "hold_out": split.hold_out,
        "seed": split.seed,
        "rows_sha256": fingerprint(recipe, frame),
    }
    if split.column is not None:
        about["split_by"] = split.column
    if split.way == "time":
        about["trained_until"] = str(plain_object(training[split.column].iloc[-1]))
        about["held_out_from"] = str(plain_object(held_out[split.column].iloc[0]))
    if split.way == "group":
        about["groups_trained"] = int(training[split.column].nunique())
        about["groups_held_out"] = int(held_out[split.column].nunique())
    return about


def _tried(tell: Callable[[Step], None], listener: Listener) -> Callable[[Candidate], None]:
    def tried(candidate: Candidate) -> None:
        tell(_step(candidate))
        listener.tried(candidate)

    return tried


def _step(candidate: Candidate) -> Step:
    params = ", ".join(f"{name}={value}" for name, value in candidate.params.items()) or "as it comes"
    text = f"candidate {candidate.number} of {candidate.of}: {candidate.score:.5f} ({params})"
    return Step(text, candidate.number, candidate.of)
