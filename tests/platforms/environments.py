"""The environments that platforms run in: `scripts/environment` makes them, each from its own lock."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

__all__ = ["environment"]

ROOT = Path(__file__).parents[2]

_MADE_S = 100
"""A test's own limit is 120 s; where the packages are far away, run the script before."""


def environment(name: str) -> Path:
    """
    The folder of a platform's environment, made or updated where it isn't as its lock says.

    Args:
        name: of the folder below `tests/platforms`.
    Returns: the environment; its programs are in `bin`. The test is skipped where it can't be had, or fails with
        STREAM_REQUIRE_TOOLS=1.
    """
    command = [str(ROOT / "scripts/environment"), name]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_MADE_S, check=False)
    except subprocess.TimeoutExpired:
        _missing(name, f"it took more than {_MADE_S} s; run scripts/environment {name}")
    if done.returncode:
        _missing(name, (done.stderr.strip().splitlines() or ["no reason given"])[-1])
    return Path(done.stdout.strip())


def _missing(name: str, why: str) -> NoReturn:
    text = f"the environment {name} can't be had: {why}"
    if os.environ.get("STREAM_REQUIRE_TOOLS") == "1":
        pytest.fail(f"STREAM_REQUIRE_TOOLS=1, and {text}", pytrace=False)
    pytest.skip(text)
