"""What a model package says of itself: frozen types, standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

__all__ = [
    "AnswerType", "Category", "Compilation", "Entry", "Feature", "FeatureKind", "Inputs", "Label", "Manifest",
    "NullText", "Proof", "Registered", "ScoreMethod", "Task", "Unknown",
]  # fmt: skip

Task: TypeAlias = Literal[
    "classifier", "regressor", "outlier", "clusterer", "multi-classifier", "multi-regressor", "other"
]
"""What kind of answer the estimator gives; `other`: labels from an object with `predict` only."""

AnswerType: TypeAlias = Literal["int", "long", "string", "boolean", "double"]
"""The Avro type of `label` or `value` (of their items for multi-output)."""

FeatureKind: TypeAlias = Literal["number", "text", "datetime", "category"]
"""
How a field reaches the model: float64 (booleans too; null = NaN), object, datetime64[us], or pandas' category; a
feature's `dtype` says otherwise.
"""

Inputs: TypeAlias = Literal["frame", "matrix", "vector", "series"]
"""A DataFrame with names, a float64 matrix of the fields in order, one array field of numbers, or a Series of texts."""

NullText: TypeAlias = Literal["None", "NaN"]
"""What a missing text is to the estimator."""

ScoreMethod: TypeAlias = Literal["predict_proba", "decision_function"]
"""The estimator's method that gives the scores."""

Label: TypeAlias = int | str | bool
"""A class label."""

Category: TypeAlias = int | float | str | bool
"""A category of a column."""

Unknown: TypeAlias = Literal["missing", "kept", "refused"]
"""What the model is given for a value that is not among the categories: a missing one, the value itself, or nothing."""


@dataclass(frozen=True, slots=True)
class Feature:
    """
    One column of the model's input.

    Attributes:
        name: the column's name as the estimator knows it.
        path: the Avro field, dotted for nested records.
        avro: the Avro type without null: `double`, `string`, `enum`, `date`, `timestamp-millis` …
        kind: how it reaches the model.
        nullable: whether null is allowed (it becomes NaN, None or NaT).
        null: what a null text or object becomes: None, or NaN where the estimator was fitted on those with NaN.
        dtype: pandas' type of the column where it is not the kind's own, for a model that can tell: `int64`, `bool`,
            `float32`, `object`, `str`, `datetime64[ns, Europe/Paris]` …; of a category, the type of its categories.
        categories: of a category, all that the model was fitted on, in its order.
        ordered: whether their order means something.
        unknown: what becomes of a value that is not among them.
    """

    name: str
    path: str
    avro: str
    kind: FeatureKind
    nullable: bool
    null: NullText = "None"
    dtype: str = ""
    categories: tuple[Category, ...] | None = None
    ordered: bool = False
    unknown: Unknown = "kept"


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the package: hexadecimal SHA-256 and size in bytes."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Proof:
    """
    What came of comparing the estimator's own answers with what is published.

    Attributes:
        rows: that were compared; 0 without a sample, or where the estimator could not be asked.
        different: of them, those whose answers differ.
        allowed: whether the model was to be packed with such rows (`--allow-difference`).
    """

    rows: int
    different: int = 0
    allowed: bool = False

    def __str__(self) -> str:
        if not self.rows:
            return "nothing was compared with the estimator's own answers"
        if not self.different:
            return f"{self.rows} rows: what is published is what the estimator itself answers"
        return f"{self.different} of {self.rows} rows: published answers differ from the estimator's own (allowed)"


@dataclass(frozen=True, slots=True)
class Compilation:
    """
    What came of compiling the model for few rows at a time.

    Attributes:
        rows: on which the graph was seen to answer as the estimator; 0 where there is no graph.
        difference: the largest between two numbers, as a part of max(1, |number|).
        reason: why there is no graph; empty where there is one.
    """

    rows: int = 0
    difference: float = 0.0
    reason: str = ""

    def __str__(self) -> str:
        if self.reason:
            return f"no compiled graph: {self.reason}"
        return f"compiled graph, equal on {self.rows} rows (at most {self.difference:.0e} apart)"


@dataclass(frozen=True, slots=True)
class Registered:
    """
    What a registry of models calls a version, where the package is a local copy of one.

    Attributes:
        name: of the registered model.
        version: its number there.
        uri: by which the registry knows it.
        run_id: of the run that logged it; empty where none did.
        packed: `name@version`, as the version was packed.
    """

    name: str
    version: int
    uri: str
    run_id: str = ""
    packed: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """
    `manifest.json` of one version.

    Attributes:
        name: the model's name; where it is a copy from a registry, what that calls it.
        version: 1, 2, …; likewise.
        created: RFC 3339 time of packing, UTC.
        task: the kind of answer.
        inputs: the shape of what the estimator takes.
        features: its columns, in its order; for `vector`, the one array field.
        width: number of columns of the matrix (`n_features_in_`).
        classes: labels in the estimator's order; None where there are none.
        answer: the Avro type of `label` or `value`.
        label: where the label comes from: a `predict` call of its own, or the largest score (the same,
            as was checked when packed, and one call cheaper).
        score: where `score` comes from; None for no score.
        carry: event fields copied into the prediction.
        probabilities: whether `probabilities` is published.
        tolerance: |difference| ≤ tolerance · max(1, |value|) counts as equal.
        libraries: versions at pack time, by distribution name.
        fitted: versions that fitted the estimator, by distribution name, where they are known to be others.
        metrics: training metrics, free form, JSON numbers and texts.
        proof: what came of comparing answers when packed; None where an older release packed it.
        compiled: what came of compiling it when packed; None where an older release packed it.
        files: every other file of the version.
        registered: what a registry calls the version; not of the file. None where it is no copy from one.
    """

    name: str
    version: int
    created: str
    task: Task
    inputs: Inputs
    features: tuple[Feature, ...]
    width: int
    classes: tuple[Label, ...] | None = None
    answer: AnswerType = "double"
    label: Literal["predict", "score"] = "predict"
    score: ScoreMethod | None = None
    carry: tuple[str, ...] = ()
    probabilities: bool = False
    tolerance: float = 1e-9
    libraries: Mapping[str, str] = field(default_factory=dict)
    fitted: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float | int | str] = field(default_factory=dict)
    proof: Proof | None = None
    compiled: Compilation | None = None
    files: Mapping[str, Entry] = field(default_factory=dict)
    registered: Registered | None = None

    @property
    def size_bytes(self) -> int:
        """Of all its files."""
        return sum(entry.size_bytes for entry in self.files.values())

    @property
    def model(self) -> str:
        """`name@version`, as each prediction carries it."""
        return f"{self.name}@{self.version}"

    @property
    def packed_version(self) -> int:
        """The number that it was packed with, by which its folder is called; a registry may call it by another."""
        if self.registered is None:
            return self.version
        return int(self.registered.packed.rpartition("@")[2])

    @property
    def score_meaning(self) -> str | None:
        """What `score` is, as a phrase; None where there is none."""
        if self.score is None:
            return None
        if self.task == "outlier":
            return "decision_function: the lower, the more unusual; negative for an outlier"
        classes = self.classes or ()
        whose = repr(classes[1]) if len(classes) == 2 else "the row's own label"
        if self.score == "predict_proba":
            return f"the probability of {whose}"
        return f"decision_function of {whose}, not a probability"

    @property
    def is_array(self) -> bool:
        """Whether the estimator takes an array of numbers, not a table or a text."""
        return self.inputs in ("matrix", "vector")

    @property
    def needed(self) -> tuple[str, ...]:
        """The event's fields that the model needs, dotted: its features and what it carries, each once."""
        return tuple(dict.fromkeys([*(feature.path for feature in self.features), *self.carry]))
