"""The estimator's columns ↔ the schema's fields: by name, one array field, one text, or the numeric fields in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from stream.codec import Leaf, RecordSchema
from stream.errors import PackageError, SchemaError
from stream.manifest import Feature, FeatureKind, Inputs
from stream.nearest import nearest
from stream.scoring import KnownColumns, missing_texts
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
    """

    vector: str | None = None
    columns: tuple[str, ...] = ()
    carry: tuple[str, ...] = ()


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
        raise _refused(
            "the estimator was fitted on dicts (DictVectorizer or FeatureHasher is its first step), not on columns",
            "fit it on a DataFrame, with a OneHotEncoder for the texts in a ColumnTransformer",
        )
    if type(estimator).__module__.startswith("xgboost.") and type(estimator).__name__ == "Booster":
        raise _refused(
            "the estimator is XGBoost's Booster, which takes no table but a DMatrix",
            'save it with `booster.save_model("m.json")`, and pack the class that loads it: '
            '`model = xgboost.XGBClassifier(); model.load_model("m.json")` (or XGBRegressor)',
        )
    if wish.vector is not None:
        return _vector(known, schema, wish)
    if known.others is not None:
        raise _refused(
            f"parts of the estimator were fitted on other columns than the whole: {_listed(known.names)} and "
            f"{_listed(known.others)}",
            "fit all of it on one DataFrame",
        )
    finder = _Finder(estimator, known, schema)
    if wish.columns:
        return _as_told(finder, known, wish)
    if known.names is not None:
        return finder.frame(known.names)
    if known.taken == "texts":
        return _one_text(finder, known, wish)
    if known.made_up is not None and finder.has(known.made_up):
        return finder.frame(known.made_up)
    if known.inner is not None and finder.has(known.inner):
        return replace(finder.frame(known.inner), doubtful=True)
    if known.reads_texts and known.width in (None, 1):
        return _one_text(finder, known, wish)
    return _by_position(finder, known, wish)


_CONSTANT = (
    "statsmodels' add_constant made it: put a column `const` of 1.0 into the sample, or a field `const` of type double "
    "with the default 1.0 into the schema; or fit by a formula (`smf.ols`), which adds it by itself"
)
"""What to do where only the constant of a design matrix is lacking."""


class _Finder:
    """
    Finds columns in a schema.

    Args:
        estimator: fitted.
        known: what it says of its columns.
        schema: the events'.
    """

    def __init__(self, estimator: object, known: KnownColumns, schema: RecordSchema) -> None:
        self._estimator = estimator
        self._known = known
        self.schema = schema
        self.leaves = schema.leaves()
        self._by_name = {leaf.path: leaf for leaf in self.leaves}
        self._by_name |= {leaf.feature: leaf for leaf in self.leaves if leaf.feature}
        if known.mangled:
            self._by_name = {n.replace(" ", "_"): leaf for n, leaf in self._by_name.items()} | self._by_name

    def has(self, names: Sequence[str]) -> bool:
        """Whether there is a field for each."""
        return all(name in self._by_name for name in names)

    def paths(self, names: Sequence[str]) -> list[str]:
        """The field of each; the name itself where there is none."""
        return [self._by_name[name].path if name in self._by_name else name for name in names]

    def frame(self, names: Sequence[str]) -> FeatureMapping:
        """A DataFrame with these columns."""
        features = self.features(names, "that the estimator was fitted on")
        return FeatureMapping("frame", features, len(features))

    def _original(self, name: str) -> str:
        """The name that the column has in the owner's table, where the model doesn't say it."""
        leaf = self._by_name[name]
        return name if self._known.names is not None and not self._known.mangled else leaf.feature or name

    def features(self, names: Sequence[str], what: str) -> tuple[Feature, ...]:
        """A feature for each name. Raises: PackageError with those that there is no field for."""
        if missing := [name for name in names if name not in self._by_name]:
            lines = [f"{name!r}{_nearest(name, list(self._by_name))}" for name in missing]
            raise _refused(
                f"the schema {self.schema.name} lacks {len(missing)} of the {len(names)} columns {what}: "
                f"{'; '.join(lines)}",
                _CONSTANT
                if missing == ["const"]
                else "add the fields, or give a field's original name in its `feature` property",
            )
        nulls = missing_texts(self._estimator, names)
        found = [_feature(self._original(name), self._by_name[name]) for name in names]
        return tuple(
            replace(feature, null=nulls.get(feature.name, "None")) if feature.kind == "text" else feature
            for feature in found
        )


def _as_told(finder: _Finder, known: KnownColumns, wish: Wish) -> FeatureMapping:
    """The columns that the owner names, unless the model knows better."""
    told = wish.columns
    if twice := sorted({name for name in told if told.count(name) > 1}):
        raise _refused(f"--columns: {', '.join(twice)} is there twice", "name each column once")
    if known.names is not None:
        if finder.paths(known.names) == finder.paths(told):
            return finder.frame(known.names)
        raise _refused(
            f"--columns says {_listed(told)}, but the estimator was fitted on {_listed(known.names)}",
            "leave out --columns: the estimator's own names and order hold; a field that is called otherwise "
            "gives the estimator's name in its `feature` property",
        )
    if known.width is not None and known.width != len(told) and not known.reads_texts:
        raise _refused(
            f"--columns names {len(told)} columns, the estimator takes {known.width}",
            "name them all, in the order in which the estimator was fitted",
        )
    features = finder.features(told, "of --columns")
    if len({feature.path for feature in features}) < len(features):
        raise _refused("--columns names a field twice", "name each column once")
    shapes = _shapes(known, features)
    if "series" in shapes:
        features = tuple(replace(feature, null="NaN") for feature in features)
    return FeatureMapping(
        shapes[0], features, len(features), shapes[1:], message=_order(features, "--columns")
    )


def _shapes(known: KnownColumns, features: Sequence[Feature]) -> tuple[Inputs, ...]:
    """What an estimator may be given these columns as, the likelier first."""
    text = len(features) == 1 and features[0].kind == "text"
    numbers = all(feature.kind == "number" for feature in features)
    if known.taken == "texts":
        if not text:
            raise _refused(
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


def _one_text(finder: _Finder, known: KnownColumns, wish: Wish) -> FeatureMapping:
    """The schema's only text, for a model that was fitted on a Series of them."""
    texts = [leaf for leaf in finder.leaves if leaf.type.model == "text"]
    for some in ([leaf for leaf in texts if leaf.path not in wish.carry], texts):
        if len(some) == 1:
            feature = replace(_feature(some[0].feature or some[0].path, some[0]), null="NaN")
            shapes = _shapes(known, [feature])
            message = f"the model reads the text {feature.path}"
            return FeatureMapping(shapes[0], (feature,), 1, shapes[1:], message=message)
    found = ", ".join(leaf.path for leaf in texts) or "none"
    raise _refused(
        f"the estimator reads one column of texts; the schema {finder.schema.name} has {len(texts)}: {found}",
        f"say which with --columns {texts[0].path}" if texts else "give a schema or sample with that text",
    )


def _by_position(finder: _Finder, known: KnownColumns, wish: Wish) -> FeatureMapping:
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
            features = tuple(_feature(leaf.feature or leaf.path, leaf) for leaf in chosen)
            shapes = _shapes(known, features)
            message = _order(features, "the estimator keeps no names; by position")
            return FeatureMapping(shapes[0], features, len(features), shapes[1:], message=message)
    listed = (
        f"{finder.schema.name} has {len(strict)} numeric fields: {_listed([leaf.path for leaf in strict])}"
    )
    if known.width is None:
        raise _refused(
            f"the estimator says neither the names nor the number of its columns; the schema {listed}",
            "name them with --columns A,B,C in the order in which it was fitted, or an array field with --vector",
        )
    raise _refused(
        f"the estimator takes {known.width} columns without names; the schema {listed}",
        "name them with --columns A,B,C in the order in which it was fitted, or an array field with --vector",
    )


def _vector(known: KnownColumns, schema: RecordSchema, wish: Wish) -> FeatureMapping:
    vector = wish.vector or ""
    if wish.columns:
        raise _refused(
            "--vector and --columns exclude each other: an array field holds all columns",
            "give one of them",
        )
    try:
        leaf = schema.leaf(vector)
    except SchemaError as error:
        raise _refused(f"--vector: {error.message}", error.hint) from error
    if not (isinstance(leaf.type, List) and leaf.type.item.numeric):
        raise _refused(
            f"--vector {vector}: expected an array of numbers, found {leaf.avro}",
            "name a field of type array<double>",
        )
    if known.width is None:
        raise _refused(
            f"--vector {vector}: the estimator doesn't say how many columns it takes",
            "give it the attribute n_features_in_",
        )
    feature = Feature(leaf.path, leaf.path, leaf.type.full_name, "number", leaf.nullable)
    return FeatureMapping("vector", (feature,), known.width)


def _feature(name: str, leaf: Leaf) -> Feature:
    return Feature(name, leaf.path, leaf.type.full_name, _kind(leaf), leaf.nullable)


def _kind(leaf: Leaf) -> FeatureKind:
    kind = leaf.type.model
    if kind is not None:
        return kind
    hint = "name the field with --vector if it holds all columns" if isinstance(leaf.type, List) else ""
    raise _refused(
        f"field {leaf.path!r}: a model can't take the Avro type {leaf.avro}",
        hint or "use a number, boolean, string, enum, date or timestamp (millis or micros)",
    )


def _nearest(name: str, known: list[str]) -> str:
    near = nearest(name, known, most=2)
    return f" (nearest: {', '.join(map(repr, near))})" if near else ""


_SHOWN = 20
"""Names in a message; a model of thousands of columns would fill the screen."""


def _listed(names: Sequence[str] | None) -> str:
    shown = ", ".join((names or ())[:_SHOWN]) or "none"
    return shown + (f", … ({len(names)} in all)" if names and len(names) > _SHOWN else "")


def _order(features: Sequence[Feature], why: str) -> str:
    """Which field is which column."""
    return f"columns of the model ({why}): {_listed([f'{i} {f.path}' for i, f in enumerate(features, 1)])}"


def _refused(message: str, hint: str) -> PackageError:
    return PackageError(message, step="manifest", hint=hint)
