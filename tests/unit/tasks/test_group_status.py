"""A group as `stream status` tells of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import pytest
from click.testing import CliRunner

from stream.cli.status import status
from stream.records import Partition
from stream.settings import DeadLetterSettings, InputSettings, Settings
from stream.tasks import group_status
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


SETTINGS = Settings(input=InputSettings("in"), dead_letters=DeadLetterSettings("dead"))


class _Looked:
    """A cluster whose group was never at its topic's offsets."""

    stable: int | None = None
    letters: ClassVar[dict[Partition, tuple[int, int]]] = {Partition("dead", 0): (0, 0)}

    def __init__(self, committed: int | None, low: int, high: int) -> None:
        self._committed = {} if committed is None else {Partition("in", 0): committed}
        self._ends = {Partition("in", 0): (low, high)}

    def committed(self, group: str, topic: str) -> dict[Partition, int]:
        """The group's."""
        return self._committed

    def ends(self, topic: str) -> dict[Partition, tuple[int, int]]:
        """The topic's."""
        return self._ends if topic == "in" else self.letters

    def stable_ends(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """Where partitions have an open transaction, as far as the test says."""
        return {p: self.stable for p in partitions if self.stable is not None}


@pytest.mark.parametrize(
    ("committed", "low", "high", "lag", "doubtful"),
    [
        (None, 3, 10, 7, False),
        (10, 3, 10, 0, False),
        (7, 3, 10, 3, False),
        (1, 3, 10, 7, False),  # what retention has taken can't be read any more
        (11, 0, 10, 10, True),
        (500, 0, 0, 0, True),
    ],
)
def test_lag_is_what_can_be_read_and_an_offset_beyond_the_end_is_said(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    committed: int | None,
    low: int,
    high: int,
    lag: int,
    doubtful: bool,
) -> None:
    """A topic that was made anew while no worker ran looked as if all of it had been read."""
    monkeypatch.setattr(group_status, "Cluster", lambda *_: _Looked(committed, low, high))
    config = tmp_path / "stream.toml"
    config.write_text('[input]\ntopic = "in"\n[dead_letters]\ntopic = "dead"\n[web]\nport = 1\n')

    result = CliRunner().invoke(
        status, ["--config", str(config), "--over", "0.1", "--json"], standalone_mode=False
    )

    assert lag == json.loads(result.stdout)["lag"]
    said = f"partition 0: the group's offset {committed} is beyond the end, {high}"
    assert doubtful == (said in result.stderr)


@pytest.mark.parametrize(("stable", "consumable"), [(None, 7), (10, 7), (8, 5), (3, 0), (1, 0)])
def test_records_of_an_open_transaction_are_not_consumable(
    monkeypatch: pytest.MonkeyPatch, stable: int | None, consumable: int
) -> None:
    """They count for the lag, and the difference is said."""
    looked = _Looked(3, 0, 10)
    looked.stable = stable
    monkeypatch.setattr(group_status, "Cluster", lambda *_: looked)

    [partition] = group_status.observe_group(SETTINGS, 0.0, lambda _: None).partitions

    assert (7, consumable) == (partition.lag, partition.consumable)
    assert (consumable < 7) == ("transaction is open" in partition.held_back)
