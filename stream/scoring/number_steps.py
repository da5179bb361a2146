"""
What scikit-learn's simplest transformers do to an array of numbers, without their look at it.

The sums are theirs, in their order, so not one bit differs; the look, at 2,000 rows, costs more than the sums.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["ArrayStep", "array_steps", "transformed"]

Floats: TypeAlias = npt.NDArray[np.float64]

ArrayStep: TypeAlias = Callable[[Floats], Floats]
"""Changes an array of shape (n, k) of its own, which may be written to, and returns it."""


def array_steps(steps: Sequence[Any]) -> tuple[ArrayStep, ...] | None:
    """
    Fitted transformers as functions.

    Args:
        steps: of scikit-learn's own classes.
    Returns: a function for each; None where one of them is not known here.
    """
    found = [_step(step) for step in steps]
    known = tuple(step for step in found if step is not None)
    return known if len(known) == len(found) else None


def transformed(x: Floats, steps: Sequence[ArrayStep]) -> Floats | None:
    """
    The array after all steps.

    Args:
        x: shape (n, k); it is written to.
        steps: as `array_steps` gives them.
    Returns: None where a value is infinite on the way: the transformers refuse that themselves.
    """
    for step in steps:
        if np.isinf(x).any():
            return None
        x = step(x)
    return x


def _step(step: Any) -> ArrayStep | None:
    match type(step).__name__:
        case "SimpleImputer":
            return _imputer(step)
        case "StandardScaler":
            return _scaler(step.mean_ if step.with_mean else None, step.scale_ if step.with_std else None)
        case "RobustScaler":
            return _scaler(
                step.center_ if step.with_centering else None, step.scale_ if step.with_scaling else None
            )
    return None


def _imputer(step: Any) -> ArrayStep | None:
    """Only where every column had a value, nothing else is missing than NaN, and no column is added."""
    is_nan = isinstance(step.missing_values, float) and np.isnan(step.missing_values)
    # Fitted on float32, it fills in float32.
    if not is_nan or step.add_indicator or getattr(step, "_fill_dtype", None) != np.float64:
        return None
    fill = np.asarray(step.statistics_, np.float64)
    if np.isnan(fill).any():
        return None

    def filled(x: Floats) -> Floats:
        missing = np.isnan(x)
        if missing.any():
            np.copyto(x, fill, where=missing)
        return x

    return filled


def _scaler(shift: Any, scale: Any) -> ArrayStep | None:
    if any(part is not None and part.dtype != np.float64 for part in (shift, scale)):
        return None

    def scaled(x: Floats) -> Floats:
        if shift is not None:
            x -= shift
        if scale is not None:
            x /= scale
        return x

    return scaled
