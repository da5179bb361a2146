"""Files that are there whole, or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stream.durable import renamed, sync, written_whole


def test_a_file_that_was_not_finished_is_not_there(tmp_path: Path) -> None:
    """A fault while it is written leaves neither it nor what it was written as."""

    def stop() -> None:
        with written_whole(tmp_path / "part") as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop()

    assert [] == list(tmp_path.iterdir())


def test_the_bytes_are_on_the_disk_before_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A power cut after the rename finds the whole file."""
    path = tmp_path / "part"
    seen: list[tuple[int, bool]] = []

    def fsync(handle: int) -> None:
        seen.append((os.fstat(handle).st_size, path.exists()))

    monkeypatch.setattr(os, "fsync", fsync)
    with written_whole(path) as file:
        file.write(b"all")

    assert [(3, False)] == seen
    assert b"all" == path.read_bytes()


def test_a_file_keeps_its_bytes_until_the_new_ones_are_whole(tmp_path: Path) -> None:
    """Readers see the old file or the new one."""
    path = tmp_path / "current"
    path.write_bytes(b"1")

    with renamed(path) as beside:
        beside.write_bytes(b"2")
        assert b"1" == path.read_bytes()

    assert [(path, b"2")] == [(each, each.read_bytes()) for each in tmp_path.iterdir()]


def test_a_folder_is_put_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own handle is synced, and closed again."""
    seen: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda handle: seen.append(os.fstat(handle).st_ino))

    sync(tmp_path)

    assert [tmp_path.stat().st_ino] == seen
