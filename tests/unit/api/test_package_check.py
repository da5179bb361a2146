"""`stream.check`: the command's findings, for a package or a configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import stream
from stream.tasks import contract_check


@pytest.fixture
def config(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration whose broker does not answer, and is not waited for long."""
    monkeypatch.setattr(contract_check, "ANSWER_S", 0.2)
    path = tmp_path / "stream.toml"
    path.write_text(f'[kafka]\nbootstrap_servers = "127.0.0.1:1"\n[model]\nuri = "{package}"\n')
    return path


def test_package_model_and_configuration_are_checked_alike(package: Path, config: Path) -> None:
    """A broker that does not answer is information."""
    for given in (package, str(package), stream.load(package)):
        found: Any = stream.check(given, config=config)
        assert ["info"] == [finding.severity for finding in found]
    assert [finding.message for finding in found] == [finding.message for finding in stream.check(config)]


def test_what_a_worker_would_refuse_is_an_error(config: Path, tmp_path: Path) -> None:
    """A package that is not there."""
    found = stream.check(tmp_path / "nothing", config=config)

    assert "error" == found[0].severity
    assert "nothing" in found[0].message
