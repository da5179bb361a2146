"""
The part of this library that a model folder brings along: MLflow loads it where this library is not installed.

It is one zip archive of the rooms that scoring needs, and a module that puts it on `sys.path` where it is needed,
behind everything else: a library that is installed comes first.
"""

from __future__ import annotations

import ast
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

__all__ = ["LOADER", "code_files", "code_requirements"]

LOADER = "prediction_stream_pyfunc"
"""The `loader_module`."""

_ARCHIVE = "prediction_stream.zip"

_ENTRY = ("mlflow/__init__.py", "mlflow/pyfunc_loader.py", "mlflow/signature.py")
"""Of this room; the server's client stays at home."""

_LOADER = f'''"""Opens the package of this model, with the prediction-stream that is installed or the part beside it."""

import importlib.util
import pathlib
import sys


def _load_pyfunc(path):
    if not _is_there():
        sys.path.append(str(pathlib.Path(__file__).with_name("{_ARCHIVE}")))
        importlib.invalidate_caches()
        if "stream" in sys.modules and getattr(sys.modules["stream"], "__file__", None) is None:
            del sys.modules["stream"]  # a folder of that name without a module in it
        if not _is_there():
            found = getattr(sys.modules.get("stream"), "__file__", None)
            raise ImportError(f"{{found}}: another module called `stream`, or prediction-stream of an older release: "
                              "upgrade it, or take it away")
    from stream.mlflow.pyfunc_loader import load

    return load(path)


def _is_there():
    try:
        return importlib.util.find_spec("stream.mlflow.pyfunc_loader") is not None
    except ImportError:
        return False
'''

_DATE = (1980, 1, 1, 0, 0, 0)
"""Of every entry, so that the same code is the same archive."""

_THIRD = ("cryptography", "fastavro", "joblib", "numpy", "pandas", "pyarrow", "pyruhvro", "scikit-learn")
"""Distributions that the shipped rooms import; a model's own are in its manifest."""


@cache
def code_files() -> dict[str, bytes]:
    """
    What goes into the folder's `code`.

    Returns: by name: the loader, and the archive. The same for the same release.
    """
    root = Path(__file__).parents[1]
    stream_io = io.BytesIO()
    with zipfile.ZipFile(stream_io, "w", zipfile.ZIP_DEFLATED) as archive:
        _write(archive, "stream/__init__.py", b'"""The part of prediction-stream that scoring needs."""\n')
        for path in sorted({*(root / name for name in _ENTRY), *_sources(root)}):
            _write(archive, f"stream/{path.relative_to(root).as_posix()}", path.read_bytes())
    return {f"{LOADER}.py": _LOADER.encode(), _ARCHIVE: stream_io.getvalue()}


def _write(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, _DATE)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, content)


def _sources(root: Path) -> Iterator[Path]:
    """The files of every room that the loader's imports lead to."""
    seen: set[str] = {"mlflow"}
    left = _imported(root / name for name in _ENTRY[1:])
    while left:
        room = left.pop()
        if room in seen:
            continue
        seen.add(room)
        files = sorted((root / room).rglob("*.py")) if (root / room).is_dir() else [root / f"{room}.py"]
        left |= _imported(files)
        yield from files


def _imported(files: Iterable[Path]) -> set[str]:
    """The rooms that some files import."""
    found: set[str] = set()
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("stream."):
                found.add(str(node.module).split(".")[1])
    return found


def code_requirements() -> dict[str, str]:
    """
    What the shipped code needs of other libraries.

    Returns: a requirement as pip takes it, by distribution; with the bounds of this release where it is installed as a
        distribution.
    """
    try:
        declared = requires("prediction-stream") or []
    except PackageNotFoundError:
        declared = []
    core = [line.partition(";")[0].strip() for line in declared if "extra ==" not in line]
    known = {re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0].lower(): line for line in core}
    return {name: known.get(name, name) for name in _THIRD}
