"""`stream export`: files, exit codes, messages."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from sklearn.ensemble import IsolationForest

from stream.cli import main
from stream.export import EXPORTERS
from stream.store import PackRequest, pack


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
    names = ("remote_function.sql", "service.yaml", "deploy.sh")
    assert {"files": [str(out / name) for name in names]} == json.loads(printed)
    assert "`acme.f.flights_predict`" in (out / "remote_function.sql").read_text()
    assert "fill in the words in capitals, or give --connection, --image, --region\n" == said


def test_target_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is offered that is not in the table; the message says what is."""
    assert 2 == code_of("--to", "kubeflow", "models/flights")

    assert "'kubeflow' is not one of 'onnx', 'bigquery'" in capsys.readouterr().err


def test_option_of_another_target_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """It would be left out of the files without a word."""
    assert 2 == code_of("--to", "bigquery", "--bucket", "gs://acme/onnx", "models/flights")

    said = capsys.readouterr().err
    assert "--bucket: --to bigquery has no such option" in said
    assert "it takes --dataset, --connection, --endpoint, --image, --region" in said


def test_every_target_of_the_table_is_offered(capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` names each with what it writes, and each of its options with who takes it."""
    assert 0 == code_of("--help")

    shown = " ".join(capsys.readouterr().out.split())
    for name, exporter in EXPORTERS.items():
        assert f"{name}: {exporter.help}" in shown
        for option in exporter.options:
            assert option.flag in shown


def test_refused_model_leaves_no_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and what to do instead."""
    frame = pd.DataFrame({"x": range(20)}, dtype=float)
    pack(IsolationForest(n_estimators=2).fit(frame), PackRequest("odd", tmp_path / "odd"), sample=frame)

    assert 2 == code_of("--to", "onnx", "--out", str(tmp_path / "x"), str(tmp_path / "odd"))

    assert "try: let BigQuery call `stream serve`" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()
