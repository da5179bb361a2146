"""A file in a place that others know: opened when it is ours alone, refused otherwise, and nothing is overwritten."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from stream.errors import SettingsError
from stream.worker.own_file import open_own

VICTIM = b"what somebody else keeps"


def linked_folder(place: Path, victim: Path) -> None:
    """The folder is a link to another."""
    (victim.parent / "elsewhere").mkdir(mode=0o700)
    place.symlink_to(victim.parent / "elsewhere")


def open_folder(place: Path, victim: Path) -> None:
    """Everybody may write to the folder."""
    place.mkdir()
    place.chmod(0o777)


def group_folder(place: Path, victim: Path) -> None:
    """A group may write to the folder."""
    place.mkdir()
    place.chmod(0o770)


def foreign_folder(place: Path, victim: Path) -> None:
    """The folder is another user's."""
    place.mkdir(mode=0o700)
    os.chown(place, 65_534, 65_534)


def linked_file(place: Path, victim: Path) -> None:
    """The file is a link to the victim's."""
    place.mkdir(mode=0o700)
    (place / "note").symlink_to(victim)


def dangling_file(place: Path, victim: Path) -> None:
    """The file is a link to one that would be created."""
    place.mkdir(mode=0o700)
    (place / "note").symlink_to(victim.parent / "new")


def second_name(place: Path, victim: Path) -> None:
    """The file is the victim's under another name."""
    place.mkdir(mode=0o700)
    (place / "note").hardlink_to(victim)


def foreign_file(place: Path, victim: Path) -> None:
    """The file is another user's."""
    place.mkdir(mode=0o700)
    (place / "note").touch()
    os.chown(place / "note", 65_534, 65_534)


def pipe(place: Path, victim: Path) -> None:
    """The file is a pipe that nobody writes to."""
    place.mkdir(mode=0o700)
    os.mkfifo(place / "note")


@pytest.mark.skipif(os.name != "posix", reason="owners and links of POSIX")
class TestRefusals:
    @pytest.mark.parametrize(
        ("prepare", "says"),
        [
            (linked_folder, "is a link"),
            (open_folder, "can be written by others (mode 0777)"),
            (group_folder, "can be written by others (mode 0770)"),
            (foreign_folder, "belongs to user 65534"),
            (linked_file, "is a link"),
            (dangling_file, "is a link"),
            (second_name, "has 2 names"),
            (foreign_file, "belongs to user 65534"),
            (pipe, "is not a regular file"),
        ],
    )
    def test_what_others_prepared_is_refused_by_name(
        self, tmp_path: Path, prepare: Callable[[Path, Path], None], says: str
    ) -> None:
        """The message names the place, the hint says what to do; the victim's file is as it was."""
        if "foreign" in prepare.__name__ and os.geteuid() != 0:
            pytest.skip("only root may give files away")
        victim, place = tmp_path / "victim", tmp_path / "state"
        victim.write_bytes(VICTIM)
        prepare(place, victim)

        with pytest.raises(SettingsError) as caught:
            open_own(place, "note")

        assert f"[delivery] state: {place}" in caught.value.message
        assert says in caught.value.message
        assert caught.value.hint
        assert VICTIM == victim.read_bytes()
        assert not (tmp_path / "new").exists()

    @pytest.mark.parametrize("kind", ["folder", "socket"])
    def test_what_is_no_file_at_all_is_an_error_of_the_system(self, tmp_path: Path, kind: str) -> None:
        """The system's own words say what it is."""
        place = tmp_path / "state"
        place.mkdir(mode=0o700)
        if kind == "folder":
            (place / "note").mkdir()
        else:
            with socket.socket(socket.AF_UNIX) as bound:
                bound.bind(os.path.relpath(place / "note"))

        with pytest.raises(OSError):
            open_own(place, "note")


class TestOwn:
    @pytest.mark.parametrize("mode", [None, 0o700, 0o755])
    def test_own_file_keeps_what_it_held(self, tmp_path: Path, mode: int | None) -> None:
        """In a folder that is created, or that others can't write to; what the last process left is there."""
        place = tmp_path / "deep" / "state" if mode is None else tmp_path / "state"
        if mode is not None:
            place.mkdir()
            place.chmod(mode)

        with os.fdopen(open_own(place, "note"), "r+b") as file:
            file.write(b"left")
        with os.fdopen(open_own(place, "note"), "r+b") as file:
            found = file.read()

        assert b"left" == found
        assert mode is not None or 0o700 == place.stat().st_mode & 0o777
        assert 0o600 == (place / "note").stat().st_mode & 0o777

    def test_folder_above_may_be_a_link(self, tmp_path: Path) -> None:
        """The temporary folder of some systems is one."""
        (tmp_path / "real").mkdir()
        (tmp_path / "link").symlink_to(tmp_path / "real")

        os.close(open_own(tmp_path / "link" / "state", "note"))

        assert (tmp_path / "real" / "state" / "note").is_file()
