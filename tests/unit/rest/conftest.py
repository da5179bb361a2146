"""One package of each kind for all tests of the REST door."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.unit.rest import models


@pytest.fixture(scope="session")
def people_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The classifier of people."""
    return models.pack_people(tmp_path_factory.mktemp("rest") / "people")


@pytest.fixture(scope="session")
def line_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The regression on a matrix."""
    return models.pack_line(tmp_path_factory.mktemp("rest") / "line")


@pytest.fixture(scope="session")
def kinds_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The classifier of vectors."""
    return models.pack_kinds(tmp_path_factory.mktemp("rest") / "kinds")


@pytest.fixture(scope="session")
def people(people_package: Path) -> Iterator[TestClient]:
    """A client of the classifier of people."""
    with models.door(people_package) as (client, _):
        yield client


@pytest.fixture(scope="session")
def line(line_package: Path) -> Iterator[TestClient]:
    """A client of the regression."""
    with models.door(line_package) as (client, _):
        yield client


@pytest.fixture(scope="session")
def kinds(kinds_package: Path) -> Iterator[TestClient]:
    """A client of the classifier of vectors."""
    with models.door(kinds_package) as (client, _):
        yield client


@pytest.fixture(scope="session")
def optional(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client of the regression whose fields all have a default."""
    with models.door(models.pack_optional(tmp_path_factory.mktemp("rest") / "optional")) as (client, _):
        yield client


@pytest.fixture(scope="session")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client of the classifier of texts."""
    with models.door(models.pack_texts(tmp_path_factory.mktemp("rest") / "texts")) as (client, _):
        yield client


@pytest.fixture(scope="session")
def delay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client of the regression on one column."""
    with models.door(models.pack_delay(tmp_path_factory.mktemp("rest") / "delay")) as (client, _):
        yield client
