"""
Ways to a model's answers beside the DataFrame, which is the reference, and the trial that each must pass.

A way is faster for some batches, and gives no answer where it is not certain. On the first batch that it answers, the
DataFrame is asked as well; a way whose answers differ is never asked again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from stream.manifest import Manifest
from stream.scoring.answers import Answers, to_arrow

__all__ = ["Trial", "Way", "same_answer"]

_EQUAL = 1e-12
"""Two ways do the same sums: what differs by more than rounding is another answer."""


class Way(Protocol):
    """How a model can be asked."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def light(self) -> bool:
        """Whether it needs neither scikit-learn's settings nor a limit of threads, and its answers are all finite."""

    @property
    def quick_rows(self) -> int:
        """It answers so many within a millisecond or two, and never asks the estimator; 0 where nobody knows."""

    def applies(self, n: int) -> bool:
        """Whether it is worth asking for n rows."""

    def read(self, columns: Mapping[str, pa.Array]) -> Answers | None:
        """
        Ask for n ≥ 1 rows.

        Args:
            columns: an array per feature's path.
        Returns: one array per answer field, each of n rows; None where the DataFrame is to be asked, such as for a
            batch with a row that raises, which has to be found.
        """


@dataclass(slots=True, eq=False)
class Trial:
    """
    A way, and whether it is believed.

    Attributes:
        way: to the answers.
        manifest: of the model.
        passed: whether its answers were those of the DataFrame once.
    """

    way: Way
    manifest: Manifest
    passed: bool = False

    def judge(self, answers: Answers, expected: Mapping[str, pa.Array]) -> bool:
        """
        End the trial.

        Args:
            answers: of n ≥ 1 rows, by this way.
            expected: what the DataFrame gave for the same rows.
        Returns: whether they are the same; if not, the way must be forgotten.
        """
        found = to_arrow(answers, self.manifest)
        self.passed = all(
            same_answer(found[name].to_pylist(), column.to_pylist(), _EQUAL, _EQUAL)
            for name, column in expected.items()
        )
        return self.passed


def same_answer(one: object, other: object, relative: float, absolute: float) -> bool:
    """
    Compare answers: texts, labels and nulls must be equal, floats close.

    Args:
        one: a value as `to_pylist` gives it, or a list or dict of such.
        other: likewise.
        relative: largest difference of two floats, as a share of the larger one.
        absolute: the same as a number; the larger of the two limits counts.
    Returns: whether they are the same.
    """
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(
            same_answer(one[key], other[key], relative, absolute) for key in one
        )
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(
            same_answer(a, b, relative, absolute) for a, b in zip(one, other, strict=True)
        )
    if isinstance(one, int | float) and isinstance(other, int | float) and float in (type(one), type(other)):
        return math.isclose(one, other, rel_tol=relative, abs_tol=absolute)
    return one == other
