"""A server that never comes to an end: a copy has a time and a size, and a process that ends with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from stream.errors import PackageError, Retriable
from stream.mlflow import end_fetching, place_of
from stream.settings import MlflowSettings, Seconds, Settings
from stream.store import Trust, open_package
from tests.unit.mlflow.registry_double import RegistryDouble

pytestmark = pytest.mark.slow  # MLflow's client is imported by a process of its own

_PULL = """
import sys
from pathlib import Path
from stream.mlflow import pull_model
from stream.settings import MlflowSettings, Settings
from stream.store import Trust
pull_model("models:/flights/1", Path(sys.argv[2]), None, Settings(mlflow=MlflowSettings(sys.argv[1])), Trust())
"""


@pytest.fixture
def fetched_here() -> None:
    """Not here: that is what these tests are about."""


class Body:
    """An answer that does not end before the test does."""

    def __init__(self, piece: bytes, pause_s: float) -> None:
        self.asked, self.left, self.over = threading.Event(), threading.Event(), threading.Event()
        self._piece, self._pause_s = piece, pause_s

    def pieces(self) -> Iterator[bytes]:
        """Of the body; says when it was asked for, and when nobody takes it any more."""
        self.asked.set()
        try:
            while not self.over.wait(self._pause_s):
                yield self._piece
        finally:
            self.left.set()


@pytest.fixture
def drip() -> Iterator[Body]:
    """A byte now and then: each answer in time, and none ever whole."""
    body = Body(b" ", 0.05)
    yield body
    body.over.set()


@pytest.fixture
def flood() -> Iterator[Body]:
    """As much as is taken."""
    body = Body(bytes(100_000), 0.0)
    yield body
    body.over.set()


def settings_of(registry: RegistryDouble, tmp_path: Path) -> Settings:
    """Of that registry; its copies are in a folder of the test's."""
    return Settings(
        mlflow=MlflowSettings(
            tracking_uri=registry.url,
            cache=tmp_path / "cache",
            timeout=Seconds(1.0),
            download_timeout=Seconds(60.0),
        )
    )


def left_in(cache: Path) -> list[Path]:
    """What is in the folder of copies."""
    return list(cache.glob("*/*"))


def answer_at(registry: RegistryDouble, end: str, body: Body) -> None:
    """That body for paths which end so."""
    registry.answer = lambda path: (200, body.pieces()) if path.endswith(end) else None


def test_model_is_copied_by_a_process_of_its_own(registry: RegistryDouble, tmp_path: Path) -> None:
    """MLflow's client asked that server from another process; what comes of it is the same package."""
    folder = place_of("models:/flights@champion", settings_of(registry, tmp_path), Trust())

    assert "flights@1" == open_package(folder).manifest.model
    assert [folder] == left_in(tmp_path / "cache")


@pytest.mark.parametrize("uri", ["models:/flights/1", "models:/flights@champion"])
def test_file_that_comes_in_drops_is_given_up_in_time(
    registry: RegistryDouble, tmp_path: Path, drip: Body, monkeypatch: pytest.MonkeyPatch, uri: str
) -> None:
    """It is tried again later, as with a server that is away; nothing is left of it."""
    answer_at(registry, "/model.joblib", drip)
    passed = SimpleNamespace(monotonic=lambda: 60.0 if drip.asked.is_set() else 0.0)
    monkeypatch.setattr("stream.mlflow.fetching_child.time", passed)
    with pytest.raises(
        Retriable, match=r"models:/flights/1: fetching it took more than 60 s(.|\n)*download_timeout"
    ):
        place_of(uri, settings_of(registry, tmp_path), Trust())

    assert drip.left.wait(20)
    assert [] == left_in(tmp_path / "cache")


@pytest.mark.parametrize("end", ["/registered-models/alias", "/model-versions/get"])
def test_answer_that_comes_in_drops_is_given_up_in_time(
    registry: RegistryDouble, tmp_path: Path, drip: Body, end: str
) -> None:
    """Which version is meant is a question to the same server; the next look doesn't add another that waits."""
    answer_at(registry, end, drip)
    uri = "models:/flights@champion" if "alias" in end else "models:/flights/1"
    settings = settings_of(registry, tmp_path)
    for _ in range(2):
        with pytest.raises(Retriable, match="its answer took more than 4 s"):
            place_of(uri, settings, Trust())

    assert 1 == len(registry.asked)


@pytest.mark.parametrize(
    ("end", "said"),
    [("/MLmodel", "MLmodel does not end after its"), ("/model.joblib", "model.joblib does not end")],
)
def test_file_that_does_not_end_is_refused(
    registry: RegistryDouble, tmp_path: Path, flood: Body, end: str, said: str
) -> None:
    """It is longer than the server said: this version is not worth another try."""
    answer_at(registry, end, flood)
    with pytest.raises(PackageError, match=said):
        place_of("models:/flights/1", settings_of(registry, tmp_path), Trust())

    assert flood.left.wait(20)
    assert [] == left_in(tmp_path / "cache")


def test_fetching_is_given_up_when_the_process_is_about_to_end(
    registry: RegistryDouble, tmp_path: Path, drip: Body
) -> None:
    """A service that looks for a new version does not wait for it once it is told to end."""
    answer_at(registry, "/model.joblib", drip)
    with ThreadPoolExecutor() as pool:
        copy = pool.submit(place_of, "models:/flights/1", settings_of(registry, tmp_path), Trust())
        assert drip.asked.wait(60)
        end_fetching()
        with pytest.raises(Retriable, match="the process that fetched it ended: signal SIGKILL"):
            copy.result(20)

    assert [] == left_in(tmp_path / "cache")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_process_that_fetches_ends_with_its_parent(
    registry: RegistryDouble, tmp_path: Path, drip: Body, number: signal.Signals
) -> None:
    """Nobody goes on asking the server for a command that was ended, whichever way."""
    answer_at(registry, "/model.joblib", drip)
    command = [sys.executable, "-c", _PULL, registry.url, str(tmp_path / "out")]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, env={**os.environ}) as parent:
        assert drip.asked.wait(60)
        parent.send_signal(number)
        assert 0 != parent.wait(20)

    assert drip.left.wait(20)
    assert not (tmp_path / "out").exists()
