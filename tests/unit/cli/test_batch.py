"""`stream batch` on the command line: what it takes, says and refuses."""

from __future__ import annotations

import csv
import gc
import json
import os
from pathlib import Path
from typing import Any

import fastavro
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor

import stream
from stream import files
from stream.batch import run_local
from stream.batch.work import Done
from stream.cli import main
from stream.cli.batch import FORMATS
from tests.acceptance import visits


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> int:
    """`stream batch …`; its exit code."""
    with pytest.raises(SystemExit) as end:
        main(["batch", *arguments])
    assert isinstance(end.value.code, int)
    return end.value.code


def write(path: str, n: int, first: int = 0) -> None:
    """Visits as csv."""
    pd.DataFrame([visits.visit(i) for i in range(first, first + n)]).to_csv(path, index=False)


def test_every_format_is_offered() -> None:
    """`--format` takes the table's formats, the usual one first."""
    assert list(files.OUTPUT_FORMATS) == list(FORMATS)


def test_only_new_files_are_scored_since_the_last_run(
    package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """New by its bytes, whatever it is called; without anything new there is no new run."""
    write("a.csv", 3)
    options = ("--output", "out", "--model", str(package), "--format", "csv")
    assert 0 == run("*.csv", *options)
    Path("a.csv").rename("renamed.csv")
    write("b.csv", 2, 3)
    capsys.readouterr()

    assert 0 == run("*.csv", *options, "--since", "last")
    folder = Path(capsys.readouterr().out.strip())
    assert 0 == run("*.csv", *options, "--since", "last")
    nothing = capsys.readouterr()

    assert ("", True) == (nothing.out, "nothing new" in nothing.err)
    with next(folder.glob("part-*.csv")).open() as file:
        assert [("b.csv", "1"), ("b.csv", "2")] == [
            (row["source_file"], row["source_row"]) for row in csv.DictReader(file)
        ]
    assert 0 == run("history", "--output", "out", "--json")
    records: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    assert [3, 2] == [record["rows"] for record in records]
    assert 0 == run("history", "--output", "out")
    assert records[0]["run"] in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl", "avro"])
def test_every_format_has_the_same_rows(package: Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    """Read again by `stream batch`'s own reader of rows."""
    from stream.files import read_rows

    write("a.csv", 5)
    assert 0 == run("a.csv", "--output", "out", "--model", str(package), "--format", kind)
    (part,) = Path(capsys.readouterr().out.strip()).glob("part-*")

    rows = [row.values for row in read_rows(part)]

    assert ["id", "label", "score", "model", "source_file", "source_row"] == list(rows[0])
    assert [str(i) for i in range(5)] == [str(row["id"]) for row in rows]
    assert all(0 < float(row["score"]) < 1 for row in rows)


def test_mostly_dead_rows_end_with_1(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The run is published; whoever looks at exit codes only learns that something is wrong."""
    sound = json.dumps(visits.visit(1)) + "\n"
    Path("a.jsonl").write_text('{"id": 1}\n' * 1000 + sound)

    assert 1 == run("a.jsonl", "--output", "out", "--model", str(package))

    said = capsys.readouterr()
    assert "1000 of 1001 rows could not be scored: missing_field 1000" in said.err
    assert (Path(said.out.strip()) / "_dead_rows.jsonl").is_file()


def test_a_run_without_any_prediction_ends_with_1(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """However few rows there were; the count of predictions says the same."""
    Path("a.jsonl").write_text('{"id": 1}\n' * 3)

    assert 1 == run("a.jsonl", "--output", "out", "--model", str(package))

    said = capsys.readouterr().err
    assert "3 rows of 1 file: 0 predictions by visits@1" in said
    assert "not one of 3 rows could be scored: missing_field 3" in said


@pytest.mark.parametrize("kind", ["broken", "other rows"])
def test_an_input_that_changes_meanwhile_is_named(
    package: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Exit 2 and no run, whether it can't be read any more or has as many other rows."""
    pd.DataFrame([visits.visit(i) for i in range(3)]).to_parquet("a.parquet")

    def changed(*arguments: Any) -> list[Done]:
        if kind == "broken":
            Path("a.parquet").write_bytes(b"half a file")
        else:
            pd.DataFrame([visits.visit(i) for i in range(3, 6)]).to_parquet("a.parquet")
        return run_local(*arguments)

    monkeypatch.setattr("stream.tasks.file_scoring.run_local", changed)

    assert 2 == run("a.parquet", "--output", "out", "--model", str(package))
    gc.collect()

    said = capsys.readouterr().err
    assert "a.parquet: changed while it was scored" in said
    assert "Traceback" not in said
    assert not list(Path("out").glob("run=*"))


def test_a_touched_input_is_the_same(
    package: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its bytes count, not its time."""
    write("a.csv", 3)

    def touched(*arguments: Any) -> list[Done]:
        os.utime("a.csv", (1, 1))
        return run_local(*arguments)

    monkeypatch.setattr("stream.tasks.file_scoring.run_local", touched)

    assert 0 == run("a.csv", "--output", "out", "--model", str(package))
    assert "3 predictions" in capsys.readouterr().err


def test_output_that_can_t_be_one_is_named(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2: no folder can be made there; and there is no history of what isn't there."""
    write("a.csv", 3)
    Path("file").touch()

    assert 2 == run("a.csv", "--output", "file/out", "--model", str(package))
    assert "--output file/out: no run can be started there: Not a directory" in capsys.readouterr().err
    assert 2 == run("history", "--output", "nope")
    assert "--output nope: no such folder" in capsys.readouterr().err


@pytest.mark.parametrize("given", ["data", "data/**/*"], ids=["folder", "glob"])
def test_earlier_runs_under_output_are_no_input(
    package: Path, capsys: pytest.CaptureFixture[str], given: str
) -> None:
    """A second run of the same folder scores the same rows; a file of a run is refused by name."""
    Path("data/run=7").mkdir(parents=True)
    write("data/run=7/a.csv", 3)
    options = ("--output", "data", "--model", str(package))
    assert 0 == run(given, *options)
    folder = Path(capsys.readouterr().out.strip())

    assert 0 == run(given, *options)

    assert "3 rows of 1 file: 3 predictions" in capsys.readouterr().err
    assert 2 == run(str(next(folder.glob("part-*"))), *options)
    assert "was written by an earlier run under --output" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["csv", "parquet", "avro"])
@pytest.mark.parametrize("column", ["channel", "id"], ids=["feature", "carried"])
def test_a_file_without_a_needed_column_is_refused(
    package: Path, capsys: pytest.CaptureFixture[str], kind: str, column: str
) -> None:
    """Exit 2 with file, column, what there is and what was perhaps meant; nothing is scored or published."""
    frame = pd.DataFrame([visits.visit(i) for i in range(3)]).rename(columns={column: column.upper()})
    path = f"a.{kind}"
    if kind == "csv":
        frame.to_csv(path, index=False)
    elif kind == "parquet":
        frame.to_parquet(path)
    else:
        types = {"id": "long", "channel": "string", "pages": "long", "seconds": ["null", "double"]}
        fields = [{"name": name, "type": types[name.lower()]} for name in map(str, frame)]
        with Path(path).open("wb") as file:
            schema = {"type": "record", "name": "r", "fields": fields}
            rows = [
                {name.upper() if name == column else name: value for name, value in visits.visit(i).items()}
                for i in range(3)
            ]
            fastavro.writer(file, schema, rows)

    assert 2 == run(path, "--output", "out", "--model", str(package))

    said = capsys.readouterr().err
    assert f"{path}: no column '{column}', which visits@1 needs; there are " in said
    assert f"try: rename '{column.upper()}' to '{column}'" in said
    assert not list(Path("out").glob("*"))


@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.arrow"])
def test_a_file_without_any_feature_is_refused(capsys: pytest.CaptureFixture[str], name: str) -> None:
    """Also where each has a default, and what is carried is there; a JSON line without one is a dead row."""
    frame = pd.DataFrame({"id": [1, 2, 3, 4], "a": [1.0, None, 3.0, 4.0], "b": [None, 1.0, 2.0, 3.0]})
    fitted = HistGradientBoostingRegressor().fit(frame[["a", "b"]], [1.0, 2.0, 3.0, 4.0])
    stream.pack(fitted, name="small", sample=frame, out="small", carry=["id"])
    other = pd.DataFrame({"id": [1], "A": [1.0]})
    {".csv": lambda: other.to_csv(name, index=False), ".parquet": lambda: other.to_parquet(name)}.get(
        Path(name).suffix, lambda: other.to_feather(name)
    )()

    assert 2 == run(name, "--output", "out", "--model", "small")

    said = capsys.readouterr().err
    assert f"{name}: no column 'a', 'b', one of which small@1 needs; there are 'id', 'A'" in said
    assert "try: rename 'A' to 'a'" in said
    assert not list(Path("out").glob("*"))
    Path("a.jsonl").write_text('{"id": 1, "A": 1.0}\n{"id": 2, "b": null}\n')
    assert 0 == run("a.jsonl", "--output", "out", "--model", "small")
    assert "1 rows could not be scored: missing_field 1" in capsys.readouterr().err


def test_an_absent_column_with_a_default_is_said(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The rows are scored with it, and a line names the column that was perhaps meant."""
    frame = pd.DataFrame([visits.visit(i) for i in range(3)])
    frame.rename(columns={"seconds": "Seconds"}).to_csv("a.csv", index=False)

    assert 0 == run("a.csv", "--output", "out", "--model", str(package))

    assert (
        "a.csv: no column 'seconds': its default null is taken in every row; did you mean 'Seconds'?"
        in capsys.readouterr().err.splitlines()
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("gone.csv", "gone.csv: there is no such file"),
        ("*.csv", "*.csv: there is no data file"),
        ("text.txt", "expected a file called"),
        ("broken.parquet", "broken.parquet: can't be read"),
    ],
    ids=["gone", "glob", "format", "broken"],
)
def test_input_that_is_not_one_is_named(
    package: Path, capsys: pytest.CaptureFixture[str], given: str, said: str
) -> None:
    """Exit 2, before anything is scored."""
    Path("text.txt").write_text("a\n1\n")
    Path("broken.parquet").write_bytes(b"PAR1 no parquet PAR1")

    assert 2 == run(given, "--output", "out", "--model", str(package))

    assert said in capsys.readouterr().err
    assert not list(Path("out").glob("*"))


def test_a_key_is_scored_once(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A command that is started again finds the run; other inputs are refused; --replace leaves one run."""
    write("a.csv", 3)
    options = ("--output", "out", "--model", str(package), "--format", "csv", "--json", "--run-key", "day/1")
    assert 0 == run("*.csv", *options)
    first = json.loads(capsys.readouterr().out)
    assert 0 == run("*.csv", *options)
    again = capsys.readouterr()
    write("b.csv", 2, 3)
    assert 2 == run("*.csv", *options)
    refused = capsys.readouterr()
    assert 0 == run("*.csv", *options, "--replace")
    replaced = json.loads(capsys.readouterr().out)

    assert {**first, "found": True} == json.loads(again.out)
    assert "is published: nothing is scored again" in again.err
    assert ("", True) == (refused.out, "was made of other inputs" in refused.err)
    assert ("day/1", 5, False) == (replaced["key"], replaced["rows"], replaced["found"])
    assert {"source_file": json.dumps("string")}.items() <= replaced["columns"].items()
    assert [f"run={replaced['run']}"] == [path.name for path in Path("out").iterdir()]


def test_a_key_finds_its_run_among_new_files_only(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With `--since last` the retry is answered by its own run, not by `nothing new`."""
    write("a.csv", 3)
    options = ("--output", "out", "--model", str(package), "--since", "last", "--json")
    assert 0 == run("*.csv", *options, "--run-key", "monday")
    first = json.loads(capsys.readouterr().out)
    write("b.csv", 2, 3)
    assert 0 == run("*.csv", *options, "--run-key", "monday")
    again = json.loads(capsys.readouterr().out)
    assert 0 == run("*.csv", *options, "--run-key", "tuesday")
    other = json.loads(capsys.readouterr().out)

    assert {**first, "found": True} == again
    assert ["b.csv"] == [each["path"] for each in other["inputs"]]


@pytest.mark.parametrize(
    ("options", "says"), [(["--run-key", " "], "is empty"), (["--replace"], "needs --run-key")]
)
def test_a_key_that_names_nothing_is_refused(
    options: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is looked at."""
    assert 2 == run("a.csv", "--output", "out", *options)
    assert says in capsys.readouterr().err
