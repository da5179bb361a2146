"""A group as `stream status` tells of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from stream.cli.status import status
from stream.tasks.group_status import GroupStatus
from tests.kafka.process import free_ports


@pytest.mark.parametrize(("named", "code"), [(True, 1), (False, 0)])
def test_silent_worker_fails_where_it_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: bool, code: int
) -> None:
    """A worker named with --worker must answer; without, the group alone may be looked at. Letters are `at most`."""
    monkeypatch.setattr("stream.tasks.group_status.observe_group", lambda *_: GroupStatus("g", [], 0.0, 7))
    [port] = free_ports(1)
    config = tmp_path / "stream.toml"
    config.write_text(f"[web]\nport = {port}\n")
    wish = ["--worker", f"http://127.0.0.1:{port}"] if named else []

    result = CliRunner().invoke(status, ["--config", str(config), *wish], standalone_mode=False)

    assert code == (result.return_value or 0)
    assert "at most 7 dead letters" in result.stdout
    assert "no worker answers" in result.stderr
