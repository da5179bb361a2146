"""Where runs go."""

from __future__ import annotations

import pytest

from stream.errors import SettingsError
from stream.settings import MlflowSettings, Settings
from stream.training.tracking_uri import tracking_settings


@pytest.mark.parametrize(
    ("uri", "address", "user", "password"),
    [
        ("http://host:5000", "http://host:5000", None, None),
        ("https://anna:p%40ss@host/mlflow", "https://host/mlflow", "anna", "p@ss"),
        ("HTTPS://anna:p%40ss@host", "https://host", "anna", "p@ss"),
        ("http://anna@[::1]:5000", "http://[::1]:5000", "anna", ""),
        ("file:runs", "file:runs", None, None),
        ("sqlite:///runs.db", "sqlite:///runs.db", None, None),
    ],
)
def test_user_and_password_are_taken_out_of_the_address(
    uri: str, address: str, user: str | None, password: str | None
) -> None:
    """They go where the settings have them."""
    found = tracking_settings(Settings(), uri).mlflow

    assert (address, user, password) == (found.tracking_uri, found.user, found.password)
    assert password is None or "'********'" == repr(found.password)


@pytest.mark.parametrize(
    "uri",
    ["", "localhost:5000", "http://", "./mlruns", "htp://host", "http://u:secret@", "htp://u:secret@host"],
)
def test_what_is_no_address_is_refused_without_its_password(uri: str) -> None:
    """The forms that are taken are named."""
    with pytest.raises(SettingsError, match="is not the address of an MLflow server") as caught:
        tracking_settings(Settings(), uri)

    assert "secret" not in str(caught.value)
    assert "sqlite:///FILE" in str(caught.value.hint)


def test_without_an_address_that_of_the_settings_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """`[mlflow] tracking_uri`, else the environment's, else a refusal that names both."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(SettingsError, match="none is named"):
        tracking_settings(Settings(), None)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://there:1")
    own = Settings(mlflow=MlflowSettings(tracking_uri="http://here:1"))

    assert "http://there:1" == tracking_settings(Settings(), None).mlflow.tracking_uri
    assert "http://here:1" == tracking_settings(own, None).mlflow.tracking_uri
