"""The scripts: short, listed, strict, and clear about what is missing. Nothing is installed or fetched here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted(path for path in (ROOT / "scripts").iterdir() if path.is_file() and "." not in path.name)
ENTRIES = [*SCRIPTS, ROOT / ".ci" / "run"]

_LONGEST_LINES = 25
"""The house's limit: a longer script wants to be a module."""


def _named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _run(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if key != "PYTHON"}
    return subprocess.run(
        ["bash", "scripts/install"],
        cwd=folder,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A tree with all that `scripts/install` looks at."""
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    return tmp_path


def _fake(folder: Path, text: str) -> str:
    fake = folder / "fake-python"
    fake.write_text(f"#!/bin/sh\n{text}\n")
    fake.chmod(0o755)
    return str(fake)


def test_readme_lists_each_script_once() -> None:
    """The page of scripts names those that are there, and no others."""
    rows = re.findall(r"^\| `(\w+)` \|", (ROOT / "scripts" / "README.md").read_text(), re.MULTILINE)

    assert [path.name for path in SCRIPTS] == sorted(rows)


@pytest.mark.parametrize("script", ENTRIES, ids=_named)
def test_script_is_short_strict_and_executable(script: Path) -> None:
    """A script stops at the first error or counts them, says what it does, and can be read at a glance."""
    lines = script.read_text().splitlines()

    assert lines[0] == "#!/usr/bin/env bash"
    assert lines[1].startswith("# ")
    assert any(line in ("set -euo pipefail", "set -uo pipefail") for line in lines)
    assert len(lines) <= _LONGEST_LINES
    assert os.access(script, os.X_OK)


@pytest.mark.parametrize("script", ENTRIES, ids=_named)
def test_script_has_no_syntax_error(script: Path) -> None:
    """Bash can parse every line, even those that a test run never reaches."""
    done = subprocess.run(["bash", "-n", str(script)], capture_output=True, text=True, check=False)

    assert ("", 0) == (done.stderr, done.returncode)


def test_absent_python_is_named(clone: Path) -> None:
    """Without the Python that was asked for, the message says which and what to do."""
    done = _run(clone, PYTHON="python-that-is-not-there")

    assert 2 == done.returncode
    assert "there is no python-that-is-not-there; install Python 3.11 or newer" in done.stderr


def test_python_that_is_too_old_is_refused(clone: Path) -> None:
    """An older Python is refused with its version before anything is made."""
    old = _fake(clone, 'case "$1" in -V) echo Python 3.10.13;; *) exit 1;; esac')

    done = _run(clone, PYTHON=old)

    assert 2 == done.returncode
    assert "Python 3.10.13 is too old, 3.11 or newer is needed" in done.stderr
    assert not (clone / ".venv").exists()


def test_python_without_venv_is_refused_with_the_package_to_install(clone: Path) -> None:
    """Debian splits venv off: the message names the package."""
    bare = _fake(clone, 'case "$2" in *ensurepip*) exit 1;; *) exit 0;; esac')

    done = _run(clone, PYTHON=bare)

    assert 2 == done.returncode
    assert "can't make a venv" in done.stderr
    assert "python3-venv" in done.stderr


def test_locks_name_no_path_and_no_host() -> None:
    """The locks hold names, versions and hashes, nothing of the machine that made them."""
    for lock in (ROOT / "requirements.lock", ROOT / "scripts" / "uv.lock"):
        text = lock.read_text()

        assert re.findall(r"^.*(?:://|--index|--find-links|/home/|/root/|/tmp/).*$", text, re.MULTILINE) == []
        assert text.splitlines()[1] == "#    scripts/lock"


def test_every_locked_version_has_a_hash() -> None:
    """No package can be installed that is not in the lock with its hash."""
    entries = re.split(r"\n(?=[a-z0-9])", (ROOT / "requirements.lock").read_text())[1:]

    assert len(entries) > 100
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_every_declared_library_is_locked() -> None:
    """A dependency that is added to pyproject.toml without `scripts/lock` is found without a network."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    declared = [*project["dependencies"], *(each for extra in extras for each in extra)]
    names = {_canonical(each) for each in declared} - {"prediction-stream"}
    locked = re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE)

    assert set() == names - set(locked)


def _canonical(requirement: str) -> str:
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    return re.sub(r"[-_.]+", "-", name.group().lower()) if name else requirement
