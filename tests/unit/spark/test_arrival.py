"""What executors wrote must be here before a run is published."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream.batch import Done
from stream.errors import StreamError
from stream.spark.arrival import check_arrived
from stream.spark.unit_task import Noted

NOTE = Noted(Done(0, 1, 1), "worker-1", {"out/part-00000.csv": 3})


class Time:
    """A clock that only sleeping moves; what is told comes when it has."""

    def __init__(self, path: Path, comes_at: float) -> None:
        self.now = 0.0
        self._path = path
        self._comes_at = comes_at

    def sleep(self, seconds: float) -> None:
        """Time passes."""
        self.now += seconds
        if self.now >= self._comes_at:
            self._path.write_text("abc")


def test_files_that_come_late_are_waited_for(tmp_path: Path) -> None:
    """As NFS shows them; a file that is half there has not come."""
    path = tmp_path / "out" / "part-00000.csv"
    path.parent.mkdir()
    path.write_text("a")
    time = Time(path, 60)

    check_arrived(tmp_path, [NOTE], lambda: time.now, time.sleep)

    assert 60 == time.now


def test_files_that_do_not_come_end_the_run(tmp_path: Path) -> None:
    """After a minute and a half."""
    time = Time(tmp_path / "x", 1_000)

    with pytest.raises(StreamError, match=r"/out/part-00000\.csv: was written on worker-1, and is not here"):
        check_arrived(tmp_path, [NOTE], lambda: time.now, time.sleep)

    assert 90 == time.now
