"""CI's steps look where the tests are that they run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("marker", ["fault_core", "browser", "platform", "spark"])
def test_folders_of_a_step_hold_all_tests_that_have_its_mark(marker: str) -> None:
    """A test elsewhere would be in no step: the default run leaves it out."""
    lines = (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
    (step,) = (line for line in lines if re.search(rf'-m "?{marker}\b', line))
    named = re.findall(r"(tests/[\w/.]*)(?:{([\w.,]*)})?", step)
    folders = [ROOT / f"{name}{each}" for name, several in named for each in several.split(",")]

    marked = [path for path in (ROOT / "tests").rglob("*.py") if f"mark.{marker}" in path.read_text("utf-8")]

    assert marked
    assert [] == [path for path in marked if not any(path.is_relative_to(folder) for folder in folders)]
