"""Whether the short way into an estimator is there, and gives what the DataFrame gives."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import pyarrow as pa

from stream.manifest import Manifest
from stream.records import DeadLetter
from stream.scoring.answers import Answers, Reader, to_arrow
from stream.scoring.attempt import Raised, attempt
from stream.scoring.direct import Direct
from stream.scoring.estimator_input import Inputs

__all__ = ["Shortcut"]

_EQUAL = 1e-12
"""The two ways do the same sums: what differs by more than rounding is another answer."""


class Shortcut:
    """
    A `Direct` on trial: until it was seen to be right it is asked beside the DataFrame, and then instead of it.

    Args:
        way: into the estimator.
        inputs: of the model.
        manifest: of the model.
    """

    def __init__(self, way: Direct, inputs: Inputs, manifest: Manifest) -> None:
        self.on_trial = True
        self._way: Direct | None = way
        self._inputs = inputs
        self._manifest = manifest
        self._reader = Reader(way.rest, manifest)

    def read(self, columns: Mapping[str, pa.Array]) -> Answers | None:
        """
        Ask for n ≥ 1 rows.

        Args:
            columns: an array per feature's path.
        Returns: one array per answer field; None where the DataFrame is to be asked: a row that raises has to
            be found, a category is unknown to an encoder that refuses those, or the way was found wrong.
        """
        faults: dict[int, DeadLetter] = {}
        if self._way is None:
            return None
        numbers = self._inputs.numbers(columns, faults)
        if faults:
            return None
        matrix = attempt(partial(self._way.matrix, columns, numbers))
        if isinstance(matrix, Raised):
            return None
        answers = attempt(partial(self._reader.read, matrix))
        return None if isinstance(answers, Raised) else answers

    def judge(self, answers: Answers, expected: Mapping[str, pa.Array]) -> None:
        """
        End the trial.

        Args:
            answers: of n ≥ 1 rows, by this way.
            expected: what the DataFrame gave for the same rows. If they differ, this way is never asked again.
        """
        self.on_trial = False
        found = to_arrow(answers, self._manifest)
        if not all(_same(found[name], column) for name, column in expected.items()):
            self._way = None


def _same(one: pa.Array, other: pa.Array) -> bool:
    if pa.types.is_list(one.type):
        return bool(one.offsets.equals(other.offsets)) and _same(one.flatten(), other.flatten())
    if not pa.types.is_floating(one.type):
        return bool(one.equals(other))
    left, right = one.to_numpy(zero_copy_only=False), other.to_numpy(zero_copy_only=False)
    return len(left) == len(right) and bool(
        np.allclose(left, right, rtol=_EQUAL, atol=_EQUAL, equal_nan=True)
    )
