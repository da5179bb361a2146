"""A csv's column of numbers with fractions is seen to be one at once, and nothing else is taken for one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stream.files import infer_schema, read_sample


@pytest.mark.parametrize(
    ("last", "avro"),
    [
        ("2.5", "double"),
        ("-0.25e-3", "double"),
        ("2", "double"),
        ("1e999", "double"),
        ("02.5", "string"),
        ("2.5 kg", "string"),
        ('"2.5\n3.5"', "string"),
        ("", ["null", "double"]),
        ("NA", ["null", "double"]),
    ],
)
def test_the_last_cell_counts_as_much_as_the_first(tmp_path: Path, last: str, avro: object) -> None:
    """A single cell decides."""
    file = tmp_path / "rows.csv"
    file.write_text(f"x,y\n1.5,a\n-0.5,b\n{last},c\n", "utf-8")
    schema = json.loads(infer_schema(read_sample(file), "rows").text)
    assert schema["fields"][0]["type"] == avro
