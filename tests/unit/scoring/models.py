"""Small manifests and models for the tests of scoring."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from stream.manifest import AnswerType, Feature, FeatureKind, Inputs, Manifest, Task


def feature(name: str, avro: str = "double", kind: FeatureKind = "number", **others: Any) -> Feature:
    """A nullable column whose field has its own name, unless said otherwise."""
    return Feature(name, others.pop("path", name), avro, kind, others.pop("nullable", True), **others)


def manifest(
    *features: Feature,
    inputs: Inputs = "frame",
    task: Task = "regressor",
    answer: AnswerType = "double",
    **others: Any,
) -> Manifest:
    """The contract of a model that takes these columns."""
    width = others.pop("width", len(features))
    return Manifest("m", 1, "2024-01-01T00:00:00Z", task, inputs, features, width, answer=answer, **others)


class Calls:
    """A model made of a function; it counts its calls and rows."""

    def __init__(self, answer: Callable[[Any], Any]) -> None:
        self.answer = answer
        self.calls = 0
        self.rows = 0
        self.seen: list[Any] = []

    def predict(self, x: Any, /) -> Any:
        """What the function says."""
        self.calls += 1
        self.rows += len(x)
        self.seen.append(x)
        return self.answer(x)


def raising_on(guilty: set[float]) -> Calls:
    """A model that answers its first column, and raises if one of these is in it."""

    def answer(x: np.ndarray) -> np.ndarray:
        bad = [value for value in x[:, 0] if value in guilty]
        if bad:
            raise ArithmeticError(f"can't stand {bad[0]:g}")
        return x[:, 0]

    return Calls(answer)
