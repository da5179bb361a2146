"""A registry that answers, for the tests of MLflow's client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.mlflow.registry_double import PACKAGE, RegistryDouble, serving


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[RegistryDouble]:
    """A registry whose `flights@champion` is version 1."""
    double = RegistryDouble(tmp_path / "registry")
    double.add(PACKAGE, 1, "champion")
    with serving(double):
        yield double
