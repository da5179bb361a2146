"""A query's rows in a folder of parts: whole, and only then under the name that was asked for."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stream.durable import hidden_name
from stream.errors import QueryError, QueryFailed
from stream.files import FileFormat

__all__ = ["check_rows", "replaced"]

_OWN = ("part-", "_", ".")
"""How the names begin of what Spark writes into a folder."""


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """
    Give a folder another name until it is whole: 1 its name is free to take, 2 it is written, 3 it takes the name.

    Args:
        path: its name; a file, or a folder that Spark wrote, is replaced. Between two renames neither is there.
    Yields: a name beside it, of nothing yet, for the caller to write to.
    Raises: QueryError when there is a folder of somebody else's; OSError from the disk. `path` is then as it was, and
        nothing is left beside it.
    """
    _check_free(path)  # 1
    path.parent.mkdir(parents=True, exist_ok=True)
    beside, old = hidden_name(path), hidden_name(path)
    try:
        yield beside  # 2
        if path.is_symlink() or path.exists():
            path.rename(old)
        try:
            beside.rename(path)  # 3
        except OSError:
            if old.is_symlink() or old.exists():
                old.rename(path)
            raise
    finally:
        for each in (beside, old):
            if each.is_dir() and not each.is_symlink():
                shutil.rmtree(each, ignore_errors=True)
            else:
                each.unlink(missing_ok=True)


def check_rows(folder: Path, kind: FileFormat, rows: int) -> None:
    """
    Check that every row that executors wrote is here: without a shared folder, each writes to its own disk.

    Args:
        folder: of parts.
        kind: their format.
        rows: that were written.
    Raises: QueryFailed when there are fewer or more.
    """
    found = 0
    for part in folder.glob("part-*"):
        with kind.open(part) as file:
            found += sum(span.rows for span in kind.spans(file))
    if found != rows:
        raise QueryFailed(
            f"{rows} rows were written by the cluster, and {found} of them are here; nothing was saved",
            hint="--save must name a folder that all machines share",
        )


def _check_free(path: Path) -> None:
    if not path.is_dir():
        return
    others = sorted(each.name for each in path.iterdir() if not each.name.startswith(_OWN))
    if others:
        raise QueryError(
            f"--save {path}: there is a folder that Spark did not write, with {', '.join(others[:3])}",
            hint="choose another name, or move the folder away",
        )
