"""Recipes that were run once for all tests of this room."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream.training.recipe import read_recipe
from stream.training.recipe_run import run_recipe
from stream.training.trained import Trained
from tests.unit.training.recipes import write_kind, write_recipe

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Two classes, split by time."""
    return run_recipe(read_recipe(write_recipe(tmp_path_factory.mktemp("toy"))))


@pytest.fixture(scope="session")
def several(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Three classes with hostile names, split by group."""
    return run_recipe(read_recipe(write_kind(tmp_path_factory.mktemp("several"), "several")))


@pytest.fixture(scope="session")
def numbers() -> Trained:
    """The example that predicts a number, split at random."""
    return run_recipe(read_recipe(ROOT / "docs" / "examples" / "diabetes.py"))
