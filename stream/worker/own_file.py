"""
A file that is this user's alone, in a folder that is this user's alone.

Its place can be known to others of the machine, who may have put something there first: a folder of their own, or a
link to a file that they want overwritten. So nothing is written before owner, rights and kind were seen, on what is
open and not by its name.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from stream.errors import SettingsError

__all__ = ["check_own", "open_own"]

_LOOK = "look whose it is, and remove it"

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def open_own(folder: Path, name: str) -> int:
    """
    Open a file for reading and writing, created where it is not there; its folder too.

    Args:
        folder: created with the rights 0700. One that is there has to be this user's, and no other may write to it.
            Not followed when it is a link; the folders above it are.
        name: of the file in it; a regular file of this user's without a second name, or nothing yet.
    Returns: its descriptor; nothing has been written.
    Raises: SettingsError when folder or file is not this user's alone; OSError when it can't be opened.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.name != "posix":
        return os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o600)
    if folder.is_symlink():
        raise _refused(folder, "is a link", "name the folder itself")
    place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        _check_folder(folder, os.fstat(place))
        return _open_in(place, folder / name)
    finally:
        os.close(place)


def check_own(folder: Path, name: str) -> None:
    """
    Would `open_own` open this file? Nothing is created or written.

    Args: as `open_own`.
    Raises: as `open_own`; OSError also when the folder is not there and can't be created, or not be written to.
    """
    if os.name == "posix" and folder.is_symlink():
        raise _refused(folder, "is a link", "name the folder itself")
    if not os.path.lexists(folder):
        above = next(place for place in folder.absolute().parents if os.path.lexists(place))
        if not above.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(above))
        _require_writable(above)
        return
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    if os.name == "posix":
        _check_folder(folder, folder.stat())
        if os.path.lexists(folder / name):
            _check_file(folder / name, (folder / name).lstat())
    _require_writable(folder)


def _require_writable(folder: Path) -> None:
    if os.name == "posix" and os.statvfs(folder).f_flag & os.ST_RDONLY:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(folder))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))


def _check_folder(folder: Path, state: os.stat_result) -> None:
    inside = f'a folder in it, which is then created: `[delivery] state = "{folder / "scorer"}"`'
    if state.st_uid != os.geteuid():
        why = f"belongs to user {state.st_uid}, not to this one ({os.geteuid()})"
        raise _refused(
            folder, why, f"name another folder, or, of a volume that this user may write to, {inside}"
        )
    if state.st_mode & _OTHERS_WRITE:
        mode = stat.S_IMODE(state.st_mode)
        raise _refused(
            folder, f"can be written by others (mode {mode:04o})", f"`chmod 700 {folder}`, or name {inside}"
        )


def _open_in(place: int, path: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        handle = os.open(path.name, flags, 0o600, dir_fd=place)
    except OSError as error:
        if stat.S_ISLNK(os.stat(path.name, dir_fd=place, follow_symlinks=False).st_mode):
            raise _refused(path, "is a link", _LOOK) from error
        raise
    try:
        _check_file(path, os.fstat(handle))
    except SettingsError:
        os.close(handle)
        raise
    return handle


def _check_file(path: Path, state: os.stat_result) -> None:
    wrong = (
        "is a link"
        if stat.S_ISLNK(state.st_mode)
        else "is not a regular file"
        if not stat.S_ISREG(state.st_mode)
        else f"belongs to user {state.st_uid}, not to this one ({os.geteuid()})"
        if state.st_uid != os.geteuid()
        else f"has {state.st_nlink} names: it is some other file, too"
        if state.st_nlink != 1
        else ""
    )
    if wrong:
        raise _refused(path, wrong, _LOOK)


def _refused(path: Path, why: str, hint: str) -> SettingsError:
    return SettingsError(f"[delivery] state: {path} {why}", hint=hint)
