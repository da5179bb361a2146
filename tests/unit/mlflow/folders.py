"""Model folders as MLflow 3.17 writes them, and packages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from sklearn.linear_model import LogisticRegression

from stream.store import Package, PackRequest, SigningKey, pack

X = pd.DataFrame({"b": np.linspace(0, 1, 40), "a": np.linspace(1, -1, 40) ** 2})
Y = (X["a"] > 0.3).astype(int)

SIGNATURE = [
    {"type": "double", "name": "b", "required": True},
    {"type": "double", "name": "a", "required": True},
]


def logistic() -> LogisticRegression:
    """Fitted with names."""
    return LogisticRegression().fit(X, Y)


def packed(out: Path, signer: SigningKey | None = None) -> Package:
    """A package of it that carries a text."""
    sample = X.assign(id=[f"row {i}" for i in range(len(X))])
    return pack(logistic(), PackRequest("m", out, carry=("id",), signer=signer), sample=sample).package


def write_folder(
    folder: Path,
    flavors: dict[str, Any],
    files: dict[str, bytes],
    *,
    example: bool = True,
    pyfunc: dict[str, Any] | None = None,
    **keys: Any,
) -> Path:
    """A folder with its head: flavours, a signature and, if so, an input example."""
    folder.mkdir()
    head: dict[str, Any] = {
        "flavors": {**flavors, "python_function": pyfunc or {"loader_module": "mlflow.sklearn"}},
        "signature": {"inputs": json.dumps(SIGNATURE), "outputs": None, "params": None},
        **keys,
    }
    if example:
        head["saved_input_example_info"] = {
            "artifact_path": "input_example.json", "pandas_orient": "split", "type": "dataframe",
        }  # fmt: skip
        rows = {"columns": ["b", "a"], "data": [[0, 1], [1, 2.5]]}
        (folder / "input_example.json").write_text(json.dumps(rows))
    (folder / "MLmodel").write_text(yaml.safe_dump(head))
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder
