"""The environment of SageMaker's tests, an account in it, and exports of the flights' package."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stream.export import EXPORTERS
from stream.settings import Settings
from stream.store import Package, open_package
from tests.platforms.environments import environment
from tests.platforms.sagemaker.account import IMAGE, ROLE, Account
from tests.platforms.sagemaker.grounds import Ground, grounds

ROOT = Path(__file__).parents[3]

Export = Callable[..., Path]
"""By its image, role and folder in S3: the export's folder."""


@pytest.fixture(scope="session")
def python() -> Path:
    """Of the environment that has boto3, moto and SageMaker's SDK."""
    return environment("sagemaker") / "bin" / "python"


@pytest.fixture(scope="session")
def account(python: Path) -> Iterator[Account]:
    """With one bucket, `acme`."""
    account = Account(python)
    place = {"LocationConstraint": "eu-west-1"}
    account.ask("create_bucket", "s3", Bucket="acme", CreateBucketConfiguration=place)
    yield account
    account.close()


GROUNDS = grounds(os.environ)


@pytest.fixture(scope="session", params=[*GROUNDS])
def ground(request: pytest.FixtureRequest) -> Ground:
    """What containers run in."""
    return GROUNDS[request.param]


@pytest.fixture(scope="session")
def flights() -> Package:
    """The demo's package, opened."""
    return open_package(ROOT / "models" / "flights")


@pytest.fixture(scope="session")
def exported(flights: Package, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of the demo's package."""
    folder = tmp_path_factory.mktemp("export")
    options = {"image": IMAGE, "role": ROLE, "s3": "s3://acme/x"}
    EXPORTERS["sagemaker"].export(flights, Settings(), options, folder)
    return folder


@pytest.fixture
def export(flights: Package, tmp_path: Path) -> Export:
    """Writes an export of it."""

    def write(folder: str = "x", image: str = IMAGE, s3: str | None = None) -> Path:
        options = {"image": image, "role": ROLE, "s3": s3 or f"s3://acme/{tmp_path.name}"}
        EXPORTERS["sagemaker"].export(flights, Settings(), options, tmp_path / folder)
        return tmp_path / folder

    return write
