"""Models that MLflow's own flavours have logged, opened by their URI: as the model itself answers, or refused."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

import stream
from stream.errors import PackageError
from stream.mlflow import client
from tests.platforms.mlflow.registering import register_folder, settings_for
from tests.platforms.mlflow.server import MlflowServer

pytestmark = [pytest.mark.platform, pytest.mark.timeout(300)]

LOG = """
import json, sys
import lightgbm, mlflow, numpy as np, pandas as pd
from mlflow.models import infer_signature
from sklearn.linear_model import LogisticRegression

x = pd.DataFrame({"a": np.arange(60.0), "b": np.arange(60.0)[::-1] ** 2})
y = (x.a > 20).astype(int)
about = {"signature": infer_signature(x, y), "input_example": x.head(20), "pip_requirements": ["mlflow"]}
plain, boosted = LogisticRegression().fit(x, y), lightgbm.LGBMClassifier(verbose=-1, n_estimators=5).fit(x, y)
said = {"x": x.to_dict("records")}
for name, save, model, more in (
    ("skops", mlflow.sklearn.save_model, plain, {"serialization_format": "skops"}),
    ("pickled", mlflow.sklearn.save_model, plain, {"serialization_format": "cloudpickle"}),
    ("boosted", mlflow.lightgbm.save_model, boosted.booster_, {}),
):
    save(model, f"{sys.argv[1]}/{name}", **about, **more)
said["score"] = plain.predict_proba(x)[:, 1].tolist()
said["value"] = boosted.booster_.predict(x).tolist()
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for models."""
    return tmp_path_factory.mktemp("saved")


@pytest.fixture(scope="module")
def logged(mlflow_server: MlflowServer, saved: Path) -> dict[str, list[float]]:
    """What the models were asked, and what they answered themselves."""
    done = subprocess.run(
        [str(mlflow_server.environment / "bin/python"), "-W", "ignore", "-c", LOG, str(saved)],
        env=mlflow_server.variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    with client(settings_for(mlflow_server.url)) as server:
        for each in saved.iterdir():
            register_folder(server, f"stranger-{each.name}", each)
    found: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture(autouse=True)
def user(mlflow_server: MlflowServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As users of MLflow name its server."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server.url)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


@pytest.mark.parametrize(("name", "field"), [("skops", "score"), ("boosted", "value")])
def test_model_without_code_is_opened_and_answers_as_itself(
    logged: dict[str, list[float]], name: str, field: str
) -> None:
    """Named as the registry names it; the second time the copy is there."""
    import pandas as pd

    model = stream.load(f"models:/stranger-{name}/1")

    assert f"stranger-{name}@1" == model.manifest.model
    assert logged[field] == pytest.approx(model.predict(pd.DataFrame(logged["x"]))[field].tolist(), abs=1e-12)
    assert model.path == stream.load(f"models:/stranger-{name}/1").path


def test_bare_pickle_is_refused(logged: dict[str, list[float]]) -> None:
    """Opening it would run whatever its writer wanted."""
    assert logged
    with pytest.raises(PackageError, match=r"bare pickle(.|\n)*\[mlflow\] trusted = true"):
        stream.load("models:/stranger-pickled/1")


def test_model_folder_is_a_package(logged: dict[str, list[float]], saved: Path) -> None:
    """One on this machine, whose owner is trusted as with `stream pack`."""
    import pandas as pd

    model = stream.load(saved / "pickled")

    assert logged["score"] == pytest.approx(model.predict(pd.DataFrame(logged["x"]))["score"].tolist())
    assert model.path == stream.load(saved / "pickled").path
