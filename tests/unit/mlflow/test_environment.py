"""How MLflow's client is told of its server: variables that are put back."""

from __future__ import annotations

import os

import pytest

from stream.errors import SettingsError
from stream.mlflow import client, without_secrets
from stream.settings import MlflowSettings, Secret, Settings


def _variables() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("MLFLOW")}


def test_variables_are_set_meanwhile_and_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings' access replaces the environment's whole; what was there comes back."""
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "somebody")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "else")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "false")
    before = _variables()
    chosen = MlflowSettings(tracking_uri="http://127.0.0.1:1", token=Secret("t"))
    with client(Settings(mlflow=chosen)):
        seen = _variables()

    assert "t" == seen["MLFLOW_TRACKING_TOKEN"]
    assert "http://127.0.0.1:1" == seen["MLFLOW_TRACKING_URI"]
    assert "false" == seen["MLFLOW_DISABLE_TELEMETRY"]
    assert "MLFLOW_TRACKING_USERNAME" not in seen
    assert before == _variables()


def test_server_that_is_nowhere_named_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never a database in the current folder, as MLflow itself has it."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(SettingsError, match="tracking_uri: is not set"), client(Settings()):
        pass


_HERE, _LEAKING = "http://127.0.0.1:1", "https://user:hunter2@host"


@pytest.mark.parametrize(
    ("key", "given"),
    [
        ("tracking_uri", MlflowSettings(tracking_uri=_LEAKING)),
        ("tracking_uri", MlflowSettings(tracking_uri=_LEAKING.replace("https", "HTTPS"))),
        ("registry_uri", MlflowSettings(tracking_uri=_HERE, registry_uri=_LEAKING)),
    ],
)
def test_password_in_an_address_is_refused_and_not_shown(key: str, given: MlflowSettings) -> None:
    """Addresses are in messages and logs."""
    with (
        pytest.raises(SettingsError, match=f"{key}: holds a user") as refused,
        client(Settings(mlflow=given)),
    ):
        pass

    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("http://localhost:5000/x", "http://localhost:5000/x"),
        ("HTTPS://user:hunter2@host/x@y", "HTTPS://host/x@y"),
        ("postgresql://user:hunter2@host/db", "postgresql://host/db"),
        ("postgresql://user:hun@hunter2@host/db", "postgresql://host/db"),
        ("postgresql://user:hun/hunter2@host/db", "postgresql://host/db"),
        ("mysql+pymysql://host/db?user=u&password=hunter2", "mysql+pymysql://host/db"),
        ("sqlite:////data/mlflow.db", "sqlite:////data/mlflow.db"),
        ("htp://user:hunter2@host", "htp://host"),
    ],
)
def test_address_is_shown_without_its_secrets(uri: str, shown: str) -> None:
    """However a password is written that a database's own library takes."""
    assert shown == without_secrets(uri)
