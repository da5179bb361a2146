"""The estimator's columns ↔ the schema's fields: by name, one array field, one text, or the numeric fields in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from stream.codec import RecordSchema
from stream.errors import SchemaError
from stream.manifest import Feature, Inputs
from stream.scoring import KnownColumns
from stream.store.field_finder import ARRAY_AMONG_OTHERS, FieldFinder, feature_of, listed, mapping_refused
from stream.types import List

__all__ = ["FeatureMapping", "Wish", "map_features"]


@dataclass(frozen=True, slots=True)
class Wish:
    """
    What the owner says of the columns.

    Attributes:
        vector: the array field that holds all columns; None for fields of their own.
        columns: the model's columns in its order, by original or Avro names; empty for what the model says.
        carry: paths of carried fields: they are columns of an array model, or its text, only where the number
            fits so.
        source: where the columns are said, for messages.
    """

    vector: str | None = None
    columns: tuple[str, ...] = ()
    carry: tuple[str, ...] = ()
    source: str = "--columns"


@dataclass(frozen=True, slots=True)
class FeatureMapping:
    """
    Where an estimator's input comes from.

    Attributes:
        inputs: its shape.
        features: its columns in its order; the one array field for `vector`, the one text for `series`.
        width: number of columns.
        instead: other shapes of the same columns, for an estimator that raises on every row of the first.
        doubtful: the names stand behind a step that may have changed columns: to be proven.
        message: a sentence where the names alone don't say it; empty if they do.
    """

    inputs: Inputs
    features: tuple[Feature, ...]
    width: int
    instead: tuple[Inputs, ...] = ()
    doubtful: bool = False
    message: str = ""


def map_features(estimator: object, known: KnownColumns, schema: RecordSchema, wish: Wish) -> FeatureMapping:
    """
    Find the estimator's columns in a schema.

    Args:
        estimator: fitted; looked at for what its missing texts were.
        known: what it says of its columns.
        schema: the events'.
        wish: what its owner says.
    Returns: the mapping.
    Raises: PackageError naming each column that isn't found, with the nearest names there are, or what the owner
        must say.
    """
    if known.taken == "dicts":
        raise mapping_refused(
            "the estimator was fitted on dicts (DictVectorizer or FeatureHasher is its first step), not on columns",
            "fit it on a DataFrame, with a OneHotEncoder for the texts in a ColumnTransformer",
        )
    if type(estimator).__module__.startswith("xgboost.") and type(estimator).__name__ == "Booster":
        raise mapping_refused(
            "the estimator is XGBoost's Booster, which takes no table but a DMatrix",
            'save it with `booster.save_model("m.json")`, and pack the class that loads it: '
            '`model = xgboost.XGBClassifier(); model.load_model("m.json")` (or XGBRegressor)',
        )
    if wish.vector is not None:
        return _vector(known, schema, wish)
    if known.others is not None:
        raise mapping_refused(
            f"parts of the estimator were fitted on other columns than the whole: {listed(known.names)} and "
            f"{listed(known.others)}",
            "fit all of it on one DataFrame",
        )
    finder = FieldFinder(estimator, known, schema)
    if wish.columns:
        return _as_told(finder, known, wish)
    if known.names is not None:
        return _frame(finder, known.names)
    if known.taken == "texts":
        return _one_text(finder, known, wish)
    if known.made_up is not None and finder.has(known.made_up):
        return _frame(finder, known.made_up)
    if known.inner is not None and finder.has(known.inner):
        return replace(_frame(finder, known.inner), doubtful=True)
    if known.reads_texts and known.width in (None, 1):
        return _one_text(finder, known, wish)
    return _by_position(finder, known, wish)


def _frame(finder: FieldFinder, names: Sequence[str]) -> FeatureMapping:
    """A DataFrame with the columns that the estimator was fitted on."""
    features = finder.features(names, "that the estimator was fitted on")
    return FeatureMapping("frame", features, len(features))


def _as_told(finder: FieldFinder, known: KnownColumns, wish: Wish) -> FeatureMapping:
    """The columns that the owner names, unless the model knows better."""
    told = wish.columns
    if twice := sorted(name for name, times in Counter(told).items() if times > 1):
        raise mapping_refused(
            f"{wish.source} names {', '.join(twice)} more than once", "name each column once"
        )
    if known.names is not None:
        if finder.paths(known.names) == finder.paths(told):
            return _frame(finder, known.names)
        raise mapping_refused(
            f"--columns says {listed(told)}, but the estimator was fitted on {listed(known.names)}",
            "leave out --columns: the estimator's own names and order hold; a field that is called otherwise "
            "gives the estimator's name in its `feature` property",
        )
    if known.width is not None and known.width != len(told) and not known.reads_texts:
        raise mapping_refused(
            f"{wish.source} names {len(told)} columns, the estimator takes {known.width}",
            "name them all, in the order in which the estimator was fitted",
        )
    features = finder.features(told, f"of {wish.source}")
    if len({feature.path for feature in features}) < len(features):
        raise mapping_refused(f"{wish.source} names a field twice", "name each column once")
    shapes = _shapes(known, features)
    if "series" in shapes:
        features = tuple(replace(feature, null="NaN") for feature in features)
    return FeatureMapping(
        shapes[0], features, len(features), shapes[1:], message=_order(features, wish.source)
    )


def _shapes(known: KnownColumns, features: Sequence[Feature]) -> tuple[Inputs, ...]:
    """What an estimator may be given these columns as, the likelier first."""
    text = len(features) == 1 and features[0].kind == "text"
    numbers = all(feature.kind == "number" for feature in features)
    if known.taken == "texts":
        if not text:
            raise mapping_refused(
                f"--columns {','.join(feature.name for feature in features)}: the estimator reads one column of "
                "texts",
                "name the field of type string that holds them",
            )
        return ("series",)
    if text:
        return ("series", "frame") if known.reads_texts else ("frame", "series")
    if known.taken == "array" and numbers:
        return ("matrix",)
    return ("frame", "matrix") if numbers else ("frame",)


def _one_text(finder: FieldFinder, known: KnownColumns, wish: Wish) -> FeatureMapping:
    """The schema's only text, for a model that was fitted on a Series of them."""
    texts = [leaf for leaf in finder.leaves if leaf.type.model == "text"]
    for some in ([leaf for leaf in texts if leaf.path not in wish.carry], texts):
        if len(some) == 1:
            feature = replace(feature_of(some[0].feature or some[0].path, some[0]), null="NaN")
            shapes = _shapes(known, [feature])
            message = f"the model reads the text {feature.path}"
            return FeatureMapping(shapes[0], (feature,), 1, shapes[1:], message=message)
    found = ", ".join(leaf.path for leaf in texts) or "none"
    raise mapping_refused(
        f"the estimator reads one column of texts; the schema {finder.schema.name} has {len(texts)}: {found}",
        f"say which with --columns {texts[0].path}" if texts else "give a schema or sample with that text",
    )


def _by_position(finder: FieldFinder, known: KnownColumns, wish: Wish) -> FeatureMapping:
    """The numeric fields in order; booleans or carried fields count where the number of columns says so."""
    strict = [leaf for leaf in finder.leaves if leaf.type.numeric]
    wide = [leaf for leaf in finder.leaves if leaf.type.model == "number"]
    choices = [
        *([leaf for leaf in some if leaf.path not in wish.carry] for some in (strict, wide)),
        strict,
        wide,
    ]
    for chosen in choices:
        if known.width is not None and len(chosen) == known.width:
            features = tuple(feature_of(leaf.feature or leaf.path, leaf) for leaf in chosen)
            shapes = _shapes(known, features)
            message = _order(features, "the estimator keeps no names; by position")
            return FeatureMapping(shapes[0], features, len(features), shapes[1:], message=message)
    lacking = (
        "says neither the names nor the number of its columns"
        if known.width is None
        else f"takes {known.width} columns without names"
    )
    raise mapping_refused(
        f"the estimator {lacking}; the schema {finder.schema.name} has {len(strict)} numeric fields: "
        f"{listed([leaf.path for leaf in strict])}",
        "name them with --columns A,B,C in the order in which it was fitted, or an array field with --vector",
    )


def _vector(known: KnownColumns, schema: RecordSchema, wish: Wish) -> FeatureMapping:
    vector = wish.vector or ""
    if wish.columns:
        raise mapping_refused(
            "--vector and --columns exclude each other: an array field holds all columns",
            "give one of them",
        )
    try:
        leaf = schema.leaf(vector)
    except SchemaError as error:
        raise mapping_refused(f"--vector: {error.message}", error.hint) from error
    if not (isinstance(leaf.type, List) and leaf.type.item.numeric):
        raise mapping_refused(
            f"--vector {vector}: expected an array of numbers, found {leaf.avro}",
            "name a field of type array<double>",
        )
    if known.width is None:
        raise mapping_refused(
            f"--vector {vector}: the estimator doesn't say how many columns it takes",
            "give it the attribute n_features_in_",
        )
    if known.names is not None and len(known.names) > 1 and {leaf.feature, leaf.path} & {*known.names}:
        raise mapping_refused(
            f"--vector {vector}: the estimator takes that column beside others: {listed(known.names)}",
            ARRAY_AMONG_OTHERS,
        )
    feature = Feature(leaf.path, leaf.path, leaf.type.full_name, "number", leaf.nullable)
    return FeatureMapping("vector", (feature,), known.width)


def _order(features: Sequence[Feature], why: str) -> str:
    """Which field is which column."""
    return f"columns of the model ({why}): {listed([f'{i} {f.path}' for i, f in enumerate(features, 1)])}"
