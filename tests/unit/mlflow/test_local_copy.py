"""Local copies of a registry's models: whole or not at all, hashed first, called as the registry calls them."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

import stream
from stream.errors import BrokerRefused, PackageError, Retriable, SettingsError, StreamError
from stream.mlflow import kept_copies, place_of
from stream.settings import MlflowSettings, Seconds, Settings
from stream.store import Trust, open_package
from tests.unit.mlflow.registry_double import PACKAGE, RegistryDouble
from tests.unit.store.signed import OURS

pytestmark = pytest.mark.slow  # MLflow's client is imported, and a server answers


@pytest.fixture
def settings(registry: RegistryDouble, tmp_path: Path) -> Settings:
    """Of that registry; its copies are in a folder of the test's."""
    return Settings(
        mlflow=MlflowSettings(tracking_uri=registry.url, cache=tmp_path / "cache", timeout=Seconds(1.0))
    )


def copied(settings: Settings, uri: str = "models:/flights@champion", trust: Trust | None = None) -> Path:
    """The package's folder."""
    return place_of(uri, settings, trust or Trust())


def left_in(cache: Path) -> list[str]:
    """What is in the folder of copies."""
    return sorted(each.name.partition("-")[0] for each in cache.glob("*/*"))


class TestCopy:
    """A model that is as it should be."""

    def test_copy_is_called_as_the_registry_calls_it(
        self, registry: RegistryDouble, settings: Settings
    ) -> None:
        """Its bytes are those that were packed; what it was called then stays visible."""
        registry.add(PACKAGE, 7, "next")
        folder = copied(settings, "models:/flights@next")
        manifest = open_package(folder).manifest

        assert "flights@7" == manifest.model
        assert ("models:/flights/7", "run7", "flights@1") == (
            manifest.registered and manifest.registered.uri,
            manifest.registered and manifest.registered.run_id,
            manifest.registered and manifest.registered.packed,
        )
        files = {each.name: each.read_bytes() for each in (PACKAGE / "versions/1").iterdir()}
        assert files == {each.name: each.read_bytes() for each in (folder / "versions/1").iterdir()}

    def test_copy_is_used_again_and_the_alias_is_asked_each_time(
        self, registry: RegistryDouble, settings: Settings
    ) -> None:
        """The second time no file is fetched; once the alias has moved, the other version's are."""
        first = copied(settings)
        registry.asked.clear()

        assert first == copied(settings)
        assert ["/api/2.0/mlflow/registered-models/alias"] == registry.asked
        registry.add(PACKAGE, 2, "champion")
        assert first != copied(settings)
        assert [1, 2] == list(kept_copies(settings, "flights"))

    def test_two_at_once_get_the_same_copy(self, settings: Settings, tmp_path: Path) -> None:
        """Threads here; processes have no more in common than the folder."""
        with ThreadPoolExecutor(4) as pool:
            found = set(pool.map(lambda _: copied(settings), range(4)))

        assert 1 == len(found)
        assert ["flights@1"] == left_in(tmp_path / "cache")

    def test_python_loads_it(
        self, registry: RegistryDouble, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """By MLflow's own variable; a version beside the URI is refused."""
        monkeypatch.setenv("MLFLOW_TRACKING_URI", registry.url)
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        model = stream.load("models:/flights/1")

        assert ("flights", 1) == (model.name, model.version)
        with pytest.raises(SettingsError, match="names the version itself"):
            stream.load("models:/flights/1", 1)


class TestModelMadeAgain:
    """A registered model that was deleted and made again counts from 1 again."""

    def test_its_version_1_is_another(self, registry: RegistryDouble, settings: Settings) -> None:
        """Never the old copy."""
        first = copied(settings)
        registry.answer = lambda path: (
            (
                200,
                b'{"model_version": {"name": "flights", "version": "1", "run_id": "other", "creation_timestamp": 9}}',
            )
            if path.endswith("alias")
            else None
        )

        assert first != copied(settings)


class TestServerAway:
    """The registry does not answer."""

    def test_version_that_is_here_is_used_and_it_is_said(
        self, registry: RegistryDouble, settings: Settings, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A version never changes."""
        here = copied(settings, "models:/flights/1")
        registry.answer = lambda path: (500, b"{}")
        with caplog.at_level(logging.WARNING):
            assert here == copied(settings, "models:/flights/1")

        assert "its local copy is used" in caplog.text

    def test_alias_is_not_answered_from_a_copy(self, registry: RegistryDouble, settings: Settings) -> None:
        """Which version it means now, nobody knows."""
        copied(settings)
        registry.answer = lambda path: (503, b"busy")
        with pytest.raises(Retriable, match="does not answer"):
            copied(settings)

    def test_refusal_is_not_answered_from_a_copy(self, registry: RegistryDouble, settings: Settings) -> None:
        """Whoever lost their access has lost it."""
        copied(settings, "models:/flights/1")
        registry.answer = lambda path: (401, b"You are not authenticated.")
        with pytest.raises(BrokerRefused, match="not authenticated"):
            copied(settings, "models:/flights/1")


def _hangs(registry: RegistryDouble, over: threading.Event) -> None:
    registry.answer = lambda path: (over.wait(20), (500, b""))[1]


def _answers(status: int, body: bytes, at: str = "") -> Callable[[RegistryDouble, threading.Event], None]:
    def change(registry: RegistryDouble, over: threading.Event) -> None:
        registry.answer = lambda path: (status, body) if at in path else None

    return change


def _cuts_short(registry: RegistryDouble, over: threading.Event) -> None:
    registry.answer = lambda path: (200, b"half") if path.endswith("model.joblib") else None


def _lacks(name: str) -> Callable[[RegistryDouble, threading.Event], None]:
    def change(registry: RegistryDouble, over: threading.Event) -> None:
        (registry.folder / "1/package/versions/1" / name).unlink()

    return change


def _calls(old: str, new: str) -> Callable[[RegistryDouble, threading.Event], None]:
    def change(registry: RegistryDouble, over: threading.Event) -> None:
        registry.renamed = lambda name: new if name == old else name

    return change


def _other_bytes(registry: RegistryDouble, over: threading.Event) -> None:
    file = registry.folder / "1/package/versions/1/model.joblib"
    file.write_bytes(bytes(file.stat().st_size))


def _names(path: str) -> Callable[[RegistryDouble, threading.Event], None]:
    def change(registry: RegistryDouble, over: threading.Event) -> None:
        (registry.folder / "1/MLmodel").write_text(f"metadata: {{prediction_stream: {{package: {path!r}}}}}")

    return change


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (_hangs, Retriable, "does not answer"),
        (_answers(500, b"oh"), Retriable, "does not answer"),
        (_answers(200, b"<html>"), Retriable, "does not answer"),
        (_answers(200, b"[]"), Retriable, "does not answer"),
        (
            _answers(200, b'{"model_version": {"version": "x"}}', "alias"),
            Retriable,
            "not as an MLflow server",
        ),
        (_answers(200, b'{"model_version": 5}', "alias"), Retriable, "does not answer: ParseError"),
        (_answers(200, b" " * 17_000_000, "alias"), Retriable, "more than 16,777,216 bytes"),
        (_answers(200, b" " * 17_000_000, "mlflow-artifacts/artifacts"), Retriable, "more than 16,777,216 b"),
        (_answers(200, b"[" * 100_000, "mlflow-artifacts/artifacts"), Retriable, "RecursionError"),
        (_answers(200, b'{"artifact_uri": "sftp://h/a"}', "download-uri"), SettingsError, "paramiko"),
        (_answers(200, b'{"artifact_uri": "ftp://127.0.0.1:9/a"}', "download-uri"), Retriable, "refused"),
        (_answers(401, b"", "mlflow-artifacts/artifacts"), BrokerRefused, "refuses: 401"),
        (_answers(403, b"", "model.joblib"), BrokerRefused, "model.joblib ##### 403"),
        (_answers(403, b'{"error_code": "PERMISSION_DENIED", "message": "no"}'), BrokerRefused, "no"),
        (_answers(500, b"", "model.joblib"), Retriable, "does not answer"),
        (_cuts_short, PackageError, "model.joblib arrived with 4 bytes"),
        (_lacks("golden.avro"), PackageError, "golden.avro is not there"),
        (_lacks("manifest.json"), PackageError, "manifest.json is not there"),
        (_calls("manifest.json", "../../../../manifest.json"), StreamError, "Invalid path"),
        (_calls("manifest.json", "/etc/passwd"), StreamError, "Invalid path"),
        (_calls("manifest.json", "a\\..\\b"), PackageError, "which is not a file of"),
        (_other_bytes, PackageError, "models:/flights/1.*its sha256 is"),
        (_names("../1/package"), PackageError, "which is not a folder of the model"),
        (_names("/etc"), PackageError, "which is not a folder of the model"),
        (_names("absent"), PackageError, "absent/current is not there"),
        (_answers(200, b"a: [", "MLmodel"), PackageError, "arrived with|can't be read"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_left(
    registry: RegistryDouble,
    settings: Settings,
    tmp_path: Path,
    change: Callable[[RegistryDouble, threading.Event], None],
    error: type[StreamError],
    said: str,
) -> None:
    """No half copy, no file elsewhere, and nothing of the model has run."""
    over = threading.Event()
    change(registry, over)
    before = sorted(path for path in tmp_path.rglob("*") if "cache" not in path.parts)
    try:
        with pytest.raises(error, match=said):
            copied(settings)
    finally:
        over.set()

    assert [] == left_in(tmp_path / "cache")
    assert before == sorted(path for path in tmp_path.rglob("*") if "cache" not in path.parts)


def test_link_in_the_registry_is_not_followed_by_a_copy(
    registry: RegistryDouble, settings: Settings, tmp_path: Path
) -> None:
    """A registry that follows its own link sends bytes, which must be those of the manifest."""
    secret = tmp_path / "secret"
    secret.write_bytes(b"x" * 1_000)
    file = registry.folder / "1/package/versions/1/features.avsc"
    file.unlink()
    file.symlink_to(secret)
    with pytest.raises(PackageError):
        copied(settings)

    assert [] == left_in(tmp_path / "cache")


def test_nothing_but_the_manifest_is_fetched_of_a_stranger(
    registry: RegistryDouble, settings: Settings
) -> None:
    """Trusted keys are asked before the model's bytes are."""
    trust = Trust((OURS.public,), require=True)
    with pytest.raises(PackageError, match="signature"):
        copied(settings, trust=trust)

    assert [] == [path for path in registry.asked if path.endswith(("model.joblib", "golden.avro"))]


def test_model_of_another_kind_is_refused_with_the_way(registry: RegistryDouble, settings: Settings) -> None:
    """A stranger's bare pickle, which would run code; and one that nobody signed, where that is required."""
    (registry.folder / "1/MLmodel").write_text("flavors: {sklearn: {pickled_model: model.pkl}}\n")
    (registry.folder / "1/model.pkl").write_bytes(b"cos\nabort\n(tR.")
    with pytest.raises(
        PackageError, match=r"models:/flights/1: model.pkl is a bare pickle(.|\n)*trusted = true"
    ):
        copied(settings)
    with pytest.raises(PackageError, match="nobody has signed it"):
        copied(settings, trust=Trust((OURS.public,), require=True))


def test_disk_that_takes_nothing_is_said(settings: Settings, tmp_path: Path) -> None:
    """A file where the folder should be: as a read-only disk."""
    (tmp_path / "cache").write_text("")
    with pytest.raises(SettingsError, match=r"\[mlflow\] cache"):
        copied(settings)


def test_full_disk_is_not_taken_for_a_silent_server(
    registry: RegistryDouble, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MLflow's client says of a file only that it could not be downloaded."""
    registry.answer = lambda path: (500, b"") if path.endswith("model.joblib") else None
    monkeypatch.setattr("stream.mlflow.artifacts.shutil.disk_usage", lambda _: SimpleNamespace(free=4_096))
    with pytest.raises(SettingsError, match=r"\[mlflow\] cache: .*No space left on device"):
        copied(settings)


def test_server_that_will_be_away_long_is_asked_at_the_next_look(
    registry: RegistryDouble, settings: Settings
) -> None:
    """It says when to come back, and may be there before."""
    registry.headers = {"Retry-After": "3600"}
    registry.answer = lambda path: (503, b"")
    with pytest.raises(Retriable, match="too many 503 error responses"):
        copied(settings)
    registry.answer = lambda path: None

    assert "flights@1" == open_package(copied(settings)).manifest.model


def test_copy_without_its_registration_is_not_taken_for_one(settings: Settings, tmp_path: Path) -> None:
    """What `registered.json` says must be a name, a number and a URI."""
    folder = copied(settings)
    (folder / "registered.json").write_text('{"name": "flights", "version": "7", "uri": "x"}')
    with pytest.raises(PackageError, match="registered.json"):
        open_package(folder)
    shutil.rmtree(folder)

    assert "flights@1" == open_package(copied(settings)).manifest.model
