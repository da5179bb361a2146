"""`stream sql --engine spark`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

pytestmark = [pytest.mark.spark, pytest.mark.timeout(600)]


def test_command_asks_in_spark_sql(
    package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`stream sql --engine spark` prints rows, keeps them, and refuses a query that Spark can't use."""
    from stream.cli import main

    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    (tmp_path / "v.jsonl").write_text(
        '{"id": 1, "channel": "mail", "pages": 30, "seconds": 9.5}\n{"id": 2, "channel": null, "pages": 1}\n'
    )
    rows = f"json.`{tmp_path / 'v.jsonl'}`"
    given = ["sql", "--engine", "spark", "--model", str(package)]

    def code_of(*arguments: str) -> object:
        with pytest.raises(SystemExit) as ended:
            main([*given, *arguments])
        return ended.value.code

    assert 0 == code_of(
        "--json",
        f"SELECT id, predict(struct(*)).label AS label, predict_error(struct(*)).reason AS reason FROM {rows}",
    )
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [{"id": 1, "label": "buys"}, {"id": 2, "reason": "wrong_type"}] == found
    assert 0 == code_of(
        "--save", str(tmp_path / "o.parquet"), f"SELECT p.* FROM (SELECT predict(struct(*)) AS p FROM {rows})"
    )
    assert ["buys", None] == pq.read_table(tmp_path / "o.parquet")["label"].to_pylist()
    assert 2 == code_of(f"SELECT predict(nothing) FROM {rows}")
    assert "nothing" in capsys.readouterr().err
