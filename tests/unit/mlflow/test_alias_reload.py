"""A reloader on an alias: it follows; whatever happens to the server, the version that serves goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream.app.reload import PASSING_LOOKS, Reloader
from stream.app.worker_parts import assemble
from stream.errors import StartupTimeout
from stream.first_opening import FirstOpening
from stream.resources import local_model, open_configured
from stream.settings import KafkaSettings, MlflowSettings, ModelSettings, Seconds, Settings
from stream.telemetry import Metrics
from tests.unit.mlflow.registry_double import PACKAGE, RegistryDouble

pytestmark = pytest.mark.slow  # MLflow's client is imported, and a server answers


@pytest.fixture
def settings(registry: RegistryDouble, tmp_path: Path) -> Settings:
    """That follow the alias."""
    return Settings(
        model=ModelSettings(uri="models:/flights@champion", open_timeout=None),
        mlflow=MlflowSettings(tracking_uri=registry.url, cache=tmp_path / "cache", timeout=Seconds(1.0)),
        kafka=KafkaSettings(startup_timeout=Seconds(0.0)),
    )


@pytest.fixture
def taken() -> list[str]:
    """What was handed over."""
    return []


@pytest.fixture
def reloader(settings: Settings, taken: list[str]) -> Reloader:
    """On version 1."""
    package = open_configured(settings)
    return Reloader.of(
        settings, package, lambda found: taken.append(found.manifest.model), Metrics(), FirstOpening()
    )


def test_other_version_takes_over_and_back(
    registry: RegistryDouble, reloader: Reloader, taken: list[str]
) -> None:
    """The alias is all that counts: the same version, or an earlier one."""
    registry.add(PACKAGE, 2, "champion")

    assert [True, False] == [reloader.look(), reloader.look()]
    registry.aliases["champion"] = 1
    assert reloader.look()
    assert ["flights@2", "flights@1"] == taken
    assert ("flights@2", 1) == (reloader.previous, reloader.last.version)


@pytest.mark.parametrize(("status", "body"), [(500, b"oh"), (401, b"no"), (404, b"{}"), (200, b"<html>")])
def test_server_in_trouble_changes_nothing_and_is_told_once(
    registry: RegistryDouble,
    reloader: Reloader,
    taken: list[str],
    caplog: pytest.LogCaptureFixture,
    status: int,
    body: bytes,
) -> None:
    """And once it is back, its other version is taken."""
    registry.add(PACKAGE, 2, "champion")
    registry.answer = lambda path: (status, body)

    assert [False, False] == [reloader.look(), reloader.look()]
    assert 1 == caplog.text.count("flights@1 keeps serving")
    assert "models:/flights@champion" in reloader.last.error
    registry.answer = lambda path: None
    assert reloader.look()
    assert (["flights@2"], "") == (taken, reloader.last.error)


def test_alias_that_is_deleted_changes_nothing(registry: RegistryDouble, reloader: Reloader) -> None:
    """It is said which there are; once it is back, nothing is left of it."""
    registry.aliases = {"other": 1}

    assert not reloader.look()
    assert "its aliases: other → 1" in reloader.last.error
    registry.aliases = {"champion": 1}
    assert not reloader.look()
    assert "" == reloader.last.error


def test_half_a_version_is_tried_again(
    registry: RegistryDouble, reloader: Reloader, taken: list[str]
) -> None:
    """Its files are still being uploaded."""
    files = registry.add(PACKAGE, 2, "champion") / "package/versions/1"
    golden = (files / "golden.avro").read_bytes()
    (files / "golden.avro").unlink()

    assert not reloader.look()
    assert "golden.avro is not there" in reloader.last.error
    (files / "golden.avro").write_bytes(golden)
    assert [False] * PASSING_LOOKS + [True] == [reloader.look() for _ in range(PASSING_LOOKS + 1)]
    assert ["flights@2"] == taken


def test_version_of_a_uri_is_not_asked_for_again(registry: RegistryDouble, settings: Settings) -> None:
    """It never changes; nor does a copy that a command has chosen."""
    fixed = local_model(settings)
    package = open_configured(fixed)
    reloader = Reloader.of(fixed, package, lambda found: None, Metrics(), FirstOpening())
    registry.asked.clear()

    assert (False, []) == (reloader.look(), registry.asked)
    assert "flights@1" == package.manifest.model


def test_worker_waits_for_the_server_and_says_so(registry: RegistryDouble, settings: Settings) -> None:
    """As for a broker; an alias is not answered from a copy."""
    open_configured(settings)
    registry.answer = lambda path: (503, b"starting")
    with pytest.raises(StartupTimeout, match=r"models:/flights@champion(.|\n)*waited 0 s(.|\n)*tracking_uri"):
        assemble(settings)
