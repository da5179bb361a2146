"""Which character separates a csv's cells: found in its first rows, named, or asked for; and what a header may be."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest

from stream.batch import find_inputs, plan_inputs
from stream.errors import SampleError, SettingsError
from stream.files import Limits, file_notes, infer_schema, read_frame, read_rows, read_sample
from stream.files.csv_dialect import read_header

FRAME = pd.DataFrame(
    {
        "id": ["a", "b; c", "d, e", "f\tg", 'say "h|i"', "two\nlines"],
        "x": [0.5, -1, 2e10, 3, 4, 5],
        "y": range(6),
    }
)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separator_is_found(tmp_path: Path, separator: str) -> None:
    """Whatever the texts hold: the cells are those that pandas reads when it is told, whole and in parts."""
    path = tmp_path / "f.csv"
    FRAME.to_csv(path, sep=separator, index=False)
    (given,) = find_inputs([str(path)])
    units = plan_inputs([given], limits=Limits(block_bytes=16)).units
    chunks = [chunk for unit in units for span in unit.spans for chunk in given.chunks(span, list)]

    expected = pd.read_csv(path, sep=separator, dtype=str)

    assert expected.to_dict("records") == [row.values for row in read_rows(path)]
    assert expected.to_dict("records") == [
        row for c in chunks for row in (c.rows if isinstance(c.rows, list) else c.rows.to_pylist())
    ]
    assert expected.to_dict("list") == read_frame(path).to_dict("list")
    named = [] if separator == "," else [f"{path}: its cells are separated by {separator!r}"]
    assert named == file_notes(path) == list(infer_schema(read_sample(path), "f").findings[: len(named)])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("size;weight\n1\n2\n", ("size;weight",)),  # one column, as its rows say
        ("a\n1;2\n3;4\n", ("a",)),
        ("id;x\n1;0,5\n2;0,7\n", ("id", "x")),  # decimal commas
        ("id;x, in cm\n1;0,5\n", ("id;x", " in cm")),  # a comma fits as well, and is as many columns
        ("id,tags;more\n1,a;b\n2,c\n", ("id", "tags;more")),
        ('"a;b";"c"\n1;2\n', ("a;b", "c")),
        ("a;b;c\n1;2;3\n1;2\n4;5;6\n", ("a", "b", "c")),  # a broken row is one
        ("a;b\n", ("a", "b")),
        ("sep=|\nx;y|z\n1|2\n", ("x;y", "z")),
        ("sep=;\r\na;b\r\n1;2\r\n", ("a", "b")),
        ("\ufeffa;b\n1;2\n", ("a", "b")),
        ("", ()),
        ("a b\n1 2\n", ("a b",)),  # a blank is not tried: texts hold blanks
        (",a,\n0,1,2\n", ("Unnamed: 0", "a", "Unnamed: 2")),
        (";a\n0;1\n", ("Unnamed: 0", "a")),
    ],
)  # fmt: skip
def test_header_is_read_with_the_separator_of_the_rows(text: str, expected: tuple[str, ...]) -> None:
    """What the first rows fit; where they say nothing, a comma."""
    assert expected == read_header(io.BytesIO(text.encode())).names


def test_file_that_may_be_separated_in_two_ways_is_refused(tmp_path: Path) -> None:
    """With both ways; the one that is given is taken."""
    path = tmp_path / "f.csv"
    path.write_text("id;x, in cm;y\n1;0,5;2\n2;0,7;3\n")

    with pytest.raises(SampleError, match=r"separated by ',' \(2 columns\) or ';' \(3 columns\)") as caught:
        read_sample(path)

    assert "give --delimiter" == caught.value.hint
    assert ["id", "x, in cm", "y"] == list(read_frame(path, ";"))


def test_wrong_separator_is_refused(tmp_path: Path) -> None:
    """With the one that the rows have."""
    path = tmp_path / "f.csv"
    path.write_text("id;x\n1;2\n")

    with pytest.raises(
        SampleError, match=r"it has one column, 'id;x'; its rows are separated by ';'"
    ) as caught:
        read_sample(path, ",")

    assert "--delimiter ';'" in str(caught.value.hint)


@pytest.mark.parametrize("given", ["", ";;", "§", "a", "1", '"', "\n", "."])
def test_character_that_can_not_separate_is_refused(tmp_path: Path, given: str) -> None:
    """Before the file is read."""
    (tmp_path / "f.csv").write_text("a,b\n")

    with pytest.raises(SettingsError, match="--delimiter"):
        read_sample(tmp_path / "f.csv", given)


def test_any_other_character_may_be_given(tmp_path: Path) -> None:
    """A blank, say; of a tab-separated file likewise."""
    (tmp_path / "f.csv").write_text("a b\n1 2\n")
    (tmp_path / "f.tsv").write_text("a:b\n1:2\n")

    assert {"a": "1", "b": "2"} == next(read_rows(tmp_path / "f.csv", " ")).values
    assert {"a": "1", "b": "2"} == next(read_rows(tmp_path / "f.tsv", ":")).values


@pytest.mark.parametrize(
    ("content", "message", "hint"),
    [
        ("x,é\n1,2\n".encode("cp1252"), r"f\.csv:1: the header is not UTF-8: byte 0xe9", "iconv -f cp1252"),
        (
            "x,y\n1,é\n".encode("cp1252"),
            r"f\.csv:2: a cell is not UTF-8: column 'y' has the byte 0xe9",
            "cp1252",
        ),
        ("x,y\n1,2\n".encode("utf-16"), r"f\.csv: is UTF-16, not csv in UTF-8", "iconv -f utf-16"),
        (b"PK\x03\x04", "is a zip file, not csv", "what it is"),
        (b"x,y\n1,2,3\n", r"f\.csv:2: expected 2 cells as in the header, found 3", "row names"),
    ],
)
def test_csv_in_another_encoding_or_shape_is_refused(
    tmp_path: Path, content: bytes, message: str, hint: str
) -> None:
    """With the first byte that isn't UTF-8, and a command that makes it so."""
    path = tmp_path / "f.csv"
    path.write_bytes(content)

    with pytest.raises(SampleError, match=message) as caught:
        read_sample(path)

    assert hint in str(caught.value.hint)
