"""Where a recipe's rows come from."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from stream.errors import Refused, SampleError, SettingsError
from stream.files import read_rows, tables
from stream.training.checks import check_fields
from stream.training.overrides import overridden, parameters
from stream.training.recipe import read_recipe
from stream.training.training_rows import fingerprint, inferred_schema, load_rows, read_table

RECIPE = """
NAME = "visits"
FEATURES = ["age", "plan", "since", "active"]
TARGET = "left"
SPLIT = "random"
CARRY = ["id"]
DATA = "visits.csv"


def estimator():
    raise NotImplementedError
"""

CSV = """id,age,plan,since,active,left
a1,30,NA,2024-01-02,true,1
a2,NA,basic,2024-01-03,false,0
a3,41.5,,2024-01-04,NA,
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """A recipe on a csv file."""
    (tmp_path / "visits.csv").write_text(CSV)
    (tmp_path / "visits.py").write_text(RECIPE)
    return tmp_path / "visits.py"


def test_csv_cells_mean_what_they_mean_elsewhere(recipe: Path) -> None:
    """`NA` is a missing value among numbers, dates and booleans, and a text among texts; an empty cell is missing."""
    rows = load_rows(read_recipe(recipe))

    assert [30.0, None, 41.5] == rows["age"].astype(object).where(rows["age"].notna(), None).tolist()
    assert ["NA", "basic"] == rows["plan"].dropna().tolist()
    assert pd.Timestamp("2024-01-03", tz="UTC") == rows["since"][1]
    assert [True, False] == rows["active"].dropna().tolist()
    assert [1, 0] == rows["left"].dropna().tolist()


@pytest.mark.parametrize("name", ["visit no", "visit_no"])
def test_carried_column_under_either_of_its_names(recipe: Path, name: str) -> None:
    """A column that Avro can't name is carried by its original name or by the legal one."""
    (recipe.parent / "visits.csv").write_text(CSV.replace("id,age", "visit no,age"))
    recipe.write_text(RECIPE.replace('CARRY = ["id"]', f'CARRY = ["{name}"]'))
    plan = read_recipe(recipe)

    text, _ = inferred_schema(plan, load_rows(plan))

    assert ("visit_no", "visit no") == tuple(
        json.loads(text)["fields"][0][key] for key in ("name", "feature")
    )
    check_fields(recipe, "rows", text, plan.features, plan.carry)
    with pytest.raises(SettingsError, match="no field 'visitor'"):
        check_fields(recipe, "rows", text, plan.features, ("visitor",))


def test_inferred_schema_allows_null_where_any_row_has_none(recipe: Path) -> None:
    """The events' schema is that of the features and carried fields, and of nothing else."""
    plan = read_recipe(recipe)
    text, findings = inferred_schema(plan, load_rows(plan))
    fields = {field["name"]: field["type"] for field in json.loads(text)["fields"]}

    assert ["id", "age", "plan", "since", "active"] == list(fields)
    assert ("string", ["null", "double"]) == (fields["id"], fields["age"])
    assert any("may be null: 1 of 3" in finding for finding in findings)


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_other_formats_hold_the_same_rows(recipe: Path, kind: str) -> None:
    """A file's format makes no difference to its rows."""
    frame = pd.DataFrame({"x": [1.5, 2.5], "t": ["a", "b"]})
    path = recipe.parent / f"rows.{kind}"
    if kind == "parquet":
        frame.to_parquet(path)
    else:
        frame.to_json(path, orient="records", lines=True)

    assert frame.to_dict("list") == read_table(path).to_dict("list")


def test_load_gets_the_path_where_there_is_data(recipe: Path) -> None:
    """With both, the function reads the file; --data gives it another."""
    recipe.write_text(
        RECIPE + "\n\ndef load(path):\n    import pandas\n    return pandas.read_csv(path, sep=';')\n"
    )
    other = recipe.parent / "other.txt"
    other.write_text("id;age;plan;since;active;left\nb1;1;x;2024;1;0\n")

    assert ["b1"] == load_rows(overridden(read_recipe(recipe), data=other))["id"].tolist()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "there is no .*visits.csv"),
        ("id,age\n", "gives no column|no rows"),
        ("a,a\n1,2\n", "two columns are called a"),
        (CSV + "a4,1\n", "expected 6 cells"),
        (CSV.replace("left\n", "gone\n"), "gives no column 'left'"),
        (CSV.replace(",1\n", ",inf\n"), "1 rows have an infinite left"),
        (CSV.replace(",1\n", ",\n").replace(",0\n", ",\n"), "no row has a left"),
    ],
    ids=["missing", "header only", "twice", "ragged", "no target", "infinite", "no truth"],
)
def test_file_that_cant_be_used_is_named(recipe: Path, content: str | None, said: str) -> None:
    """Which file, and what is wrong with it."""
    data = recipe.parent / "visits.csv"
    if content is None:
        data.unlink()
    else:
        data.write_text(content)

    with pytest.raises((SettingsError, SampleError), match=said) as caught:
        load_rows(read_recipe(recipe))

    assert "visits" in caught.value.message


def test_data_for_a_recipe_without_is_refused(recipe: Path) -> None:
    """--data is never silently ignored."""
    recipe.write_text(RECIPE.replace('DATA = "visits.csv"', "def load(): pass"))

    with pytest.raises(SettingsError, match="has no DATA"):
        overridden(read_recipe(recipe), data=Path("x.csv"))


def test_load_that_returns_nothing_is_refused(recipe: Path) -> None:
    """A forgotten `return` is said."""
    recipe.write_text(RECIPE.replace('DATA = "visits.csv"', "def load(): pass"))

    with pytest.raises(SettingsError, match=r"load\(\) returned a NoneType"):
        load_rows(read_recipe(recipe))


def test_load_that_takes_no_path_beside_data_is_refused(recipe: Path) -> None:
    """The call's own words say what is wrong."""
    recipe.write_text(RECIPE + "\n\ndef load(): pass\n")

    with pytest.raises(Refused, match="takes 0 positional arguments but 1 was given"):
        load_rows(read_recipe(recipe))


def test_fingerprint_changes_with_a_value_and_not_with_others_columns(recipe: Path) -> None:
    """It speaks of what is learned from, and of nothing else."""
    plan = read_recipe(recipe)
    rows = load_rows(plan)

    assert fingerprint(plan, rows) == fingerprint(plan, rows.assign(id="z"))
    assert fingerprint(plan, rows) != fingerprint(plan, rows.assign(age=1.0))


def test_parameters_are_json_or_texts() -> None:
    """Numbers, null and lists are taken as such, anything else as text."""
    assert {"a": 1, "b": None, "c": [1.5], "d": "gini"} == parameters(
        ["a=1", "b=null", "c=[1.5]", "d=gini"], "--set"
    )
    with pytest.raises(SettingsError, match="expected NAME=VALUE"):
        parameters(["alpha"], "--set")


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,x\n\n2,\n3,NA\n",
        'a,b\n1,"x, y"\n2,"two\nlines"\n3,""\n',
        "\ufeffa,b\r\n1,naïve\r\n2,\r\n",
        'a,b\n"1",5" pipe\n2,x\n',
    ],
    ids=["blank line", "quotes", "byte order mark", "quote within a cell"],
)
def test_csv_frame_has_the_rows_that_are_read_one_by_one(tmp_path: Path, text: str) -> None:
    """A file is one table, whoever reads it."""
    path = tmp_path / "rows.csv"
    path.write_bytes(text.encode())

    frame = read_table(path)

    assert [row.values["b"] for row in read_rows(path)] == [
        None if pd.isna(value) else value for value in frame["b"]
    ]
    assert [int(row.values["a"]) for row in read_rows(path)] == frame["a"].tolist()


def test_csv_row_beyond_the_sample_that_is_broken_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cell too few is never a missing value."""
    monkeypatch.setattr(tables, "SAMPLE_ROWS", 1)
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n1,x\n2,y\n3\n")

    with pytest.raises(SampleError, match=r"rows\.csv: can't be read: row 3: expected 2 cells"):
        read_table(path)
