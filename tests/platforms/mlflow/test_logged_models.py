"""Models that real MLflow has logged in its flavours, pulled: they answer as themselves, or are refused."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

import stream
from stream.errors import PackageError
from stream.mlflow import pull_model
from stream.store import Trust
from tests.platforms.mlflow.asking import said_by
from tests.platforms.mlflow.registering import settings_for
from tests.platforms.mlflow.server import MlflowServer

pytestmark = [pytest.mark.platform, pytest.mark.timeout(300)]

PROVEN = "what is published is what the estimator itself answers"
UNPROVEN = "nothing was compared with the estimator's own answers"

OPEN = {
    "skops": PROVEN,
    "signed": UNPROVEN,
    "example": PROVEN,
    "array": PROVEN,
    "lightgbm": PROVEN,
    "booster": PROVEN,
    "xgboost": PROVEN,
    "catboost": PROVEN,
}
"""Models in a format of their own, and what is said of their proof."""

PICKLES = ["pickled", "statsmodels"]


class Logged(NamedTuple):
    """
    Attributes:
        said: what each model answers to the rows itself.
        asked: the rows.
    """

    said: dict[str, list[float]]
    asked: pd.DataFrame

    def asked_of(self, name: str) -> pd.DataFrame | list[dict[str, list[float]]]:
        """A model without names of inputs takes one array."""
        return (
            self.asked if name != "array" else [{"features": row} for row in self.asked.to_numpy().tolist()]
        )


@pytest.fixture(scope="module")
def logged(mlflow_server: MlflowServer, tmp_path_factory: pytest.TempPathFactory) -> Logged:
    """All of them, registered as `logged-NAME`."""
    folder = tmp_path_factory.mktemp("logged")
    script = (Path(__file__).parent / "logged_models.py").read_text("utf-8")
    said = said_by(mlflow_server, script, folder)
    assert {*OPEN, *PICKLES, "bare"} == said.keys()
    return Logged(said, pd.read_parquet(folder / "asked.parquet"))


def pulled(server: MlflowServer, name: str, out: Path, *, trusted: bool = False) -> str:
    """Pull version 1 into a folder. Returns: what was said."""
    settings = settings_for(server.url, trusted=trusted)
    return "\n".join(pull_model(f"models:/logged-{name}/1", out, None, settings, Trust()).messages)


def held_to(logged: Logged, name: str, package: Path) -> None:
    """The package's answers, to the model's own."""
    answers = pd.DataFrame(stream.load(package).predict(logged.asked_of(name)))
    column = "label" if "label" in answers else "value"
    np.testing.assert_allclose(logged.said[name], answers[column].astype(float), rtol=1e-9)
    assert f"logged-{name}@1" == answers["model"].iloc[0]


@pytest.mark.parametrize("name", OPEN)
def test_model_without_code_answers_as_itself(
    mlflow_server: MlflowServer, logged: Logged, name: str, tmp_path: Path
) -> None:
    """With a signature, an input example or both; whether an answer was compared is said."""
    assert OPEN[name] in pulled(mlflow_server, name, tmp_path)
    held_to(logged, name, tmp_path)


@pytest.mark.parametrize("name", PICKLES)
def test_pickle_is_pulled_from_a_trusted_registry_only(
    mlflow_server: MlflowServer, logged: Logged, name: str, tmp_path: Path
) -> None:
    """From any other it is refused, and nothing is written."""
    with pytest.raises(PackageError, match=r"bare pickle(.|\n)*\[mlflow\] trusted = true"):
        pulled(mlflow_server, name, tmp_path)
    assert [] == list(tmp_path.iterdir())

    pulled(mlflow_server, name, tmp_path, trusted=True)
    held_to(logged, name, tmp_path)


@pytest.mark.parametrize("trusted", [False, True])
def test_model_that_says_nothing_of_its_rows_is_refused(
    mlflow_server: MlflowServer, logged: Logged, *, trusted: bool, tmp_path: Path
) -> None:
    """Trust does not tell what its columns are."""
    assert "bare" in logged.said
    with pytest.raises(PackageError, match="neither a signature nor an input example"):
        pulled(mlflow_server, "bare", tmp_path, trusted=trusted)
