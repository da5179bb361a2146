"""The demo's flights as a file."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pandas as pd
import pytest

from stream.codec import RecordSchema
from stream.demo import export, flights
from stream.files import read_events

SCHEMA = Path(__file__).parents[3] / "schemas" / "flight.avsc"


@pytest.fixture(autouse=True)
def loaded_once(monkeypatch: pytest.MonkeyPatch, departures: pd.DataFrame) -> None:
    """The flights are read from their csv once a session."""
    monkeypatch.setattr(export, "load_flights", lambda: departures)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_file_reads_back_as_the_events_that_the_demo_replays(
    tmp_path: Path, departures: pd.DataFrame, suffix: str
) -> None:
    """`stream produce` sends of the file what the demo sends, nulls and times included."""
    count = export.export(tmp_path / f"flights{suffix}", 500)
    sent = list(read_events(tmp_path / f"flights{suffix}", RecordSchema(SCHEMA.read_text("utf-8"))))
    expected = [event.value for event in islice(flights.events(flights.split(departures)[1]), 500)]

    assert count == 500
    assert expected == sent


def test_all_held_out_flights_are_written_unless_told(tmp_path: Path, departures: pd.DataFrame) -> None:
    """Without a count, the whole last fifth of the year, its outcome beside it."""
    export.export(tmp_path / "flights.parquet")
    written = pd.read_parquet(tmp_path / "flights.parquet")

    assert len(flights.split(departures)[1]) == len(written)
    assert [*flights.FIELDS, flights.TRUTH] == list(written.columns)


def test_another_kind_of_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, the name and what would do; nothing is written."""
    assert export.main([str(tmp_path / "flights.xml")]) == 2
    assert "flights.xml: expected a .csv or .parquet file" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_folder_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 and the path."""
    assert export.main([str(tmp_path / "no" / "flights.csv"), "--events", "3"]) == 2
    assert str(tmp_path / "no") in capsys.readouterr().err


@pytest.mark.parametrize("count", ["0", "-1", "many"])
def test_count_that_is_not_a_number_is_refused(count: str, capsys: pytest.CaptureFixture[str]) -> None:
    """argparse's exit code 2, and what was found."""
    with pytest.raises(SystemExit, match="2"):
        export.main(["flights.csv", "--events", count])
    assert "expected" in capsys.readouterr().err


def test_command_says_how_many(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 0 and the count on stderr; stdout is for data."""
    assert export.main([str(tmp_path / "flights.csv"), "--events", "3"]) == 0
    written = capsys.readouterr()
    assert ("", "3 flights written to") == (written.out, written.err[:20])
