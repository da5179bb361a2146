"""The rows of a recipe: what its own function returns, or a data file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from stream.codec import RecordSchema
from stream.errors import SampleError, SettingsError
from stream.files import (
    file_notes,
    infer_schema,
    legal_names,
    named_format,
    read_frame,
    read_sample,
    reading,
    sample_of,
    text_remarks,
)
from stream.training.recipe import Recipe
from stream.training.split import spread
from stream.types import AvroType

__all__ = ["fingerprint", "inferred_schema", "load_rows", "notes_of", "odd_texts", "read_table"]

_SCHEMA_ROWS = 50_000
"""Rows, spread over all, by which a schema is inferred."""


def load_rows(recipe: Recipe) -> pd.DataFrame:
    """
    Args:
        recipe: names their source.
    Returns: its rows, at least one, with every column that it names; the target in NumPy's own type, if it fits.
    Raises: SettingsError or SampleError naming the recipe or file; Refused when the recipe's code raises.
    """
    if recipe.data is not None and not recipe.data.exists():
        raise SettingsError(f"{recipe.path}: DATA: there is no {recipe.data}", hint="correct the path")
    if recipe.load is None:
        assert recipe.data is not None  # a recipe has one of the two
        frame: object = read_table(recipe.data, recipe.delimiter)
        place = str(recipe.data)
    else:
        frame = recipe.load() if recipe.data is None else recipe.load(recipe.data)
        place = f"{recipe.path}: load()"
    if not isinstance(frame, pd.DataFrame):
        raise SettingsError(f"{place} returned a {type(frame).__name__}", hint="return a pandas DataFrame")
    _check_columns(recipe, frame, place)
    _check_target(frame[recipe.target], place)
    # A target of 0.0, 1.0 and missing is one of classes 0 and 1: pandas' nullable types keep them whole.
    return frame.assign(**{recipe.target: frame[recipe.target].convert_dtypes()})


def _check_columns(recipe: Recipe, frame: pd.DataFrame, place: str) -> None:
    if frame.empty:
        raise SampleError(f"{place} gives no rows", hint="give rows to learn from")
    carried = _carried(recipe, frame)
    own = [recipe.split.column] if recipe.split.column is not None else []
    named = dict.fromkeys((recipe.target, *own, *recipe.features, *carried, *(recipe.by or ())))
    if missing := [name for name in named if name not in frame]:
        raise SettingsError(
            f"{place} gives no column {', '.join(map(repr, missing))}; it gives "
            f"{', '.join(map(str, frame.columns[:30]))}",
            hint="correct FEATURES, TARGET, TIME, GROUP, BY or CARRY, or load it",
        )
    if twice := [name for name in named if (frame.columns == name).sum() > 1]:
        raise SettingsError(f"{place} gives the column {twice[0]!r} twice", hint="rename one of them")


def _carried(recipe: Recipe, frame: pd.DataFrame) -> list[str]:
    """The column of each carried field, under its original or its Avro name; the name itself if there is none."""
    pairs: dict[str, str]
    if recipe.schema is None:
        pairs = legal_names([str(name) for name in frame.columns])
    else:
        leaves = RecordSchema(recipe.schema.read_text("utf-8")).leaves()
        pairs = {leaf.feature: leaf.path for leaf in leaves if leaf.feature}
    other = {path: name for name, path in pairs.items()} | pairs
    columns: list[str] = []
    for name in recipe.carry:
        choices = (name, other.get(name, name), name.partition(".")[0])
        columns.append(next((choice for choice in choices if choice in frame), name))
    return columns


def _check_target(target: pd.Series, place: str) -> None:
    """Refuse a target that no metric can be computed from."""
    if not target.notna().any():
        raise SampleError(f"{place}: no row has a {target.name}", hint="give rows whose outcome is known")
    kinds = sorted({type(value).__name__ for value in target.dropna()}) if target.dtype == object else []
    if len(kinds) > 1 and not {*kinds} <= {"int", "float"}:
        raise SampleError(
            f"{place}: {target.name} holds values of several types: {', '.join(kinds)}", hint="make them one"
        )
    if pd.api.types.is_float_dtype(target) and (count := int(np.isinf(target.dropna()).sum())):
        raise SampleError(
            f"{place}: {count} rows have an infinite {target.name}", hint="correct them, or leave them out"
        )


def read_table(path: Path, delimiter: str | None = None) -> pd.DataFrame:
    """
    Read a data file as a frame; its cells mean what they mean to `stream pack` and `stream produce`.

    Args:
        path: of a data file.
        delimiter: the character that separates a csv's cells; None to find it.
    Returns: its rows. An empty cell of a csv is missing; in a column of numbers, dates or true and false so are
        `NA` and the like, which are texts in a column of texts.
    Raises: SampleError naming the file and what is wrong.
    """
    if not named_format(path).text:
        return read_frame(path)
    inferred = infer_schema(read_sample(path, delimiter), path.stem)  # refuses what is not a table
    leaves = {leaf.feature or leaf.path: leaf for leaf in RecordSchema(inferred.text).leaves()}
    texts = read_frame(path, delimiter)
    with reading(path, OverflowError):
        return texts.assign(**{name: _typed(texts[name], leaf.type) for name, leaf in leaves.items()})


def notes_of(recipe: Recipe) -> list[str]:
    """What was found in the recipe's file, if it is read here."""
    if recipe.load is not None or recipe.data is None:
        return []
    return file_notes(recipe.data, recipe.delimiter)


def odd_texts(recipe: Recipe, frame: pd.DataFrame) -> list[str]:
    """
    What may be wrong with the texts of an estimator that failed on them.

    Args:
        recipe: its features.
        frame: the rows as they were loaded.
    Returns: a sentence for each column of texts that holds something else to whoever wrote it: numbers with a decimal
        comma, dates that aren't ISO 8601, `NA`.
    """
    texts = [name for name in recipe.features if pd.api.types.is_string_dtype(frame[name].dropna())]
    if not texts:
        return []
    sample = replace(sample_of(frame[texts].astype(object)), text=True)
    return [remark for name in texts for remark in text_remarks(sample, name, needed=False)]


def _typed(texts: pd.Series, kind: AvroType) -> pd.Series:
    """A column of texts in its own type; a cell beyond the sample that does not fit is an error that names it."""
    column, wrong = kind.from_column(pa.array(texts, pa.string(), from_pandas=True), text=True)
    for row, misfit in wrong.items():
        raise ValueError(f"column {texts.name!r}, row {row + 1}: {misfit}")
    return kind.pandas_series(column).set_axis(texts.index)


def inferred_schema(recipe: Recipe, frame: pd.DataFrame) -> tuple[str, tuple[str, ...]]:
    """
    The events' schema, where the recipe names none.

    Args:
        recipe: says which columns are in the event.
        frame: all rows: a column that has no value in one of them may be null.
    Returns: the schema as JSON, and a sentence for each choice.
    Raises: SampleError naming a column that fits no type.
    """
    names = list(dict.fromkeys((*_carried(recipe, frame), *recipe.features)))
    every = spread(len(frame), _SCHEMA_ROWS)
    gaps = [int(np.argmax(missing)) for name in names if (missing := frame[name].isna().to_numpy()).any()]
    rows = frame[names].iloc[np.unique([*every, *gaps])]
    inferred = infer_schema(sample_of(rows), recipe.name)
    return inferred.text, inferred.findings


def fingerprint(recipe: Recipe, frame: pd.DataFrame) -> str:
    """
    A hash of the rows, by which two trainings can be told apart.

    Args:
        recipe: says which columns count.
        frame: the rows.
    Returns: a sha256, hexadecimal, of the columns that are used: features, target, split, in their order.
    """
    own = [recipe.split.column] if recipe.split.column is not None else []
    names = list(dict.fromkeys((*recipe.features, recipe.target, *own)))
    digest = hashlib.sha256(json.dumps(names).encode())
    for name in names:
        column = frame[name]
        if column.dtype == object:
            column = column.map(repr)
        digest.update(pd.util.hash_pandas_object(column, index=False).to_numpy().tobytes())
    return digest.hexdigest()
