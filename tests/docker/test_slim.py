"""deploy/docker/slim.py: what it takes out of an environment, and what it leaves."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.docker.compose import ROOT


@pytest.fixture(scope="module")
def slim() -> ModuleType:
    """The script, as a module."""
    spec = importlib.util.spec_from_file_location("slim", ROOT / "deploy/docker/slim.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _made(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return folder


def _left(folder: Path) -> set[str]:
    return {each.relative_to(folder).as_posix() for each in folder.rglob("*") if not each.is_dir()}


def test_tests_and_sources_go_and_code_stays(slim: ModuleType, tmp_path: Path) -> None:
    """Of the libraries that are named; `testing` is no test, and another's `tests` may be part of what it offers."""
    packages = "lib/python3.11/site-packages/"
    venv = _made(
        tmp_path / "venv",
        *(
            packages + each
            for each in (
                "numpy/tests/test_x.py", "numpy/testing/x.py", "numpy/x.pyx", "numpy/x.py", "numpy/data.csv",
                "theirs/tests/x.py", "pyarrow/libarrow_flight.so.2600", "pyarrow/include/x.h", "pyarrow/x.py",
            )
        ),
    )  # fmt: skip
    python = _made(
        tmp_path / "python",
        "bin/pip",
        "bin/python3.11",
        "lib/python3.11/idlelib/x.py",
        "lib/python3.11/os.py",
    )

    slim.slim(venv, python)

    kept = {"numpy/testing/x.py", "numpy/x.py", "numpy/data.csv", "theirs/tests/x.py", "pyarrow/x.py"}
    assert {packages + each for each in kept} == _left(venv)
    assert {"bin/python3.11", "lib/python3.11/os.py"} == _left(python)


def test_copies_of_a_library_become_links(slim: ModuleType, tmp_path: Path) -> None:
    """Equal files only."""
    _made(tmp_path, "libx.so", "libx.so.1", "libx.so.1.2")
    (tmp_path / "libx.so.1.2").write_bytes(b"another")

    slim.link_copies(tmp_path)

    assert (tmp_path / "libx.so.1").readlink() == Path("libx.so")
    assert not (tmp_path / "libx.so.1.2").is_symlink()


@pytest.mark.skipif(not shutil.which("strip"), reason="there is no strip here (binutils)")
def test_library_that_strip_breaks_is_refused(
    slim: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was loaded before must be loaded after: the build ends otherwise, and names the package."""
    packages = tmp_path / "venv/lib/python3.11/site-packages"
    (packages / "theirs").mkdir(parents=True)
    extension = importlib.util.find_spec("yaml._yaml")
    assert extension
    shutil.copy(str(extension.origin), packages / "theirs" / "x.so")
    (tmp_path / "venv/bin").mkdir()
    (tmp_path / "venv/bin/python").symlink_to(sys.executable)

    slim.strip_symbols(packages)

    tool = tmp_path / "strip"
    tool.write_text('#!/bin/sh\nfor each; do case "$each" in *.so) : >"$each";; esac; done\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(SystemExit, match=r"can't be loaded after strip: theirs"):
        slim.strip_symbols(packages)
