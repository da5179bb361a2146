"""`stream train` as a process."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
import pytest
from sklearn.datasets import load_wine

from stream.store import open_package

ROOT = Path(__file__).parents[2]

RECIPE = """
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

NAME = "wine"
FEATURES = ["alcohol", "hue", "proline"]
TARGET = "grower"
SPLIT = "random"
DATA = "nowhere.csv"


def estimator():
    return make_pipeline(StandardScaler(), LogisticRegression())
"""

SLOW = RECIPE.replace('DATA = "nowhere.csv"', "import time").replace(
    "def estimator", "def load():\n    print('loading', flush=True)\n    time.sleep(60)\n\n\ndef estimator"
)


def _start(folder: Path, *arguments: object, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "stream", "train", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background jobs, and all they start, are deaf to Ctrl-C: this one must hear it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads here
    )


def _run(folder: Path, *arguments: object, **environment: str) -> tuple[int | None, str, str]:
    process = _start(folder, *arguments, **environment)
    out, err = process.communicate(timeout=100)
    return process.returncode, out, err


def _result(out: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(out)
    return found


@pytest.mark.slow
def test_two_processes_make_the_same_model(tmp_path: Path) -> None:
    """Model bytes, metrics and card are the same under other hash seeds; only the time of packing differs."""
    shutil.copy(ROOT / "docs" / "examples" / "diabetes.py", tmp_path)
    models: list[bytes] = []
    cards: list[str] = []
    results: list[dict[str, Any]] = []
    for seed in ("1", "2"):
        code, out, err = _run(tmp_path, "diabetes.py", "--out", seed, PYTHONHASHSEED=seed)
        assert 0 == code, err
        version = tmp_path / seed / "versions" / "1"
        models.append((version / "model.joblib").read_bytes())
        cards.append(re.sub("<time>.*?</time>", "", (version / "card.html").read_text("utf-8")))
        results.append(_result(out)["metrics"])

    assert results[0] == results[1]
    assert models[0] == models[1]
    assert cards[0] == cards[1]


def _container(base: Path, recipe: str, **hyperparameters: str) -> dict[str, str]:
    (base / "input" / "config").mkdir(parents=True)
    for channel in ("training", "code"):
        (base / "input" / "data" / channel).mkdir(parents=True)
    rows: pd.DataFrame = load_wine(as_frame=True).frame
    rows.rename(columns={"target": "grower"}).to_csv(
        base / "input" / "data" / "training" / "wine.csv", index=False
    )
    (base / "input" / "data" / "code" / "train.py").write_text(recipe)
    values = {"recipe": "code/train.py", **hyperparameters}
    (base / "input" / "config" / "hyperparameters.json").write_text(json.dumps(values))
    return {"SAGEMAKER_BASE_DIR": str(base)}


@pytest.mark.slow
def test_sagemaker_s_train_leaves_a_package_that_opens(tmp_path: Path) -> None:
    """One word, as SageMaker says it: the channel's rows, the hyperparameters' values, a package in model/."""
    environment = _container(tmp_path, RECIPE, logisticregression__C="0.5", seed="3", card="false")
    code, out, err = _run(tmp_path, **environment)
    assert 0 == code, err

    package = open_package(tmp_path / "model")
    assert ("wine", (0, 1, 2), 3) == (
        package.manifest.name, package.manifest.classes, package.manifest.metrics["seed"],
    )  # fmt: skip
    assert {"logisticregression__C": 0.5} == _result(out)["params"]
    assert 0.5 == joblib.load(package.path / "model.joblib")[-1].C
    assert not (tmp_path / "output" / "failure").exists()


@pytest.mark.slow
def test_interrupt_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C in the middle: exit 130, one word, no traceback, no package."""
    (tmp_path / "slow.py").write_text(SLOW)
    process = _start(tmp_path, "slow.py", "--out", "p", "--no-card")
    assert process.stderr is not None  # where what a recipe prints goes
    assert "loading\n" == process.stderr.readline()
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=100)

    assert 130 == process.returncode
    assert "interrupted" == err.strip()
    assert time.monotonic() - began < 20
    assert not (tmp_path / "p").exists()
