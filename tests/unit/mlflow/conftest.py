"""A registry that answers, for the tests of MLflow's client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from stream.mlflow.fetching import Bound, Wanted
from tests.unit.mlflow.registry_double import PACKAGE, RegistryDouble, serving


@pytest.fixture(autouse=True)
def fetched_here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Models are fetched in this process, which is quicker; not in the tests of the process that fetches them."""
    if "fetched_apart" in request.keywords:
        return

    def here(work: Callable[[Wanted, Bound], object], wanted: Wanted) -> object:
        return work(wanted, nullcontext)

    for module in ("local_copy", "pull"):
        monkeypatch.setattr(f"stream.mlflow.{module}.fetched_apart", here)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[RegistryDouble]:
    """A registry whose `flights@champion` is version 1."""
    double = RegistryDouble(tmp_path / "registry")
    double.add(PACKAGE, 1, "champion")
    with serving(double):
        yield double
