"""`stream sql`: exit codes, messages, what goes where."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from stream.cli import main
from tests.unit.sql.height import pack_height


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that says whether x is high; it never does for a null."""
    return pack_height(tmp_path_factory.mktemp("packages") / "height")


def code_of(package: Path, *arguments: str) -> int:
    """The exit code of `stream sql` with the package."""
    with pytest.raises(SystemExit) as ended:
        main(["sql", "--model", str(package), *arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_table_is_printed_for_people(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every statement's rows, in order, on stdout."""
    assert 0 == code_of(package, "SELECT 7 AS seven; SELECT predict_label({'x': 2.5}) AS answer")

    out, err = capsys.readouterr()
    assert "" == err
    assert out.index("seven") < out.index("answer") < out.index("high")


def test_null_predictions_are_counted_by_reason(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """How many of how many, why, and how to see which; exit code 1."""
    rows = "SELECT CASE WHEN i % 4 > 0 THEN i::DOUBLE END AS x FROM range(3000) t(i)"
    query = f"SELECT count(predict(f)) AS n FROM ({rows}) f"

    assert 1 == code_of(package, "--json", query)

    out, err = capsys.readouterr()
    assert '{"n":2250}\n' == out
    assert [
        "750 of 3,000 rows asked about have no prediction (null):",
        "  750 × wrong_type (contract), first: field 'x': expected double, found no value",
        "  predict_error(f) says it row by row",
    ] == err.splitlines()


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["SELECT predict(g) FROM (SELECT 1 AS x) f"], 2, '"g" not found'),
        (["SELECT predict(f) FROM 'nothing.csv' f"], 2, "No files found"),
        (["SELECT predict_value({'x': 1})"], 2, "predict_value does not exist"),
        (["--save", "out.doc", "SELECT 1"], 2, "expected a file called"),
        (["--save", "out.csv", "SET threads = 2"], 2, "the query returns no rows"),
        (["COPY (SELECT 1) TO 'out.csv'"], 2, "--allow-external"),
        (["FROM read_text('/etc/hostname')"], 2, "--allow-external"),
        (["SELECT x::INT FROM (VALUES ('a')) f(x)"], 1, "Could not convert"),
    ],
)
def test_error_has_its_exit_code(
    package: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, text: str
) -> None:
    """2 for what the query must change, 1 for one that ended early; nothing on stdout."""
    assert code == code_of(package, *arguments)

    out, err = capsys.readouterr()
    assert "" == out
    assert err.startswith("error: ")
    assert text in err


def test_trusted_query_may_write_files(
    package: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is asked for; what comes on standard input is somebody else's otherwise."""
    script = f"COPY (SELECT 1 AS a) TO '{tmp_path}/out.csv'"
    for options, code in (([], 2), (["--allow-external"], 0)):
        monkeypatch.setattr("sys.stdin", io.StringIO(script))

        assert code == code_of(package, *options)

    assert "a\n1\n" == (tmp_path / "out.csv").read_text()
    capsys.readouterr()


def test_query_comes_from_standard_input(
    package: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no QUERY is given and no terminal is there."""
    monkeypatch.setattr("sys.stdin", io.StringIO("SELECT predict_label({'x': 0.5}) AS label;\n"))

    assert 0 == code_of(package, "--json")

    assert '{"label":"low"}\n' == capsys.readouterr().out
