"""A folder of a query's rows: replaced whole, or as it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from stream.errors import QueryError, QueryFailed
from stream.files import FORMATS
from stream.spark.saved_folder import check_rows, replaced


def old_folder(path: Path) -> None:
    """As Spark writes it."""
    path.mkdir()
    for name in ("part-0", "_SUCCESS", "._SUCCESS.crc"):
        (path / name).write_text("old")


def old_link(path: Path) -> None:
    """To a folder elsewhere."""
    old_folder(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


OLD: dict[str, Callable[[Path], object]] = {
    "nothing": lambda path: None,
    "file": lambda path: path.write_text("old"),
    "folder": old_folder,
    "link": old_link,
}


def names(folder: Path) -> list[str]:
    """All that is there, at any depth."""
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*"))


@pytest.mark.parametrize("make", OLD.values(), ids=OLD)
def test_what_was_there_is_replaced_at_the_end(tmp_path: Path, make: Callable[[Path], object]) -> None:
    """And is there until then; where a link leads stays."""
    path = tmp_path / "saved" / "o.parquet"
    path.parent.mkdir()
    make(path)
    before = set(names(path.parent))

    with replaced(path) as beside:
        beside.mkdir()
        (beside / "part-1").write_text("new")
        assert before <= set(names(path.parent))

    assert "new" == (path / "part-1").read_text()
    assert {"o.parquet", "o.parquet/part-1"} == {
        each for each in names(path.parent) if "elsewhere" not in each
    }
    assert {each for each in before if each.startswith("elsewhere")} <= set(names(path.parent))


@pytest.mark.parametrize("make", OLD.values(), ids=OLD)
def test_what_was_there_stays_when_the_query_fails(tmp_path: Path, make: Callable[[Path], object]) -> None:
    """And nothing is left beside it."""
    path = tmp_path / "o.parquet"
    make(path)
    before = names(tmp_path)

    def fail() -> None:
        with replaced(path) as beside:
            beside.mkdir()
            (beside / "part-1").write_text("new")
            raise QueryFailed

    with pytest.raises(QueryFailed):
        fail()

    assert before == names(tmp_path)


def test_what_was_there_stays_when_nothing_was_written(tmp_path: Path) -> None:
    """The rename fails then."""
    path = tmp_path / "o.parquet"
    old_folder(path)

    with pytest.raises(FileNotFoundError), replaced(path):
        pass

    assert ["._SUCCESS.crc", "_SUCCESS", "part-0"] == names(path)
    assert ["o.parquet"] == [each.name for each in tmp_path.iterdir()]


def test_a_folder_of_somebody_else_is_not_replaced(tmp_path: Path) -> None:
    """Whatever it is called."""
    (tmp_path / "o.csv").mkdir()
    (tmp_path / "o.csv" / "thesis.tex").write_text("all of it")

    with (
        pytest.raises(QueryError, match=r"a folder that Spark did not write, with thesis\.tex"),
        replaced(tmp_path / "o.csv"),
    ):
        pass

    assert "all of it" == (tmp_path / "o.csv" / "thesis.tex").read_text()


@pytest.mark.parametrize(
    ("kind", "part"), [("csv", 'a,b\n1,"x\ny"\n2,\n'), ("jsonl", '{"a": 1}\n{"a": 2}\n')], ids=["csv", "json"]
)
def test_rows_that_did_not_come_are_missed(tmp_path: Path, kind: str, part: str) -> None:
    """Rows, not lines."""
    (tmp_path / "part-0").write_text(part)
    (tmp_path / "_SUCCESS").write_text("")

    check_rows(tmp_path, FORMATS[kind], 2)
    with pytest.raises(QueryFailed, match="3 rows were written by the cluster, and 2 of them are here"):
        check_rows(tmp_path, FORMATS[kind], 3)
