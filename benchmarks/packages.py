"""The models to race with: the demo's own, and some that are packed when they are first asked for."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

__all__ = ["BOTH", "MODELS", "package"]

ROOT = Path(__file__).parents[1]

MODELS = {
    "hgb": "histogram gradient boosting",
    "lr": "one-hot and logistic regression, on pandas",
    "forest": "random forest",
    "boosting": "gradient boosting",
    "lightgbm": "LightGBM",
    "xgboost": "XGBoost",
    "catboost": "CatBoost",
    "mlp": "one-hot and a neural network",
}
"""The pipelines' names, and what they are."""

BOTH = ("hgb", "lr")
"""The two that every benchmark measures."""

_LIBRARIES = {"lightgbm": "lightgbm", "xgboost": "xgboost-cpu", "catboost": "catboost"}
"""The distributions of models that are not scikit-learn's."""


def package(model: str) -> Path:
    """
    The folder of a model's package.

    Args:
        model: one of `MODELS`.
    Returns: its path. Trains the model (some seconds) when recipe, schema or library changed; `hgb` is the demo's.
    Raises: CalledProcessError when the training fails.
    """
    if model == "hgb":
        return ROOT / "models" / "flights"
    recipes = ROOT / "benchmarks" / "models"
    recipe = recipes / f"flights_{model}.py"
    files = (recipe, recipes / "flights_columns.py", ROOT / "schemas" / "flight.avsc")
    inputs = [file.read_bytes() for file in files]
    inputs += [version(name).encode() for name in ("scikit-learn", _LIBRARIES.get(model)) if name]
    folder = ROOT / ".cache" / "bench" / f"{recipe.stem}-{hashlib.sha256(b''.join(inputs)).hexdigest()[:12]}"
    if not (folder / "current").is_file():
        command = [sys.executable, "-m", "stream", "train", str(recipe), "--out", str(folder), "--no-card"]
        subprocess.run(command, cwd=ROOT, check=True, stdout=sys.stderr)
    return folder
