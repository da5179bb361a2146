"""One row, every door: what a value is, and what becomes of an odd one, is the same wherever it comes from."""

from __future__ import annotations

import csv
import datetime as dt
import decimal
import io
import json
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import fastavro
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyRegressor

import stream
import stream.sql
from stream.batch import find_inputs
from stream.codec import Decoder, Encoder, RecordSchema, write_row
from stream.files import FORMATS, read_rows
from stream.pipeline import Pipeline
from stream.records import Batch, DeadLetter
from stream.scoring import carried_names
from stream.settings import ModelSettings, Settings
from stream.spark import Query, register_shipped, ship
from stream.spark.shipping import Shipped
from stream.sql import Session
from stream.store import Package, PackRequest, open_package, pack
from stream.table import TableScorer, record_reader
from stream.tasks import BatchOptions, planned, run_batch
from stream.types import AvroType, Bare, Misfit, choice_of, json_text, type_of
from tests.unit.codec.samples import container
from tests.unit.rest.models import door
from tests.unit.types.kinds import EVERY, avro, nullable

Outcome: TypeAlias = "dict[str, Any] | str"
"""A prediction as JSON has it, without the model; or the reason for which there is none."""

Score: TypeAlias = Callable[[Mapping[str, Any]], Outcome]
"""Scores one row."""

Door: TypeAlias = Callable[[Path, Package], AbstractContextManager[Score]]
"""Opens a way to score rows; the folder is its own."""

KINDS = {f"k{i}": kind for i, kind in enumerate(EVERY)}
FEATURES: dict[str, Any] = {
    "d": "double", "fl": "float", "n": "long", "i": "int", "nd": ["null", "double"], "nn": ["null", "long"],
    "c": {"type": "bytes", "logicalType": "decimal", "precision": 38, "scale": 2},
    "day": {"type": "int", "logicalType": "date"},
    "at": {"type": "long", "logicalType": "timestamp-micros"},
}  # fmt: skip
PLAIN: dict[str, Any] = {
    "d": 1.5, "fl": 0.5, "n": 7, "i": 3, "nd": None, "nn": None, "c": decimal.Decimal("-12.90"),
    "day": "2024-02-29", "at": "2013-10-19T08:00:00.000000Z",
}  # fmt: skip


class Sum(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Adds up what it is given; takes anything."""

    feature_names_in_ = tuple(FEATURES)
    _estimator_type = "regressor"

    def predict(self, X: pd.DataFrame) -> Any:  # noqa: N803
        """The sum of the numbers, a gap and NaN as 0.125, infinity as a million."""
        numbers = X.drop(columns=["day", "at"]).astype(float).fillna(0.125)
        return numbers.clip(-1e6, 1e6).sum(axis=1).to_numpy()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package with a feature per kind of number, which carries a field of every type."""
    fields = [{"name": name, "type": kind} for name, kind in FEATURES.items()]
    for name, kind in KINDS.items():
        named = json.loads(
            json.dumps(avro(kind)).replace('"Fixed"', f'"F{name}"').replace('"Colour"', f'"E{name}"')
        )
        fields.append({"name": name, "type": nullable(named), "default": None})
    schema = json.dumps({"type": "record", "name": "Event", "fields": fields})
    path = tmp_path_factory.mktemp("doors") / "sum"
    pack(Sum(), PackRequest("sum", path, carry=tuple(KINDS)), schema=schema)
    return path


@pytest.fixture(scope="module")
def package(folder: Path) -> Package:
    """The same, opened."""
    return open_package(folder)


# A row of values in each kind of file. Values are Python's own: a text is a text in all of them.


class Literally(str):
    """What stands in JSON as it is."""


def jsonl(row: Mapping[str, Any]) -> bytes:
    """Decimals as numbers, as they stand in JSON; dates and times in ISO 8601."""
    literal = (decimal.Decimal, Literally)
    marked = json.dumps(
        {k: f"@{v}@" if isinstance(v, literal) else v for k, v in row.items()},
        default=lambda v: v.isoformat(),
    )
    return marked.replace('"@', "").replace('@"', "").encode()


def csv_file(row: Mapping[str, Any]) -> bytes:
    """As Python writes the values; nothing for None."""
    out = io.StringIO()
    csv.writer(out).writerows([list(row), ["" if value is None else str(value) for value in row.values()]])
    return out.getvalue().encode()


def table(row: Mapping[str, Any]) -> pa.Table:
    """Columns of the types that Arrow finds."""
    return pa.table(
        {
            name: pa.repeat(value, 1) if isinstance(value, pa.Scalar) else pa.array([value])
            for name, value in row.items()
        }
    )


def as_event(package: Package, row: Mapping[str, Any]) -> tuple[RecordSchema, dict[str, Any]]:
    """The writer's schema is the reader's, but for an odd field, which is of its value's own type."""
    schema = json.loads(package.features)
    read = record_reader(RecordSchema(package.features).root, text=False)
    values = read({name: PLAIN.get(name, row.get(name)) for name in row})
    for one in schema["fields"]:
        name = one["name"]
        if name in PLAIN and row[name] != PLAIN[name]:
            one["type"], values[name] = written(row[name])
    return RecordSchema(json.dumps(schema)), values


def written(value: Any) -> tuple[Any, Any]:
    """A value's own Avro type, and how it is written."""
    if isinstance(value, decimal.Decimal):
        scale = max(0, -int(value.as_tuple().exponent))
        return {"type": "bytes", "logicalType": "decimal", "precision": 60, "scale": scale}, value
    if isinstance(value, dt.date):
        return {"type": "int", "logicalType": "date"}, value
    kinds: dict[type, Any] = {bool: "boolean", int: "long", float: "double", str: "string", bytes: "bytes"}
    return ("null", None) if value is None else (kinds[type(value)], value)


def avro_file(package: Package, row: Mapping[str, Any]) -> bytes:
    """A record with its writer's schema."""
    writer, values = as_event(package, row)
    return container(writer, [write_row(writer, values)])


# The doors.


def scored(scorer: TableScorer, content: bytes, kind: str, folder: Path) -> Outcome:
    """A file of one row, as `stream batch` reads it."""
    path = folder / f"row.{kind}"
    path.write_bytes(content)
    found = FORMATS[kind]
    with found.open(path) as file:
        (span,) = found.spans(file)
    (chunk,) = found.chunks(path, span, scorer.wanted)
    for fault in chunk.broken.values():
        return fault.reason
    rows = chunk.rows
    answer = scorer.score_rows(rows) if isinstance(rows, list) else scorer.score(rows, text=chunk.text)
    for fault in answer.faults.values():
        return fault.reason
    types = scorer.types
    return plain(
        {name: types[name].json_values(column)[0] for name, column in zip(
            answer.predictions.schema.names, answer.predictions.columns, strict=True)}
    )  # fmt: skip


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON has it, without the model and the place."""
    found: dict[str, Any] = json.loads(json_text(dict(row)))
    return {k: v for k, v in found.items() if not k.startswith("source_") and k not in ("model", "error")}


def on_the_stream(package: Package, writer: RecordSchema, value: bytes) -> Outcome:
    """What the worker does with a record's value."""
    reader, out = RecordSchema(package.features), RecordSchema(package.prediction)
    decoder = Decoder(reader, package.manifest.needed, "bare", writer)
    pipeline = Pipeline(
        decoder, package.model, Encoder(out), package.manifest.model, carried_names(package.manifest.carry)
    )
    values: list[bytes | None] = [value]
    (outcome,) = pipeline.process(Batch("t", [0], [0], [0], [None], values, [None]))
    if isinstance(outcome, DeadLetter):
        return outcome.reason
    assert isinstance(outcome, bytes)
    paths = [leaf.path for leaf in out.leaves()]
    columns = Decoder(out, paths, "bare", out).decode([outcome]).columns
    return plain({path: out.leaf(path).type.json_values(columns[path])[0] for path in paths})


@contextmanager
def through_kafka(folder: Path, package: Package) -> Iterator[Score]:
    """A record."""

    def score(row: Mapping[str, Any]) -> Outcome:
        writer, values = as_event(package, row)
        return on_the_stream(package, writer, write_row(writer, values))

    yield score


@contextmanager
def through_avro(folder: Path, package: Package) -> Iterator[Score]:
    """A file of a record."""
    scorer = TableScorer(package.model, package.features)

    def score(row: Mapping[str, Any]) -> Outcome:
        return scored(scorer, avro_file(package, row), "avro", folder)

    yield score


def through_files(kind: str, content: Callable[[Mapping[str, Any]], bytes]) -> Door:
    """A file of each row."""

    @contextmanager
    def through(folder: Path, package: Package) -> Iterator[Score]:
        scorer = TableScorer(package.model, package.features)
        yield lambda row: scored(scorer, content(row), kind, folder)

    return through


def parquet(row: Mapping[str, Any]) -> bytes:
    """Of the types that Arrow finds."""
    file = io.BytesIO()
    pq.write_table(table(row), file)
    return file.getvalue()


def through_sql(file: str = "", content: Callable[[Mapping[str, Any]], bytes] | None = None) -> Door:
    """`stream sql --json`: over a table, or over a file of each row."""

    @contextmanager
    def through(folder: Path, package: Package) -> Iterator[Score]:
        source = f"'{folder}/{file}'" if file else "rows"
        query = f"SELECT predict(f) AS p, predict_error(f).reason AS e FROM {source} f"
        registered = stream.sql.open_connection(package)
        with registered.connection as connection:
            session = Session(registered)

            def score(row: Mapping[str, Any]) -> Outcome:
                if content is None:
                    connection.register("rows", table(row))
                else:
                    (folder / file).write_bytes(content(row))
                ((line),) = [line for result in session.run(query) for line in session.json_lines(result)]
                found = json.loads(line)
                return str(found["e"]) if found["p"] is None else plain(found["p"])

            yield score

    return through


@contextmanager
def through_rest(folder: Path, package: Package) -> Iterator[Score]:
    """`POST /predict`; a 422 says which fields don't fit, each with its reason."""
    head = {"content-type": "application/json"}
    with door(package.path.parent.parent) as (client, _):

        def score(row: Mapping[str, Any]) -> Outcome:
            answer = client.post("/predict", content=jsonl(row), headers=head)
            return (
                plain(answer.json())
                if answer.status_code == 200
                else str(answer.json()["errors"][0]["reason"])
            )

        yield score


@contextmanager
def through_python(folder: Path, package: Package) -> Iterator[Score]:
    """`stream.load(…).predict` of a dict."""
    model = stream.load(package.path.parent.parent)

    def score(row: Mapping[str, Any]) -> Outcome:
        answer = model.predict(dict(row))
        return plain(answer) if answer["error"] is None else str(answer["error"]).partition(":")[0]

    yield score


DOORS: dict[str, Door] = {
    "kafka": through_kafka, "csv": through_files("csv", csv_file), "jsonl": through_files("jsonl", jsonl),
    "parquet": through_files("parquet", parquet), "avro": through_avro, "sql": through_sql(),
    "sql csv": through_sql("row.csv", csv_file), "sql parquet": through_sql("row.parquet", parquet),
    "rest": through_rest, "python": through_python,
}  # fmt: skip

HUGE = decimal.Decimal(2**100)
INF, NAN = math.inf, math.nan
D = decimal.Decimal

ODD: list[tuple[str, Any, str | float | None]] = [
    ("d", 2**53, 2**53), ("d", 2**53 + 1, "value_out_of_range"), ("d", -(2**53) - 1, "value_out_of_range"),
    ("d", 2**53 + 2, 2**53 + 2), ("d", D(2**60 + 1), "value_out_of_range"), ("d", HUGE, 2.0**100),
    ("d", D("1.1"), 1.1), ("d", D(2**100 + 1), "value_out_of_range"), ("d", 1e300, 1e300), ("d", INF, INF),
    ("d", -INF, -INF), ("d", NAN, NAN), ("nd", NAN, NAN), ("d", -0.0, 0.0),
    ("fl", 2**24, 2**24), ("fl", 2**24 + 1, "value_out_of_range"), ("fl", 0.1, 0.10000000149011612),
    ("fl", INF, INF), ("fl", NAN, NAN), ("n", 2**53 + 1, "value_out_of_range"), ("n", 2**62, 2.0**62),
    ("n", HUGE, "value_out_of_range"), ("n", D("4"), 4), ("n", D("4.5"), "wrong_type"), ("n", INF, "wrong_type"),
    ("n", NAN, "wrong_type"), ("nn", NAN, NAN), ("i", 2**31, "value_out_of_range"), ("i", 4.0, 4),
    ("i", 4.5, "wrong_type"), ("i", HUGE, "value_out_of_range"), ("c", D("-12.90"), -12.9),
    ("c", D("1.005"), "value_out_of_range"), ("c", 7, 7), ("c", 0.25, 0.25), ("c", 10**18, 10**18),
    ("c", D(10) ** 36, "value_out_of_range"), ("c", INF, "wrong_type"), ("c", "12.5", 12.5),
    ("c", "12,5", "wrong_type"),
    ("c", "ab", "wrong_type"), ("d", "ab", "wrong_type"), ("d", True, "wrong_type"), ("c", True, "wrong_type"),
    ("day", "9999-12-31", None), ("day", "10000-01-01", "wrong_type"), ("day", 2**31, "value_out_of_range"),
    ("at", "2024-13-01T00:00:00", "wrong_type"),
]  # fmt: skip
"""A field, a value, and what the model sees of it, or the reason for which the row is refused."""


def skipped(name: str, field: str, value: Any) -> bool:
    """What a door's own language can't say."""
    if isinstance(value, float) and not math.isfinite(value) and name in ("jsonl", "rest"):
        return True
    if name in ("csv", "sql csv"):
        return isinstance(value, bool) or (isinstance(value, float) and value == 4.0)
    kinds = {"d": (int, float), "nd": (int, float), "fl": (int,)}  # what Avro promotes
    return name == "kafka" and type(value) not in kinds.get(field, ())


@pytest.mark.parametrize(
    "name",
    [pytest.param(each, marks=[pytest.mark.slow] * (each in ("sql csv", "sql parquet"))) for each in DOORS],
)
def test_an_odd_value_has_one_outcome(name: str, tmp_path: Path, package: Package) -> None:
    """By every door that can say it: the model's answer for it, or the same reason."""
    wrong = []
    with DOORS[name](tmp_path, package) as score:
        for field, value, expected in [("d", 1.5, 1.5), *ODD]:
            if skipped(name, field, value):
                continue
            row = {**PLAIN, field: value}
            found = score(row)
            wanted = expected if isinstance(expected, str) else answer_for(row, field, expected)
            shown = found if isinstance(found, str) else found["value"]
            if shown != wanted:
                wrong.append((field, value, wanted, shown))

    assert [] == wrong


FILES_IN_SQL: dict[str, Door] = {"sql jsonl": through_sql("row.jsonl", jsonl)}
"""DuckDB reads JSON's numbers, so that not each odd one is what was written."""


@pytest.mark.parametrize("name", [*DOORS, *FILES_IN_SQL])
def test_a_carried_value_of_every_type_is_the_same(name: str, tmp_path: Path, package: Package) -> None:
    """Given as its text where the door has texts only, it is published as that text everywhere."""
    chance = random.Random(5)
    row, expected = dict(PLAIN), {}
    for field, kind in KINDS.items():
        column, _ = kind.from_values([kind.sample(chance)])
        (expected[field],) = kind.json_values(column)
        row[field] = expected[field]
        if name.endswith("csv"):
            row[field] = kind.csv_column(column)[0].as_py()
        if name in ("parquet", "sql", "sql parquet"):
            row[field] = column.cast(kind.duckdb_arrow if name == "sql" else kind.file_arrow)[0]
    with (DOORS | FILES_IN_SQL)[name](tmp_path, package) as score:
        found = score(row)

    assert isinstance(found, dict), found
    spelled = {field: found[field] for field in KINDS}
    if name == "python":  # it answers with Python's own values, which have no unit
        spelled = {field: respelled(KINDS[field], value) for field, value in spelled.items()}
    assert expected == spelled


UTC, EAST = dt.UTC, dt.timezone(dt.timedelta(hours=5))
DAYS_AND_INSTANTS: list[tuple[Any, str, str]] = [
    (dt.date(1969, 12, 31), "1969-12-31", "1969-12-31T00:00:00"),
    (dt.datetime(1969, 12, 31, 10, 30), "1969-12-31", "1969-12-31T10:30:00"),  # noqa: DTZ001
    (dt.datetime(2022, 5, 11, 1, tzinfo=EAST), "2022-05-10", "2022-05-10T20:00:00"),
    ("2022-05-11 10:30:00", "2022-05-11", "2022-05-11T10:30:00"),
]
"""A value, and how it is spelled as a date, and to the second as an instant in UTC."""

TIMES = {field: kind for field, kind in KINDS.items() if kind.name == "date" or "timestamp" in kind.name}


@pytest.mark.parametrize("name", [*(each for each in DOORS if each not in ("kafka", "avro")), *FILES_IN_SQL])
def test_a_date_is_its_midnight_and_an_instant_its_day(name: str, tmp_path: Path, package: Package) -> None:
    """By every door that has no schema of a writer, typed or as text."""
    with (DOORS | FILES_IN_SQL)[name](tmp_path, package) as score:
        for value, day, instant in DAYS_AND_INSTANTS:
            found = score({**PLAIN, **dict.fromkeys(TIMES, value)})

            assert isinstance(found, dict), (value, found)
            for field, kind in TIMES.items():
                spelled = respelled(kind, found[field]) if name == "python" else found[field]
                assert (day if kind.name == "date" else instant) == spelled[:19], (kind.name, value)


@pytest.mark.parametrize("name", ["kafka", "avro"])
def test_a_date_that_was_written_is_no_instant(name: str, tmp_path: Path, package: Package) -> None:
    """Avro promotes no date to a timestamp, on the stream or in a file."""
    with DOORS[name](tmp_path, package) as score:
        assert "wrong_type" == score({**PLAIN, "at": dt.date(2022, 5, 11)})


@pytest.mark.parametrize("nanos", [False, True])
@pytest.mark.parametrize(
    ("value", "branch"),
    [(dt.date(2022, 5, 11), "int"), ("2022-05-11", "int"), (dt.datetime(2022, 5, 11, tzinfo=UTC), "long"),
     ("2022-05-11T10:30:00Z", "long")],
)  # fmt: skip
def test_a_union_of_both_has_each_as_its_own(value: object, branch: str, nanos: bool) -> None:
    """Neither is made the other where it has a type of its own."""
    instant = type_of("long", f"timestamp-{'nanos' if nanos else 'micros'}")
    kind = choice_of([("int", type_of("int", "date")), ("long", instant)])

    assert [branch] == list(kind.read(value, text=False))


@pytest.mark.parametrize("day", [19_123, 2_932_897, -719_163])
def test_a_number_of_days_or_an_instant_in_a_file_of_avro_is_a_date(day: int) -> None:
    """Also where Python's calendar has ended."""
    date, instant = type_of("int", "date"), type_of("long", "timestamp-millis")

    days = [date.exact_value(day), Bare(day * 86_400_000 + 1, instant)]
    column, wrong = date.from_values([date.read(one, text=False) for one in days])

    assert {} == wrong
    assert [day, day] == date.to_storage(column).to_pylist()


def test_a_text_is_never_taken_for_a_date_where_it_may_be_a_text() -> None:
    """A union of a date and a text stays unclear for a text that looks like a date."""
    kind = choice_of([("int", type_of("int", "date")), ("string", type_of("string"))])

    with pytest.raises(Misfit, match="int or string"):
        kind.read("2022-05-11", text=False)


CLOCK = {field: kind for field, kind in KINDS.items() if kind.name.startswith("time-")}
FILES = ("csv", "jsonl", "sql csv", "sql jsonl", "rest", "python")


@pytest.mark.parametrize("name", FILES)
def test_a_text_of_no_time_of_day_is_out_of_range(name: str, tmp_path: Path, package: Package) -> None:
    """24:00 is no time, nor is it midnight, which is what DuckDB and Python make of it."""
    with (DOORS | FILES_IN_SQL)[name](tmp_path, package) as score:
        for field, text in zip(CLOCK, ("24:00:00", "08:60"), strict=True):
            assert "value_out_of_range" == score({**PLAIN, field: text}), text


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_a_column_of_times_has_those_of_one_day_only(unit: str, tmp_path: Path, package: Package) -> None:
    """Arrow's other times are dead rows, wherever they are, and its finer ones are rounded down."""
    per_second = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}[unit]
    kind = (pa.time32 if unit in ("s", "ms") else pa.time64)(unit)
    listed = next(field for field, one in KINDS.items() if one.full_name == "array<time-millis>")
    scorer = TableScorer(package.model, package.features)
    counts = [86_400 * per_second - 1, 86_400 * per_second, -1, None, 2**31 - 1 if per_second > 1 else 0]
    times = pa.array(counts, pa.int32() if unit in ("s", "ms") else pa.int64()).view(kind)
    lists = pa.ListArray.from_arrays(pa.array([0, 0, 1, 1, 1, 2], pa.int32()), times.take(pa.array([0, 1])))
    plain = table(PLAIN).take([0] * 5)
    for field in CLOCK:
        answer = scorer.score(plain.append_column(field, times).to_batches()[0], text=False)
        assert {1: "value_out_of_range", 2: "value_out_of_range"} == {
            i: fault.reason for i, fault in answer.faults.items() if i != 4
        }
    answer = scorer.score(plain.append_column(listed, lists).to_batches()[0], text=False)
    assert {4: "value_out_of_range"} == {i: fault.reason for i, fault in answer.faults.items()}


def test_a_time_in_a_zone_is_refused_in_a_frame_too(package: Package) -> None:
    """Arrow would drop the zone."""
    zoned = dt.time(8, tzinfo=EAST)
    frame = pd.DataFrame({**{name: [value] for name, value in PLAIN.items()}, next(iter(CLOCK)): [zoned]})

    (error,) = stream.load(package.path.parent.parent).predict(frame)["error"]

    assert str(error).startswith("wrong_type")


@pytest.mark.parametrize("value", [True, 7], ids=repr)
def test_a_json_number_is_no_text_in_sql_either(value: object, tmp_path: Path, package: Package) -> None:
    """Bytes and fixed have no numbers; a whole one is nanoseconds in their unit."""
    with through_sql("row.jsonl", jsonl)(tmp_path, package) as score:
        for field, kind in KINDS.items():
            if kind.name in ("bytes", "fixed") or (kind.name == "timestamp-nanos" and value != 7):
                assert "wrong_type" == score({**PLAIN, field: value}), kind.name
            elif kind.name == "timestamp-nanos":
                found = score({**PLAIN, field: value})
                assert isinstance(found, dict)
                assert "1970-01-01T00:00:00.000000007Z" == found[field]


@pytest.mark.parametrize("name", ["csv", "sql csv"])
def test_a_cell_of_bytes_is_what_is_written(name: str, tmp_path: Path) -> None:
    """`NA` too; nothing is no bytes where there must be some, else null."""
    kinds = {"d": "double", "must": "bytes", "may": ["null", "bytes"]}
    schema = {"type": "record", "name": "E", "fields": [{"name": k, "type": v} for k, v in kinds.items()]}
    model = DummyRegressor().fit(pd.DataFrame({"d": [1.0]}), [1.0])
    pack(model, PackRequest("m", tmp_path / "m", carry=("must", "may")), schema=json.dumps(schema))
    with DOORS[name](tmp_path, open_package(tmp_path / "m")) as score:
        found = [score({"d": 1, "must": text, "may": text}) for text in ("NA", "", "7")]

    assert [("NA", "NA"), ("", None), ("7", "7")] == [
        (one["must"], one["may"]) for one in found if isinstance(one, dict)
    ]


@pytest.mark.parametrize("field", ["day", "at"])
@pytest.mark.parametrize("name", ["csv", "sql csv"])
def test_a_bare_number_beyond_the_type_has_one_reason(
    name: str, field: str, tmp_path: Path, package: Package
) -> None:
    """Also where DuckDB would make a double of its column."""
    with DOORS[name](tmp_path, package) as score:
        assert "value_out_of_range" == score({**PLAIN, field: 2**70})


@pytest.mark.parametrize(
    ("moment", "micros"),
    [(dt.datetime(1, 1, 1, tzinfo=EAST), -62_135_614_800_000_000),
     (pd.Timestamp(np.datetime64("20000-01-01T01", "s")), 568_971_824_400_000_000)],
)  # fmt: skip
def test_an_instant_beyond_pythons_calendar_is_itself(moment: Any, micros: int, package: Package) -> None:
    """pandas has such, and UTC has them of the calendar's first hours; another type names it in its message."""
    day, at = type_of("int", "date"), type_of("long", "timestamp-micros")

    column, _ = at.from_values([at.read(moment, text=False)])
    days, _ = day.from_values([day.read(moment, text=False)])

    assert [micros] == at.to_storage(column).to_pylist()
    assert [micros // 86_400_000_000] == day.to_storage(days).to_pylist()
    with pytest.raises(Misfit, match="expected double"):
        type_of("double").read(moment, text=False)


NESTED = {field: kind for field, kind in KINDS.items() if kind.kind in ("map", "union")}


def test_a_tensor_of_texts_has_a_json_text_for_each_row(package: Package) -> None:
    """Open Inference has no type for maps and unions; what does not fit is named by its place."""
    chance = random.Random(5)
    given = dict(PLAIN) | {
        field: json.dumps(kind.json_value(kind.sample(chance))) for field, kind in NESTED.items()
    }
    types = RecordSchema(package.features).types()
    inputs = [
        {"name": name, "datatype": types[name].foreign.tensor, "shape": [1],
         "data": [str(value) if isinstance(value, decimal.Decimal) else value]}
        for name, value in given.items()
    ]  # fmt: skip
    field = next(field for field, kind in NESTED.items() if kind.full_name == "map<long>")
    with door(package.path.parent.parent) as (client, _):
        answer = client.post("/v2/models/sum/infer", json={"inputs": inputs})
        next(one for one in inputs if one["name"] == field)["data"] = ['{"a": "x"}']
        wrong = client.post("/v2/models/sum/infer", json={"inputs": inputs})

    assert 200 == answer.status_code, answer.text
    assert [f'{field}["a"]'] == [one["field"] for one in wrong.json()["errors"]]


def respelled(kind: AvroType, value: Any) -> Any:
    """As the type writes it."""
    column, _ = kind.from_values([kind.read(value, text=False)])
    return kind.json_values(column)[0]


# Spark, where a query takes seconds: one for all rows.


def through_spark(
    spark: Any, shipped: Shipped, folder: Path, kind: str, rows: Sequence[Mapping[str, Any]]
) -> list[Outcome]:
    """`stream sql --engine spark --json` over a file of each row."""
    content = {"parquet": parquet, "json": jsonl}[kind]
    parts = []
    for i, row in enumerate(rows):
        path = folder / f"{i}.{kind}"
        path.write_bytes(content(row))
        parts.append(
            f"SELECT {i} AS i, predict(struct(*)) AS p, predict_error(struct(*)).reason AS e FROM {kind}.`{path}`"
        )
    lines = map(json.loads, Query(spark, " UNION ALL ".join(parts), shipped).json_lines())
    found = {line["i"]: str(line["e"]) if line["p"] is None else plain(line["p"]) for line in lines}
    return [found[i] for i in range(len(rows))]


def carried_row(kind_of: Callable[[AvroType, pa.Array], Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A row with a value of every type, as a door is given it; and the values as JSON has them."""
    chance = random.Random(5)
    row, expected = dict(PLAIN), {}
    for field, kind in KINDS.items():
        column, _ = kind.from_values([kind.sample(chance)])
        (expected[field],) = kind.json_values(column)
        row[field] = kind_of(kind, column)
    return row, expected


@pytest.mark.spark
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", ["parquet", "json"])
def test_spark_sql_answers_as_every_door(spark: Any, folder: Path, tmp_path: Path, kind: str) -> None:
    """A carried value of every type is the same text; an odd value has one outcome."""
    shipped = ship(folder)
    register_shipped(spark, shipped)
    row, expected = carried_row(
        lambda each, column: (
            each.engine_column(column, lambda one: one.spark_arrow)[0]
            if kind == "parquet"
            else each.json_values(column)[0]
        )
    )
    odd = ODD if kind == "parquet" else []  # Spark reads JSON's numbers as doubles

    found, *others = through_spark(
        spark, shipped, tmp_path, kind, [row, *({**PLAIN, field: value} for field, value, _ in odd)]
    )

    assert isinstance(found, dict)
    assert expected == {field: found[field] for field in KINDS}
    wrong = []
    for (field, value, seen), outcome in zip(odd, others, strict=True):
        wanted = seen if isinstance(seen, str) else answer_for({**PLAIN, field: value}, field, seen)
        shown = outcome if isinstance(outcome, str) else outcome["value"]
        if wanted != shown:
            wrong.append((field, value, wanted, shown))
    assert [] == wrong


@pytest.mark.spark
@pytest.mark.timeout(900)
def test_spark_batch_answers_as_the_local_engine(
    spark: Any, folder: Path, package: Package, tmp_path: Path
) -> None:
    """Files of all four formats, with a value of every type and every odd value: the same rows, and the same dead."""
    inputs = tmp_path / "in"
    inputs.mkdir()
    forms: dict[str, Callable[[Mapping[str, Any]], bytes]] = {
        "csv": csv_file, "jsonl": jsonl, "parquet": parquet, "avro": lambda row: avro_file(package, row),
    }  # fmt: skip
    typed = {"csv": lambda kind, column: kind.csv_column(column)[0].as_py(),
             "parquet": lambda kind, column: column.cast(kind.file_arrow)[0]}  # fmt: skip
    for name, content in forms.items():
        row, _ = carried_row(typed.get(name, lambda kind, column: kind.json_values(column)[0]))
        (inputs / f"row.{name}").write_bytes(content(row))
        door = "kafka" if name == "avro" else name
        for i, (field, value, _) in enumerate(ODD):
            if not skipped(door, field, value):
                (inputs / f"{i}.{name}").write_bytes(content({**PLAIN, field: value}))

    local, cluster = (batch_lines(folder, inputs, tmp_path / engine, engine) for engine in ("local", "spark"))

    assert len(local[0]) > 3
    assert local == cluster


def batch_lines(package: Path, inputs: Path, output: Path, engine: Any) -> tuple[list[str], list[str]]:
    """What a run of `stream batch` writes: its rows, and the dead ones."""
    settings = replace(Settings(), model=ModelSettings(uri=str(package)))
    wish = BatchOptions(output, format="jsonl", engine=engine)
    plan = planned(find_inputs([str(inputs)]), wish, new_only=False, progress=lambda _: None)
    record, _ = run_batch(settings, plan, wish, lambda _: None)
    run = output / f"run={record.run}"
    rows = [
        line
        for part in sorted(run.glob("*.jsonl"))
        if part.name[0] != "_"
        for line in part.read_text().splitlines()
    ]
    return rows, (run / "_dead_rows.jsonl").read_text().splitlines()


def answer_for(row: Mapping[str, Any], field: str, expected: Any) -> float:
    """What the model says of a row in which it sees `expected`."""
    seen = {name: row[name] for name in FEATURES}
    if expected is not None:
        seen[field] = expected
    frame = pd.DataFrame([{k: v if k in ("day", "at") or v is None else float(v) for k, v in seen.items()}])
    return float(Sum().predict(frame)[0])


@pytest.mark.parametrize("name", ["jsonl", "rest"])
def test_a_json_number_that_is_too_large_is_one_dead_row(name: str, tmp_path: Path, package: Package) -> None:
    """Beyond float64's range, with five thousand digits, with an exponent of twenty: never infinity, never the end."""
    numbers = ("1e400", "-1e400", "9" * 5_000, "1e99999999999999999999", "9" * 400 + ".0")
    found = {}
    with DOORS[name](tmp_path, package) as score:
        for number in numbers:
            for field in ("d", "fl", "n", "i", "c"):
                found[number[:9], field] = score({**PLAIN, field: Literally(number)})

    assert {"value_out_of_range"} == set(map(str, found.values())), found


def test_an_avro_file_keeps_what_python_has_no_class_for(tmp_path: Path, package: Package) -> None:
    """Days and instants beyond the calendar, nanoseconds: the row has its answer; its neighbours too."""
    fields = [{"name": name, "type": kind} for name, kind in FEATURES.items()]
    nanos = {"type": "long", "logicalType": "timestamp-nanos"}
    carried = {kind.full_name: field for field, kind in KINDS.items()}
    fields.append({"name": carried["timestamp-nanos"], "type": nanos})
    schema = RecordSchema(json.dumps({"type": "record", "name": "Event", "fields": fields}))
    read = record_reader(schema.root, text=False)
    rows = [
        read({**PLAIN, "day": 2_932_897, "at": 2**62, carried["timestamp-nanos"]: 1_382_169_600_123_456_789}),
        read({**PLAIN, carried["timestamp-nanos"]: 0}),
    ]
    path = tmp_path / "rows.avro"
    with path.open("wb") as file:
        fastavro.writer(file, schema.parsed, rows)

    found = [row.values for row in read_rows(path)]
    scorer = TableScorer(package.model, package.features)
    answer = scorer.score_rows(found)

    assert {} == answer.faults
    spelled = scorer.types[carried["timestamp-nanos"]].json_values(
        answer.predictions[carried["timestamp-nanos"]]
    )
    assert ["2013-10-19T08:00:00.123456789Z", "1970-01-01T00:00:00.000000000Z"] == spelled


@pytest.mark.parametrize("gap", [None, pd.NA, pd.NaT, math.nan, D("NaN"), D("sNaN")], ids=repr)
def test_marks_of_a_missing_value_are_null(gap: object, package: Package) -> None:
    """pandas' and decimal's, in fields that may be null and in those that may not."""
    scorer = TableScorer(package.model, package.features)
    for field, reason in (("nn", None), ("n", "wrong_type"), ("c", "wrong_type"), ("at", "wrong_type")):
        faults = scorer.score_rows([{**PLAIN, field: gap}]).faults

        assert reason == (faults[0].reason if faults else None), field
    carried = [{**PLAIN, **dict.fromkeys(KINDS, gap)}]
    if not isinstance(gap, D):
        assert {} == scorer.score_rows(carried).faults
