"""The models to race with: the demo's own, and one that is packed when it is first asked for."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

__all__ = ["MODELS", "package"]

ROOT = Path(__file__).parents[1]

MODELS = {"hgb": "histogram gradient boosting", "lr": "one-hot and logistic regression, on pandas"}
"""The pipelines' names."""

_RECIPE = ROOT / "benchmarks" / "models" / "flights_lr.py"


def package(model: str) -> Path:
    """
    The folder of a model's package.

    Args:
        model: one of `MODELS`.
    Returns: its path. Trains the logistic regression (some seconds) when recipe, schema or scikit-learn changed.
    Raises: CalledProcessError when the training fails.
    """
    if model == "hgb":
        return ROOT / "models" / "flights"
    inputs = [_RECIPE.read_bytes(), (ROOT / "schemas" / "flight.avsc").read_bytes()]
    inputs.append(version("scikit-learn").encode())
    folder = ROOT / ".cache" / "bench" / f"flights_lr-{hashlib.sha256(b''.join(inputs)).hexdigest()[:12]}"
    if not (folder / "current").is_file():
        command = [sys.executable, "-m", "stream", "train", str(_RECIPE), "--out", str(folder), "--no-card"]
        subprocess.run(command, cwd=ROOT, check=True, stdout=sys.stderr)
    return folder
