"""The table of an MLflow server. As `setting_tables` has the others."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stream.settings.setting_types import Seconds, Secret

__all__ = ["MlflowSettings"]


@dataclass(frozen=True, slots=True)
class MlflowSettings:
    """The MLflow server, where `[model] uri` is one of its URIs. Needs the extra `mlflow`."""

    tracking_uri: str = ""
    """The server's address, such as `http://localhost:5000`; default: `MLFLOW_TRACKING_URI`."""
    registry_uri: str = ""
    """The model registry's address where it is another; default: `MLFLOW_REGISTRY_URI`, else `tracking_uri`."""
    user: str | None = None
    """For basic authentication; default: as MLflow's own client has it (`MLFLOW_TRACKING_USERNAME`, …)."""
    password: str | Secret | None = None
    """For basic authentication."""
    token: str | Secret | None = None
    """For bearer authentication."""
    ca: Path | None = None
    """PEM file of the authorities that sign the server's certificate; default: those of MLflow's client."""
    certificate: Path | None = None
    """PEM file of the client's certificate and its key, for mutual TLS."""
    timeout: Seconds = Seconds(10.0)
    """How long to wait for one answer; each question is repeated once."""
    download_timeout: Seconds = Seconds(600.0)
    """How long fetching a model's files may take altogether; then it is given up, and tried again at the next look."""
    cache: Path | None = None
    """Folder of the local copies of models; default: `prediction-stream/mlflow` in the user's folder for caches."""
    trusted: bool = False
    """true: the server's models that are bare pickles may be opened, which lets them run any code: docs/trust.md."""
    webhook_secret: str | Secret | None = None
    """Secret of the server's webhook, which makes a worker or service look at once: `POST /webhooks/mlflow`."""
