"""Where a training comes from: who runs it, on which commit of its repository, with which file of rows."""

from __future__ import annotations

import getpass
import hashlib
import subprocess
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Commit", "commit_of", "file_sha256", "user_name"]

_GIT_S = 10.0
"""A repository on a slow disk must not hold a training up for longer."""


@dataclass(frozen=True, slots=True)
class Commit:
    """
    The state of a repository's work tree.

    Attributes:
        id: of the commit that is checked out.
        branch: its name; empty where none is checked out.
        changed: whether a tracked file differs from the commit, or the file in question is not in it.
    """

    id: str
    branch: str
    changed: bool


def commit_of(path: Path) -> Commit | None:
    """
    Args:
        path: a file.
    Returns: the commit that its repository is at; None where it is in none, there is no commit, or no git.
    """
    folder = path.absolute().parent
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return None
    changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
    tracked = _git(folder, "ls-files", "--error-unmatch", "--", path.name)
    branch = _git(folder, "symbolic-ref", "--short", "--quiet", "HEAD")
    return Commit(commit, branch or "", changes != "" or tracked is None)


def _git(folder: Path, *arguments: str) -> str | None:
    """What git answers; None where it fails, or isn't there."""
    try:
        done = subprocess.run(
            ["git", *arguments],  # whichever the user has
            cwd=folder, capture_output=True, text=True, errors="replace", timeout=_GIT_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def file_sha256(path: Path) -> str | None:
    """
    Args:
        path: of the rows.
    Returns: the file's sha256, hexadecimal; None for a folder, or what can't be read again.
    Blocks: while it is read.
    """
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def user_name() -> str:
    """Whoever runs this process; empty where the system has no name for them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""
