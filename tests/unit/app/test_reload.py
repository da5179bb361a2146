"""A new version beside the one that answers: handed over when it is fit, refused when it is not."""

from __future__ import annotations

import errno
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from stream.app.reload import PASSING_LOOKS, Reloader
from stream.errors import BrokerRefused, Retriable, SettingsError
from stream.first_opening import FirstOpening
from stream.settings import ModelSettings, Seconds, Settings
from stream.store import Package, PackRequest, open_package, pack
from stream.telemetry import Metrics

MORE_ERRORS = [
    pytest.param(each, marks=pytest.mark.slow) for each in (errno.EMFILE, errno.ENFILE, errno.ESTALE)
]

SCHEMA = json.dumps(
    {
        "type": "record",
        "name": "Event",
        "fields": [
            {"name": "id", "type": "string"},
            {"name": "a", "type": "double"},
            {"name": "b", "type": "double"},
        ],
    }
)


def packed(folder: Path, slope: float, carry: tuple[str, ...] = ("id",), name: str = "line") -> Package:
    """The next version of a package."""
    x = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 5.0]])
    model = LinearRegression().fit(x, x[:, 0] * slope)
    return pack(model, PackRequest(name, folder, carry=carry), schema=SCHEMA).package


class Rig:
    """A reloader on a package's folder, and what it handed over."""

    def __init__(self, folder: Path) -> None:
        settings = Settings(model=ModelSettings(uri=str(folder)))
        self.metrics = Metrics()
        self.taken: list[str] = []
        self.reloader = Reloader(
            settings,
            open_package(folder),
            lambda: open_package(folder),
            lambda package: self.taken.append(package.manifest.model),
            self.metrics,
            FirstOpening(),
        )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A package with one version."""
    packed(tmp_path / "line", 1.0)
    return tmp_path / "line"


class TestLook:
    """What comes of looking."""

    def test_same_version_changes_nothing(self, folder: Path) -> None:
        """No new version, nothing opened."""
        rig = Rig(folder)

        assert not rig.reloader.look()
        assert [] == rig.taken

    def test_new_version_takes_over_once(self, folder: Path) -> None:
        """A version that opens is handed over, and counted, once."""
        rig = Rig(folder)
        packed(folder, 2.0)

        assert [True, False] == [rig.reloader.look(), rig.reloader.look()]
        assert ["line@2"] == rig.taken
        assert 1 == rig.metrics.value("stream_reloads_total", result="ok")
        assert {"line@2": 1.0} == rig.metrics.by("stream_model_info", "model")

    def test_broken_version_leaves_the_one_that_answers(self, folder: Path) -> None:
        """A version with a flipped byte is refused with its step; the one before goes on, and it is said once."""
        rig = Rig(folder)
        packed(folder, 2.0)
        broken = folder / "versions" / "2" / "model.joblib"
        content = bytearray(broken.read_bytes())
        content[-1] ^= 1
        broken.write_bytes(content)

        assert [False, False] == [rig.reloader.look(), rig.reloader.look()]
        assert [] == rig.taken
        assert "hash" in rig.reloader.last.error
        assert 2 == rig.reloader.last.version
        assert 1 == rig.metrics.value("stream_reloads_total", result="refused")

    def test_version_that_is_current_again_has_no_error(self, folder: Path) -> None:
        """Rolled back to the version that answers, the refusal of the other is over."""
        rig = Rig(folder)
        packed(folder, 2.0, carry=())
        rig.reloader.look()
        assert rig.reloader.last.error

        (folder / "current").unlink()
        (folder / "current").write_text("1\n")
        rig.reloader.look()

        assert (1, "") == (rig.reloader.last.version, rig.reloader.last.error)

    def test_incompatible_predictions_are_refused_by_name(self, folder: Path) -> None:
        """A version that drops a field that downstream reads is refused, and the field is named."""
        rig = Rig(folder)
        packed(folder, 2.0, carry=())

        assert not rig.reloader.look()
        assert "'id'" in rig.reloader.last.error

    def test_other_model_is_refused(self, folder: Path) -> None:
        """A package of another name is not taken for a new version."""
        rig = Rig(folder)
        packed(folder, 2.0, name="curve")

        assert not rig.reloader.look()
        assert "'curve'" in rig.reloader.last.error

    def test_rollback_after_a_refusal_and_forward_again(self, folder: Path) -> None:
        """Once `current` has named another version, one that was refused is tried again."""
        rig = Rig(folder)
        packed(folder, 2.0, carry=())
        current = folder / "current"
        rig.reloader.look()
        current.write_text("1")
        rig.reloader.look()
        packed(folder, 3.0)

        assert rig.reloader.look()
        assert ["line@3"] == rig.taken

    def test_missing_current_is_reported(self, folder: Path) -> None:
        """A folder in the middle of being copied stops nothing."""
        rig = Rig(folder)
        (folder / "current").unlink()

        assert not rig.reloader.look()
        assert "current" in rig.reloader.last.error

    @pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, *MORE_ERRORS])
    @pytest.mark.parametrize("at", ["current", "versions"])
    def test_folder_that_cannot_be_looked_at_leaves_the_one_that_answers(
        self,
        folder: Path,
        number: int,
        at: str,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """Whichever call fails, and why: said once, counted, shown; and over once the folder can be read again."""
        rig = Rig(folder)
        packed(folder, 2.0)
        real = os.open

        def broken(path: Any, *arguments: Any, **options: Any) -> int:
            if Path(path).name == at or at == "versions":
                raise OSError(number, os.strerror(number), path)
            return real(path, *arguments, **options)

        def unlisted(path: Path) -> Any:
            raise OSError(number, os.strerror(number), path)

        with monkeypatch.context() as patch:
            patch.setattr(os, "open", broken)
            if at == "versions":
                patch.setattr(Path, "iterdir", unlisted)
            looks = [rig.reloader.look(), rig.reloader.look()]

        assert [False, False] == looks
        assert os.strerror(number) in rig.reloader.last.error
        assert 1 == rig.metrics.value("stream_reloads_total", result="failed")
        assert 1 == sum("keeps serving" in text for text in caplog.messages)
        assert rig.reloader.look()
        assert "" == rig.reloader.last.error

    @pytest.mark.parametrize("name", ["model.joblib", "manifest.json", "golden.avro"])
    def test_version_whose_file_cannot_be_read_now_is_tried_again(self, folder: Path, name: str) -> None:
        """It may still be copied, or its disk be away: not the version's fault."""
        rig = Rig(folder)
        packed(folder, 2.0)
        file = folder / "versions" / "2" / name
        content = file.read_bytes()
        file.unlink()

        assert not rig.reloader.look()
        file.write_bytes(content)

        assert [False] * PASSING_LOOKS + [True] == [rig.reloader.look() for _ in range(PASSING_LOOKS + 1)]

    @pytest.mark.parametrize(
        "fault",
        [
            Retriable("registry away"),
            SettingsError("not registered"),
            BrokerRefused("redirects"),
            OSError(5, "disk"),
        ],
    )
    def test_version_that_waits_for_something_else_is_tried_again(
        self, folder: Path, fault: Exception
    ) -> None:
        """A registry that is away, refuses us or lacks its schema, or a disk that fails, is not its fault."""
        rig = Rig(folder)
        packed(folder, 2.0)
        opened, faults = [0], [fault]
        open_it, hand_over = rig.reloader.open_it, rig.reloader.hand_over

        def counted() -> Package:
            opened[0] += 1
            return open_it()

        def once(package: Package) -> None:
            if faults:
                raise faults.pop()
            hand_over(package)

        rig.reloader.open_it, rig.reloader.hand_over = counted, once
        looks = [rig.reloader.look() for _ in range(PASSING_LOOKS + 2)]

        assert [False] * (PASSING_LOOKS + 1) + [True] == looks
        assert 2 == opened[0]
        assert ["line@2"] == rig.taken

    @pytest.mark.parametrize(
        "fault",
        [
            OSError("disk"),
            RecursionError("deep"),
            SystemExit(7),
            MemoryError(),
            KeyboardInterrupt(),
            GeneratorExit(),
        ],
    )
    def test_opening_that_raises_anything_leaves_the_one_that_answers(
        self, folder: Path, fault: BaseException
    ) -> None:
        """A version's own code runs while it is opened: what it raises, an exit too, is a refusal."""
        rig = Rig(folder)
        packed(folder, 2.0)

        def broken() -> Package:
            raise fault

        rig.reloader.open_it = broken

        assert [False, False] == [rig.reloader.look(), rig.reloader.look()]
        assert type(fault).__name__ in rig.reloader.last.error
        assert 1 == rig.metrics.value("stream_reloads_total", result="refused")


class TestFirstOpening:
    """A version that a child process opens first."""

    def _reloader(self, folder: Path, script: str) -> tuple[Reloader, list[str]]:
        settings = Settings(model=ModelSettings(uri=str(folder), open_timeout=Seconds(60.0)))
        opening = FirstOpening([sys.executable, "-S", "-c", script])
        taken: list[str] = []
        reloader = Reloader.of(
            settings, open_package(folder), lambda p: taken.append(p.manifest.model), Metrics(), opening
        )
        packed(folder, 2.0)
        return reloader, taken

    def test_version_that_ends_the_child_is_refused_once_and_the_running_one_goes_on(
        self, folder: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """With the signal that would have ended this process."""
        reloader, taken = self._reloader(folder, "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")

        assert [False, False] == [reloader.look(), reloader.look()]

        assert ([], "line@1", 2) == (taken, reloader.package.manifest.model, reloader.last.version)
        assert "SIGSEGV" in reloader.last.error
        assert 1 == len([record for record in caplog.records if "is refused" in record.getMessage()])

    def test_stop_ends_a_look_without_a_word(self, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
        """The process is about to end, and a child hangs."""
        reloader, taken = self._reloader(folder, "import time; time.sleep(10_000)")
        stopping = threading.Timer(0.0, reloader.stop)
        stopping.start()

        assert not reloader.look()
        stopping.join()

        assert ([], None, []) == (taken, reloader.last.version, caplog.records)
