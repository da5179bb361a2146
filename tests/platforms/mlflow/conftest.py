"""A real MLflow server for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.platforms.environments import environment
from tests.platforms.mlflow.server import MlflowServer


@pytest.fixture(scope="session")
def mlflow_environment() -> Path:
    """The environment of MLflow: full MLflow, and the libraries of models."""
    return environment("mlflow")


@pytest.fixture(scope="session")
def mlflow_server(mlflow_environment: Path) -> Iterator[MlflowServer]:
    """A running server, one for all tests: each registers models under names of its own."""
    with MlflowServer(mlflow_environment) as server:
        yield server
