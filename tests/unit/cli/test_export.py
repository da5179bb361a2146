"""`stream export`: files, exit codes, messages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stream.cli import main


def code_of(*arguments: str) -> int:
    """The exit code of `stream export`."""
    with pytest.raises(SystemExit) as ended:
        main(["export", *arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_files_are_written_and_their_paths_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line of JSON on stdout; on stderr what is still to be filled in."""
    out = tmp_path / "bq"

    assert 0 == code_of(
        "--to", "bigquery", "--dataset", "acme.f", "--out", str(out), "--json", "models/flights"
    )

    printed, said = capsys.readouterr()
    assert {"files": [str(out / "remote_function.sql")]} == json.loads(printed)
    assert "`acme.f.flights_predict`" in (out / "remote_function.sql").read_text()
    assert "fill in the words in capitals, or give --connection, --endpoint\n" == said


@pytest.mark.parametrize("target", ["sagemaker", "mlflow", "docker"])
def test_target_of_later_is_refused(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The command knows it, and says what there is."""
    assert 2 == code_of("--to", target, "models/flights")

    assert f"--to {target}: is not there yet; there are onnx, bigquery" in capsys.readouterr().err


def test_refused_model_leaves_no_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and what to do instead."""
    assert 2 == code_of("--to", "onnx", "--out", str(tmp_path / "x"), "models/flights")

    assert "try: let BigQuery ask `stream serve`" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()
