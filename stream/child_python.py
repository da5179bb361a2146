"""Starting a child process that runs this very package, not a folder called `stream` where the user stands."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

__all__ = ["child_command", "child_environ"]


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
