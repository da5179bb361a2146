"""Schemas inferred from samples, and what is said about them."""

from __future__ import annotations

import decimal
import json
from pathlib import Path
from typing import Any

import fastavro
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pandas._libs.parsers import STR_NA_VALUES  # type: ignore[import-not-found]

from stream.codec import RecordSchema
from stream.errors import SampleError
from stream.files import Inferred, events_of, infer_schema, read_events, read_sample, sample_of

DECIMAL = {"type": "bytes", "logicalType": "decimal", "precision": 38}
MICROS = {"type": "long", "logicalType": "timestamp-micros"}
MILLIS = {"type": "long", "logicalType": "timestamp-millis"}
DATE = {"type": "int", "logicalType": "date"}


def _types(inferred: Inferred) -> dict[str, Any]:
    return {field["name"]: field["type"] for field in json.loads(inferred.text)["fields"]}


def _csv(tmp_path: Path, *cells: str) -> Inferred:
    (tmp_path / "s.csv").write_text("x,y\n" + "".join(f'"{cell}",1\n' for cell in cells))
    return infer_schema(read_sample(tmp_path / "s.csv"), "s")


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1", "-2"], "long"), (["1", "2.5"], "double"), (["1", ""], ["null", "long"]),
        (["true", "False"], "boolean"),
        (["2024-01-01", "2024-02-29"], DATE), (["2024-01-01", "2024-02-30"], "string"),
        (["2024-01-01 10:00", "2024-01-01T10:00:01.5Z"], MICROS), (["a", "1"], "string"), (["1", "a"], "string"),
        (["", ""], ["null", "double"]), (["NA", "1"], ["null", "long"]),
        (["99999999999999999999"], "double"), (["1e5"], "double"), (["1", " 2", "3 "], "long"), (["\t1.5"], "double"),
        (["0", "1"], "long"), (["a", ""], ["null", "string"]), (["NA", "NA"], ["null", "double"]),
        (["<NA>", "2024-01-01"], ["null", DATE]), (["#N/A", "true"], ["null", "boolean"]), (["NA", "a"], "string"),
    ],
)  # fmt: skip
def test_csv_column_has_the_narrowest_type_that_all_cells_fit(
    tmp_path: Path, cells: list[str], expected: object
) -> None:
    """An empty cell makes it nullable; so does what pandas reads as missing, unless it is a column of texts."""
    assert expected == _types(_csv(tmp_path, *cells))["x"]


@pytest.mark.parametrize("cell", sorted(STR_NA_VALUES - {""}))
def test_cell_that_pandas_reads_as_missing_is_null_in_a_column_of_numbers(tmp_path: Path, cell: str) -> None:
    """The sample that made a schema fits it."""
    inferred = _csv(tmp_path, "1.5", cell)

    assert ["null", "double"] == _types(inferred)["x"]
    assert [1.5, None] == [
        event["x"] for event in read_events(tmp_path / "s.csv", RecordSchema(inferred.text))
    ]


def test_finding_names_a_text_that_pandas_reads_as_missing(tmp_path: Path) -> None:
    """In a column of texts it is one; whoever fitted the model on pandas' frame had none there."""
    assert any("row 3 has 'NA', which is a text here" in line for line in _csv(tmp_path, "a", "NA").findings)


def test_finding_names_the_row_that_made_it_a_text(tmp_path: Path) -> None:
    """So that a stray cell can be corrected."""
    inferred = _csv(tmp_path, "1", "2", "n/k")

    assert any("row 4 has 'n/k', which is not among whole numbers" in line for line in inferred.findings)


def test_column_with_leading_zeros_is_a_text(tmp_path: Path) -> None:
    """A column of postcodes looks like numbers; the finding names the row that says otherwise."""
    inferred = _csv(tmp_path, "90210", "00501")

    assert "string" == json.loads(inferred.text)["fields"][0]["type"]
    assert any("row 3 has '00501', whose leading zeros a number would lose" in f for f in inferred.findings)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["2013-01-05", "2013-02-06"], "date"),
        (["2013-01-05T10:00:00", "2013-02-06T11:30:00Z"], "timestamp-micros"),
        (["2013-01-05", "soon"], "string"),
        (["12", "13"], "string"),
    ],
)
def test_iso_dates_of_json_are_dates(tmp_path: Path, texts: list[str], expected: str) -> None:
    """JSON has no dates of its own; its numbers are written without quotes."""
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps({"when": text}) + "\n" for text in texts))

    [field] = json.loads(infer_schema(read_sample(path), "a").text)["fields"]

    kind = field["type"]
    assert expected == (kind if isinstance(kind, str) else kind["logicalType"])


def test_finding_counts_the_rows_without_value(tmp_path: Path) -> None:
    """Nullable has a reason."""
    assert any("1 of 3 rows have no value" in line for line in _csv(tmp_path, "1", "", "2").findings)


def test_column_known_as_text_stays_one(tmp_path: Path) -> None:
    """A model that was fitted on the text "1" must not be given the number."""
    (tmp_path / "s.csv").write_text("zip\n01234\n04321\n")

    inferred = infer_schema(read_sample(tmp_path / "s.csv"), "s", texts=["zip"])

    assert {"zip": "string"} == _types(inferred)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([1], pa.int8()), "int"), (pa.array([1], pa.uint16()), "int"), (pa.array([1], pa.int32()), "int"),
        (pa.array([1], pa.uint32()), "long"), (pa.array([1]), "long"), (pa.array([1], pa.float32()), "float"),
        (pa.array([1.0]), "double"), (pa.array([None], pa.float64()), ["null", "double"]),
        (pa.array([float("nan")]), ["null", "double"]), (pa.array(["a"]), "string"),
        (pa.array(["a"], pa.large_string()), "string"), (pa.array(["a"]).dictionary_encode(), "string"),
        (pa.array([True]), "boolean"), (pa.array([b"a"]), "bytes"), (pa.array([1], pa.date32()), DATE),
        (pa.array([1], pa.timestamp("ms")), MILLIS), (pa.array([1000], pa.timestamp("ns", "UTC")), MICROS),
        (pa.array([[1.0]]), {"type": "array", "items": "double"}),
        (pa.array([[1, 2]], pa.list_(pa.int32(), 2)), {"type": "array", "items": "int"}),
        (pa.array([None]), ["null", "double"]),
    ],
)  # fmt: skip
def test_arrow_column_has_its_own_type(array: pa.Array, expected: object) -> None:
    """Parquet and frames say what they hold."""
    assert expected == _types(infer_schema(sample_of(pa.table({"x": array})), "s"))["x"]


NANOS = {"type": "long", "logicalType": "timestamp-nanos"}
LOSSLESS = {
    "ns": (pa.array([123_456_789], pa.timestamp("ns")), NANOS),
    "zone": (pa.array([123_456_789], pa.timestamp("ns", "Europe/Berlin")), NANOS),
    "list": (pa.array([[1]], pa.list_(pa.timestamp("ns"))), {"type": "array", "items": NANOS}),
    "view": (pa.array([[7]], pa.list_view(pa.int64())), {"type": "array", "items": "long"}),
    "large": (pa.array([[7]], pa.large_list(pa.int64())), {"type": "array", "items": "long"}),
    "half": (pa.array([0.1], pa.float16()), "float"),
    "unsigned": (pa.array([2**63 - 1], pa.uint64()), "long"),
    "hundreds": (pa.array([decimal.Decimal("1500")], pa.decimal128(5, -2)), {**DECIMAL, "scale": 0}),
    "small": (pa.array([decimal.Decimal("1.5")], pa.decimal32(5, 1)), {**DECIMAL, "scale": 1}),
    "binary": (pa.array([b"\xff"], pa.binary_view()), "bytes"),
    "fixed": (pa.array([b"ab"], pa.binary(2)), "bytes"),
    "text": (pa.array(["a"], pa.string_view()), "string"),
    "category": (pa.array([7, 8]).dictionary_encode(), "long"),
    "runs": (pa.RunEndEncodedArray.from_arrays([2], [7]), "long"),
    "json": (pa.array(["{}"], pa.json_()), "string"),
    "uuid": (pa.array([b"1234567890123456"], pa.uuid()), {"type": "string", "logicalType": "uuid"}),
    "seconds": (pa.array([7], pa.timestamp("s")), MILLIS),
}


@pytest.mark.parametrize("name", LOSSLESS)
def test_a_carried_column_keeps_every_digit(name: str) -> None:
    """Whatever Arrow has for it; its values are read as they are."""
    array, expected = LOSSLESS[name]
    sample = sample_of(pa.table({"x": array}))

    inferred = infer_schema(sample, "s", carried=("x",))

    schema = RecordSchema(inferred.text)
    assert expected == _types(inferred)["x"]
    found = [event["x"] for event in events_of(sample, schema)]
    column, wrong = schema.leaf("x").type.from_values(found)
    assert {} == wrong
    if name in ("uuid", "runs", "category"):
        return
    again = column.cast(array.type) if pa.types.is_timestamp(array.type) else column
    assert array.to_pylist() == again.to_pylist()


def test_nanoseconds_that_a_model_takes_are_rounded_and_said(tmp_path: Path) -> None:
    """Carried as well, they are one column; Avro has no time of nanoseconds."""
    table = pa.table({"x": pa.array([1], pa.timestamp("ns")), "t": pa.array([1], pa.time64("ns"))})

    inferred = infer_schema(sample_of(table), "s", needed=("x",), carried=("x", "t"))

    assert MICROS == _types(inferred)["x"]
    assert 2 == sum("nanoseconds are rounded down" in finding for finding in inferred.findings)


@pytest.mark.parametrize(
    "array",
    [pa.array([1], pa.duration("us")), pa.array([pa.MonthDayNano([1, 2, 3])])],
    ids=str,
)
def test_a_carried_column_that_avro_has_no_type_for_is_named(array: pa.Array) -> None:
    """It is left out; whoever carries it is told that it is not there."""
    inferred = infer_schema(sample_of(pa.table({"x": array, "y": [1]})), "s", carried=("x",))

    assert any("'x' is left out: Avro has no type" in finding for finding in inferred.findings)


@pytest.mark.parametrize(
    "array", [pa.array([1], pa.duration("us")), pa.array([pa.MonthDayNano([1, 2, 3])])], ids=str
)
@pytest.mark.parametrize("needed", ["a b", "a_b"])
def test_a_needed_column_that_avro_has_no_type_for_is_refused(array: pa.Array, needed: str) -> None:
    """Packing would end later, without the reason; it may be called by either of its names."""
    with pytest.raises(SampleError, match="column 'a b': Avro has no type for"):
        infer_schema(sample_of(pa.table({"a b": array, "y": [1]})), "s", needed=(needed, "y"))


@pytest.mark.parametrize(
    ("column", "precision"),
    [(pa.decimal128(9, 2), 38), (pa.decimal128(38, 2), 38), (pa.decimal256(50, 2), 76)],
    ids=str,
)
def test_a_carried_decimal_stays_one(column: pa.DataType, precision: int) -> None:
    """Its value is repeated as it is, in a struct and a list too; a model takes the others as doubles."""
    value = decimal.Decimal("-12.90")
    table = pa.table(
        {
            "a b": pa.array([value], column),
            "m": pa.array([value], column),
            "s": pa.array([{"d": value}], pa.struct([("d", column)])),
            "l": pa.array([[value]], pa.list_(column)),
        }
    )
    kept = {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": 2}

    found = _types(infer_schema(sample_of(table), "s", carried=("a_b", "s.d", "l")))

    assert (kept, "double") == (found["a_b"], found["m"])
    assert ["null", kept] == found["s"]["fields"][0]["type"]
    assert kept == found["l"]["items"]


def test_column_that_avro_has_no_type_for_is_left_out_and_named() -> None:
    """The others are kept."""
    table = pa.table({"x": pa.array([1], pa.duration("s")), "y": pa.array([1.0])})

    inferred = infer_schema(sample_of(table), "s")

    assert {"y": "double"} == _types(inferred)
    assert any("'x' is left out" in line for line in inferred.findings)


def test_awkward_names_become_legal_and_keep_the_original() -> None:
    """Two that would be one are told apart; one that is legal already stays."""
    names = ["mean radius (cm)", "mean radius [cm]", "mean_radius__cm_", "2nd", "größe", "a.b", ""]
    frame = pd.DataFrame([[1.0] * len(names)], columns=names)

    inferred = infer_schema(sample_of(frame), "my model!")
    schema = json.loads(inferred.text)

    assert "my_model_" == schema["name"]
    legal = [field["name"] for field in schema["fields"]]
    assert [
        "mean_radius__cm__2",
        "mean_radius__cm__3",
        "mean_radius__cm_",
        "_2nd",
        "gr__e",
        "a_b",
        "_",
    ] == legal
    assert names == [field.get("feature", field["name"]) for field in schema["fields"]]
    fastavro.parse_schema(schema)


def test_nested_struct_becomes_a_record_with_nullable_fields() -> None:
    """Arrow doesn't say which can't be null."""
    table = pa.table({"home": [{"city": "York", "size": 3}]})

    schema = RecordSchema(infer_schema(sample_of(table), "s").text)

    assert ["home.city", "home.size"] == [leaf.path for leaf in schema.leaves()]
    assert [{"home": {"city": "York", "size": 3}}] == list(events_of(sample_of(table), schema))


def test_json_lines_have_the_types_of_their_values(tmp_path: Path) -> None:
    """Whole numbers and others are doubles; a key that a line lacks makes it nullable."""
    (tmp_path / "s.jsonl").write_text('{"a": 1, "b": "2024-01-01", "c": [1, 2.5]}\n{"a": 1.5, "b": "x"}\n')

    assert {
        "a": "double", "b": "string", "c": ["null", {"type": "array", "items": "double"}]
    } == _types(infer_schema(read_sample(tmp_path / "s.jsonl"), "s"))  # fmt: skip


def test_json_column_of_several_types_is_refused_by_row(tmp_path: Path) -> None:
    """Both are shown."""
    (tmp_path / "s.jsonl").write_text('{"a": 1}\n{"a": "x"}\n')

    with pytest.raises(SampleError, match=r"column 'a' holds .* str \(row 2\), int \(row 1\)"):
        infer_schema(read_sample(tmp_path / "s.jsonl"), "s")


def test_avro_file_keeps_its_own_schema(tmp_path: Path) -> None:
    """Logical types, names and defaults included."""
    schema = {"type": "record", "name": "n.E", "fields": [{"name": "x", "type": "int", "default": 3}]}
    with (tmp_path / "s.avro").open("wb") as file:
        fastavro.writer(file, fastavro.parse_schema(schema), [{"x": 1}])

    inferred = json.loads(infer_schema(read_sample(tmp_path / "s.avro"), "s").text)

    assert ("n.E", 3) == (inferred["name"], inferred["fields"][0]["default"])


def test_frame_with_a_mixed_column_is_refused_by_name() -> None:
    """pandas holds anything, Avro doesn't."""
    with pytest.raises(SampleError, match="x"):
        sample_of(pd.DataFrame({"x": np.array([1, "a", None], dtype=object)}))


def test_sample_without_rows_is_refused(tmp_path: Path) -> None:
    """Nothing can be learnt from it."""
    (tmp_path / "s.csv").write_text("a,b\n")

    with pytest.raises(SampleError, match="has no rows"):
        infer_schema(read_sample(tmp_path / "s.csv"), "s")


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["19/10/2013", "1/2/2014"], "row 2 has '19/10/2013', a date as day/month/year"),
        (["2013-01-02", "2/1/2013"], "row 3 has '2/1/2013', a date as day/month/year or as month/day/year"),
        (["01/02/2013"], "a date as day/month/year or as month/day/year"),
        (["", "0,5", "1", "2.5"], "row 3 has '0,5', a number with a decimal comma"),
        (["1", "12%"], "row 3 has '12%', a percentage"),
    ],
)
def test_finding_names_numbers_and_dates_in_another_spelling(
    tmp_path: Path, cells: list[str], said: str
) -> None:
    """They are texts, as to pandas."""
    inferred = _csv(tmp_path, *cells)

    assert any(said in line for line in inferred.findings)
    assert "string" in str(_types(inferred)["x"])


def test_needed_column_of_numbers_in_another_spelling_is_refused(tmp_path: Path) -> None:
    """A model of numbers can't take texts; one that is known to take texts gets them."""
    path = tmp_path / "s.csv"
    path.write_text("x;y\n0,5;1\n2;1\n")
    sample = read_sample(path)

    for needed in (["x"], []):
        with pytest.raises(
            SampleError, match=r"s\.csv: column 'x': row 2 has '0,5', a number with a decimal"
        ):
            infer_schema(sample, "s", needed=needed)
    assert "string" == _types(infer_schema(sample, "s", needed=["y"]))["x"]
    assert "string" == _types(infer_schema(sample, "s", needed=["x"], texts=["x"]))["x"]


def test_mixed_texts_are_not_taken_for_numbers(tmp_path: Path) -> None:
    """One text that is no number makes it a column of texts."""
    (tmp_path / "s.csv").write_text('x\n"0,5"\nsmall\n')

    inferred = infer_schema(read_sample(tmp_path / "s.csv"), "s", needed=["x"])

    assert "string" == _types(inferred)["x"]


@pytest.mark.parametrize("needed", [["a"], []])
def test_index_that_pandas_wrote_is_left_out(tmp_path: Path, needed: list[str]) -> None:
    """Of csv and parquet, unless the model says that it takes it; the finding says so."""
    frame = pd.DataFrame({"a": [1.5, 2.5]}, index=pd.Index([7, 9]))
    frame.to_csv(tmp_path / "s.csv")
    frame.to_parquet(tmp_path / "s.parquet")

    for name, index in (("s.csv", "Unnamed: 0"), ("s.parquet", "__index_level_0__")):
        sample = read_sample(tmp_path / name)
        inferred = infer_schema(sample, "s", needed=needed)
        assert {"a": "double"} == _types(inferred)
        assert any(f"'{index}' left out" in line for line in inferred.findings)
        assert 2 == len(_types(infer_schema(sample, "s", needed=["a", index])))


def test_csv_whose_separator_was_not_found_is_refused(tmp_path: Path) -> None:
    """It has one column, which the model does not know."""
    (tmp_path / "s.csv").write_text("a b\n1 2\n")

    with pytest.raises(SampleError, match="has one column, 'a b', and lacks 'a', 'b'") as caught:
        infer_schema(read_sample(tmp_path / "s.csv"), "s", needed=["a", "b"])

    assert "--delimiter" in str(caught.value.hint)


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    """In every format that can hold them; of a frame and a table too."""
    table = pa.table([pa.array([1]), pa.array([2]), pa.array([3])], names=["x", "y", "x"])
    pq.write_table(table, tmp_path / "s.parquet")
    (tmp_path / "s.csv").write_text("x,y,x\n1,2,3\n")
    with pa.ipc.new_file(tmp_path / "s.arrow", table.schema) as file:
        file.write_table(table)
    frame = pd.DataFrame([[1, 2, 3]], columns=["x", "y", "x"])

    for name in ("s.parquet", "s.csv", "s.arrow"):
        with pytest.raises(SampleError, match=rf"{name}: two columns are called x"):
            read_sample(tmp_path / name)
    for given in (table, frame):
        with pytest.raises(SampleError, match="two columns are called x"):
            sample_of(given)


def test_columns_whose_names_differ_by_case_are_two(tmp_path: Path) -> None:
    """As to pandas."""
    (tmp_path / "s.csv").write_text("x,X\n1,a\n")

    assert {"x": "long", "X": "string"} == _types(infer_schema(read_sample(tmp_path / "s.csv"), "s"))
