"""Child processes that run this very package, not a folder called `stream` where the user stands: start and listen."""

from __future__ import annotations

import os
import selectors
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO

__all__ = ["child_command", "child_environ", "says_something"]


def child_command(module: str, *arguments: str) -> list[str]:
    """
    The command line of a child.

    Args:
        module: to run as `python -m` does.
        arguments: its own.
    """
    return [sys.executable, "-P", "-m", module, *arguments]


def child_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a child: this one, with the folder that holds this package first on the path."""
    home = str(Path(__file__).parents[1])
    paths = [home, *filter(None, [environ.get("PYTHONPATH")])]
    return {**environ, "PYTHONPATH": os.pathsep.join(paths)}


def says_something(pipe: int | IO[bytes], timeout_s: float) -> bool:
    """
    Wait for what a child writes. `select.select` would not do: it takes no file whose number is above 1,023, and a
    process with many connections has such numbers.

    Args:
        pipe: the reading end; nothing of it is buffered here.
        timeout_s: at most.
    Returns: whether there is something to read, the end included.
    """
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        return bool(selector.select(timeout_s))
