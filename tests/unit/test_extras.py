"""A command whose extra is not installed says what to install."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream.errors import SettingsError
from stream.extras import require

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("prefix", "command"),
    [
        (ROOT / ".venv", "scripts/install rest"),  # a clone, in the environment that its script has made
        (Path("/usr"), "pip install 'prediction-stream[rest]'"),
    ],
)
def test_missing_extra_is_named_with_the_command_that_gets_it(
    monkeypatch: pytest.MonkeyPatch, prefix: Path, command: str
) -> None:
    """Only what is missing is named; nothing is imported."""
    monkeypatch.setattr("sys.prefix", str(prefix))
    with pytest.raises(SettingsError, match="needs no_such_module, which is not installed") as found:
        require("this command", "rest", "json", "no_such_module")

    assert command == found.value.hint


def test_installed_extra_is_fine() -> None:
    """Nothing happens."""
    require("this command", "rest", "json", "sys")


def test_module_of_a_package_that_is_missing_is_missing() -> None:
    """Looking for it is no error of its own."""
    with pytest.raises(SettingsError, match="needs no_such_package.module, which is not installed"):
        require("this command", "rest", "no_such_package.module")
