"""`stream.load(...).predict`: the same kind back, the estimator's own answers, a reason where there is none."""

from __future__ import annotations

import copy
import datetime as dt
import logging
import pickle
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression
from threadpoolctl import threadpool_info  # type: ignore[import-untyped]

import stream
from stream.scoring import same_answer
from stream.store import open_package
from stream.table import ColumnReader
from tests.acceptance import visits
from tests.unit.rest.models import pack_people
from tests.unit.store.estimators import CASES, CASES_BY_TURNS, expected_answers

COLUMNS = ["id", "label", "score", "model", "error"]


@pytest.fixture(scope="module")
def model(package: Path) -> stream.Model:
    """The classifier of visits."""
    return stream.load(package)


@pytest.fixture
def frame() -> pd.DataFrame:
    """Twenty visits under an index of their own."""
    return pd.DataFrame(
        [visits.visit(n) for n in range(20)], index=[f"visit {n}" for n in range(20)], dtype=None
    )


def own(frame: pd.DataFrame) -> list[str]:
    """What the estimator itself says of a frame."""
    labels: list[str] = visits.estimator().predict(frame[["channel", "pages", "seconds"]]).tolist()
    return labels


def listed(answers: Any) -> list[dict[str, Any]]:
    """A table of any kind as dicts."""
    if isinstance(answers, pd.DataFrame):
        return [
            {str(name): None if value is pd.NA or value != value else value for name, value in row.items()}
            for row in answers.to_dict("records")
        ]
    rows: list[dict[str, Any]] = (
        answers.to_dicts() if isinstance(answers, pl.DataFrame) else answers.to_pylist()
    )
    return rows


def same(one: object, other: object) -> bool:
    """Whether answers are the same; a batch of another size rounds differently."""
    return same_answer(one, other, 1e-9, 1e-9)


def test_importing_the_package_waits_for_no_library() -> None:
    """Nothing but the standard library is loaded, and nothing is started."""
    script = """
import sys
before = set(sys.modules)
import stream, threading
new = {name.partition(".")[0] for name in set(sys.modules) - before}
sys.exit(sorted(new - set(sys.stdlib_module_names) - {"stream"}) or threading.active_count() - 1)
"""
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)

    assert (0, "") == (done.returncode, done.stderr)


def test_loading_needs_neither_kafka_nor_faust(package: Path) -> None:
    """A notebook or a route has the model without the stream's libraries."""
    script = f"""
import sys
import stream
stream.load({str(package)!r}).predict([])
sys.exit(sorted({{"confluent_kafka", "faust", "starlette", "pydantic"}} & set(sys.modules)) or 0)
"""
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)

    assert (0, "") == (done.returncode, done.stderr)


def test_frame_gets_the_estimators_own_answers_under_its_index(
    model: stream.Model, frame: pd.DataFrame
) -> None:
    """Whatever the order of its columns; others are ignored, and it is not changed."""
    given = frame[["seconds", "id", "pages", "channel"]].assign(
        other=pd.Series([object()] * 20, index=frame.index)
    )
    before = given.copy()
    found = model.predict(given)

    pd.testing.assert_index_equal(frame.index, found.index)
    pd.testing.assert_frame_equal(before, given)
    assert COLUMNS == list(found.columns)
    assert own(frame) == found["label"].tolist()
    assert ["visits@1"] == found["model"].unique().tolist()
    assert list(range(20)) == found["id"].tolist()
    assert found["error"].isna().all()


KINDS: dict[str, Callable[[pd.DataFrame], Any]] = {
    "frame": lambda frame: frame,
    "nullable dtypes": lambda frame: frame.convert_dtypes(),
    "arrow dtypes": lambda frame: frame.convert_dtypes(dtype_backend="pyarrow"),
    "categories": lambda frame: frame.astype({"channel": "category", "pages": "category"}),
    "objects": lambda frame: frame.astype(object),
    "arrow": lambda frame: pa.Table.from_pandas(frame, preserve_index=False),
    "record batch": lambda frame: pa.RecordBatch.from_pandas(frame, preserve_index=False),
    "chunks": lambda frame: pa.concat_tables(
        [pa.Table.from_pandas(frame[:7], preserve_index=False), pa.Table.from_pandas(frame[7:], preserve_index=False)]
    ),
    "polars": lambda frame: pl.DataFrame(frame.astype(object).where(frame.notna(), None).to_dict("records")),
    "polars categories": lambda frame: pl.from_pandas(frame).with_columns(pl.col("channel").cast(pl.Categorical)),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_table_gets_the_same_answers_in_its_kind(
    model: stream.Model, frame: pd.DataFrame, kind: str
) -> None:
    """Also empty, and then with the same columns and types."""
    given = KINDS[kind](frame)
    found, empty = model.predict(given), model.predict(given[:0] if kind != "chunks" else given.slice(0, 0))

    assert type(given) is type(found) is type(empty)
    assert same(listed(model.predict(frame)), listed(found))
    schemas = [
        (table.schema if not isinstance(table, pd.DataFrame) else table.dtypes.to_dict())
        for table in (found, empty)
    ]
    assert schemas[0] == schemas[1]
    assert 0 == len(empty)


def test_rows_as_dicts_get_the_same_answers_as_dicts(model: stream.Model, frame: pd.DataFrame) -> None:
    """A list for a list, a dict for a dict."""
    rows = [visits.visit(n) for n in range(20)]
    expected = listed(model.predict(frame))

    assert same(expected, model.predict(rows))
    assert same(expected, [model.predict(row) for row in rows])
    assert same(expected, model.predict(tuple(rows)))
    assert [] == model.predict([])


@pytest.mark.parametrize(
    "index",
    [
        pd.MultiIndex.from_product([["a", "b"], range(10)], names=["part", "row"]),
        pd.Index([1] * 20),
        pd.date_range("2024-01-01", periods=20, tz="Europe/Paris"),
    ],
    ids=["levels", "duplicates", "dates"],
)
def test_any_index_is_kept(model: stream.Model, frame: pd.DataFrame, index: pd.Index) -> None:
    """As it is, also in the parts in which a frame is scored."""
    found = model.predict(frame.set_axis(index))

    pd.testing.assert_index_equal(index, found.index)
    assert own(frame) == found["label"].tolist()


def test_frame_of_several_parts_is_answered_in_order(model: stream.Model) -> None:
    """A frame is scored in parts; every row has its own answer."""
    frame = pd.DataFrame([visits.visit(n) for n in range(1_000)] * 40).assign(id=range(40_000))
    found = model.predict(frame)

    assert list(range(40_000)) == found["id"].tolist()
    assert own(frame) == found["label"].tolist()


BAD: dict[str, tuple[str, object, str]] = {
    "text for a number": ("pages", "many", "wrong_type: field 'pages': expected int, found 'many'"),
    "digits in a text": ("pages", "12", "wrong_type: field 'pages': expected int, found '12'"),
    "fraction": ("pages", 1.5, "wrong_type: field 'pages': expected int, found 1.5"),
    "too large": ("pages", 2**70, "value_out_of_range: field 'pages': 1180591620717411303424 is out of range for int"),
    "missing": ("channel", None, "wrong_type: field 'channel': expected string, found no value"),
    "missing to pandas": ("channel", pd.NA, "wrong_type: field 'channel': expected string, found no value"),
    "complex": ("seconds", 1j, "wrong_type: field 'seconds': expected double, found "),
    "list": ("seconds", [1.0], "wrong_type: field 'seconds': expected double, found [1.0]"),
}  # fmt: skip


@pytest.mark.parametrize("kind", ["frame", "polars", "rows"])
@pytest.mark.parametrize("bad", BAD)
def test_row_that_does_not_fit_has_nulls_and_its_reason(
    model: stream.Model, frame: pd.DataFrame, bad: str, kind: str
) -> None:
    """The others are scored as if it were not there."""
    column, value, reason = BAD[bad]
    rows = [visits.visit(n) for n in range(20)]
    rows[3][column] = value
    if kind == "frame":
        objects = {name: pd.Series([row[str(name)] for row in rows], dtype=object) for name in frame}
        found = listed(model.predict(pd.DataFrame(objects)))
    elif kind == "polars":
        if value is pd.NA:
            rows[3][column] = None
        objects_of = [
            pl.Series(str(name), [row[str(name)] for row in rows], dtype=pl.Object) for name in frame
        ]
        found = listed(model.predict(pl.DataFrame(objects_of)))
    else:
        found = model.predict(rows)

    assert found[3].pop("error").startswith(reason)
    assert [None] == list(set(found[3].values()))
    assert own(frame.drop("visit 3")) == [row["label"] for i, row in enumerate(found) if i != 3]
    assert all(row["error"] is None for i, row in enumerate(found) if i != 3)


class Channel(Enum):
    """As programs hold such texts."""

    MAIL = "mail"


@pytest.mark.parametrize(
    "change",
    [
        {"pages": np.int8(3)},
        {"pages": np.float64(3)},
        {"pages": np.array(3)},
        {"pages": Decimal(3)},
        {"seconds": np.float32(12.5)},
        {"seconds": Decimal("12.5")},
        {"channel": np.str_("mail")},
        {"channel": Channel.MAIL},
        {"channel": np.array("mail")},
    ],
    ids=lambda change: "-".join(f"{name}-{type(value).__name__}" for name, value in change.items()),
)
def test_scalars_of_other_libraries_are_values(model: stream.Model, change: dict[str, Any]) -> None:
    """In a dict, and as objects in a frame."""
    plain = {"id": 1, "channel": "mail", "pages": 3, "seconds": 12.5}
    given = plain | change
    frame = pd.DataFrame(
        {name: pd.Series([value, plain[name]], dtype=object) for name, value in given.items()}
    )

    assert model.predict(plain) == model.predict(given)
    assert same([model.predict(plain)] * 2, listed(model.predict(frame)))


@pytest.mark.parametrize("gap", [None, np.nan, pd.NA, pd.NaT, np.float32("nan")], ids=repr)
def test_gap_of_any_spelling_is_null(model: stream.Model, gap: object) -> None:
    """Where the field may be null."""
    row = visits.visit(1)

    assert model.predict(row | {"seconds": None}) == model.predict(row | {"seconds": gap})


def test_nan_is_one_thing_in_every_kind(tmp_path: Path) -> None:
    """The estimator's own answer where a field of numbers must not be null, in a frame as in a dict."""
    frame = pd.DataFrame({"a": np.arange(40.0), "b": np.arange(40.0) % 7})
    estimator = HistGradientBoostingRegressor(max_iter=5, min_samples_leaf=2).fit(
        frame, frame["a"] * frame["b"]
    )
    model = stream.pack(estimator, name="m", sample=frame, out=tmp_path / "m")
    gaps = frame.assign(b=frame["b"].where(frame["a"] > 20))
    own = estimator.predict(gaps).tolist()

    assert same(own, model.predict(gaps)["value"].tolist())
    assert same(own, model.predict(pl.from_pandas(gaps, nan_to_null=False))["value"].to_list())
    assert same(own, [row["value"] for row in model.predict(gaps.to_dict("records"))])


CARRIED: dict[str, tuple[object, object, str]] = {
    "dec": ({"type": "bytes", "logicalType": "decimal", "precision": 20, "scale": 2},
            Decimal("-123456789012345678.90"), "object"),
    "time": ({"type": "int", "logicalType": "time-millis"}, dt.time(8, 0, 1), "object"),
    "instant": ({"type": "long", "logicalType": "timestamp-micros"},
                dt.datetime(2020, 1, 1, 8, tzinfo=dt.UTC), "datetime64[us, UTC]"),
    "nanos": ({"type": "long", "logicalType": "timestamp-nanos"},
              pd.Timestamp("2020-01-01T00:00:00.123456789Z"), "datetime64[ns, UTC]"),
    "clock": ({"type": "long", "logicalType": "local-timestamp-millis"},
              dt.datetime.fromisoformat("2020-01-01T08:00:00"), "datetime64[ms]"),
    "big": ("long", 2**60 + 1, "int64"),
    "yes": ("boolean", True, "bool"),
    "list": ({"type": "array", "items": "long"}, [1, 2], "object"),
    "error": ("string", "mine", "str"),
    "raw": ("bytes", b"\x00\xff", "object"),
}  # fmt: skip


def test_carried_values_come_back_as_they_were(tmp_path: Path) -> None:
    """In a dict and in a frame, none of them rounded; a field called `error` keeps its name."""
    fields = [{"name": "x", "type": "double"}, *({"name": n, "type": t} for n, (t, _, _) in CARRIED.items())]
    estimator = LinearRegression().fit(pd.DataFrame({"x": [1.0, 2.0]}), [1.0, 2.0])
    schema = {"type": "record", "name": "R", "fields": fields}
    model = stream.pack(estimator, name="m", schema=schema, carry=list(CARRIED), out=tmp_path / "m")
    row = {"x": 1.0} | {name: value for name, (_, value, _) in CARRIED.items()}
    found, frame = model.predict(row), model.predict(pd.DataFrame([row]))

    assert {name: row[name] for name in CARRIED} == {name: found[name] for name in CARRIED}
    assert found["prediction_error"] is None
    assert [kind for _, _, kind in CARRIED.values()] == [str(frame[name].dtype) for name in CARRIED]
    for name in CARRIED:
        assert np.array_equal(row[name], frame[name][0]), name  # type: ignore[arg-type]
    far = model.predict(row | {"instant": 2**62})
    assert (2**62, None) == (far["instant"], far["prediction_error"])


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        (pd.Series(np.arange(3, dtype=np.float16)), None),
        (pd.Series(np.arange(3, dtype=np.longdouble)), None),
        (pd.Series(np.arange(3, dtype=">f8")), None),
        (pd.Series(pd.arrays.SparseArray([0.0, 1.0, 0.0])), None),
        (pd.Series([1, 2, 3], dtype="Int8"), None),
        (pd.Series(pd.Categorical([5, 7, 5])), None),
        (pl.Series([1, 2, 2**53], dtype=pl.Int128), None),
        (pl.Series(["1", "2.5", "3"]).cast(pl.Decimal(12, 2)), None),
        (pd.Series(pd.period_range("2020", periods=3)), "wrong_type"),
        (pd.Series(pd.interval_range(0, 3)), "wrong_type"),
        (pd.Series(pd.to_timedelta([1, 2, 3], unit="s")), "wrong_type"),
        (pd.Series(pd.to_datetime(["2020-01-01"] * 3)), "wrong_type"),
        (pl.Series([dt.time(1)] * 3), "wrong_type"),
        (pl.Series(["a", "b", "a"], dtype=pl.Categorical), "wrong_type"),
    ],
    ids=lambda column: str(getattr(column, "dtype", "")),
)
def test_column_of_any_type_is_a_number_or_not(
    model: stream.Model, column: pd.Series | pl.Series, reason: str | None
) -> None:
    """What stores a number without being one is no number."""
    numbers = [None if reason else float(value) for value in column.to_list()]
    rows = [{"channel": "mail", "pages": 1, "seconds": number} for number in numbers]
    given: Any = pd.DataFrame if isinstance(column, pd.Series) else pl.DataFrame
    found = listed(model.predict(given({"channel": ["mail"] * 3, "pages": [1] * 3, "seconds": column})))

    if reason is None:
        assert same(model.predict(rows), found)
    else:
        assert [reason] * 3 == [row["error"].partition(":")[0] for row in found]


def test_model_is_not_pickled(model: stream.Model) -> None:
    """It says how it gets to another process."""
    for copied in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match=r"stream.load it there"):
            copied(model)


def test_dates_of_any_library_are_instants(tmp_path: Path) -> None:
    """Carried through unchanged, whatever unit or zone they were given in."""
    model = stream.load(pack_people(tmp_path / "people"))
    seen = dt.datetime(2024, 2, 29, 12, tzinfo=dt.UTC)
    row = {"id": "p", "age": 40, "body mass (kg)": 60.5, "city": "Bath"}
    given = [
        seen,
        pd.Timestamp(seen),
        np.datetime64("2024-02-29T12:00:00"),
        np.datetime64("2024-02-29T12:00:00.000000000"),
        "2024-02-29T12:00:00Z",
        pd.Timestamp(seen).tz_convert("Asia/Tokyo"),
    ]

    assert [seen] * 6 == [model.predict(row | {"seen": value})["seen"] for value in given]
    for unit in ("s", "ms", "us", "ns"):
        times = pd.Series(np.array(["2024-02-29T12:00:00"] * 2, f"datetime64[{unit}]"))
        frame = pd.DataFrame([row, row]).assign(seen=times)
        assert [pd.Timestamp(seen)] * 2 == model.predict(frame)["seen"].tolist()


def test_missing_column_of_a_table_is_refused_with_the_nearest_name(
    model: stream.Model, frame: pd.DataFrame
) -> None:
    """Before anything is scored; in the index it is said to be there."""
    with pytest.raises(
        stream.InputError, match=r"no column 'pages', which visits@1 needs.*\n.*rename 'Pages'"
    ):
        model.predict(frame.rename(columns={"pages": "Pages"}))
    with pytest.raises(stream.InputError, match=r"'pages' is in the index: use X.reset_index"):
        model.predict(frame.set_index("pages"))
    with pytest.raises(stream.InputError, match=r"no column 'channel', 'pages'"):
        model.predict(pa.table({"seconds": [1.0]}))


def test_missing_key_of_a_dict_is_its_error_with_the_nearest_name(model: stream.Model) -> None:
    """A row of a loop is not an exception."""
    row = {"channel": "mail", "Pages": 3}

    assert model.predict(row)["error"].endswith("did you mean 'Pages'?")
    assert ["did you mean 'Pages'?"] == [model.predict([row])[0]["error"].split("; ")[1]]


@pytest.mark.parametrize(
    "given",
    [pd.DataFrame({"A": [1.0, 2.0]}), pa.table({"A": [1.0]}), pl.DataFrame({"A": [1.0]}), pd.DataFrame(index=[0])],
    ids=["pandas", "Arrow", "polars", "no column"],
)  # fmt: skip
def test_table_without_any_column_of_the_model_is_refused(optional: stream.Model, given: Any) -> None:
    """Where each column has a default: an answer from defaults alone would be about nothing."""
    with pytest.raises(stream.InputError, match="no column 'a', 'b', one of which small@1 needs; there are "):
        optional.predict(given)


def test_row_without_any_column_of_the_model_has_no_prediction(optional: stream.Model) -> None:
    """Its neighbours have one."""
    said = "expected at least one of 'a', 'b', found none"

    found = optional.predict([{"b": 1.0}, {"A": 1.0}, {}, {"a": None}])

    assert [True, False, False, True] == [row["value"] is not None for row in found]
    assert [None, True, True, None] == [row["error"] and said in row["error"] for row in found]


@pytest.fixture(scope="module")
def optional(tmp_path_factory: pytest.TempPathFactory) -> stream.Model:
    """Of two columns, either of which may be missing."""
    frame = pd.DataFrame({"a": [1.0, None, 3.0, 4.0], "b": [None, 1.0, 2.0, 3.0]})
    fitted = HistGradientBoostingRegressor().fit(frame, [1.0, 2.0, 3.0, 4.0])
    return stream.pack(fitted, name="small", sample=frame, out=tmp_path_factory.mktemp("small") / "small")


def test_default_that_is_taken_is_said_once(
    package: Path, frame: pd.DataFrame, caplog: pytest.LogCaptureFixture
) -> None:
    """With the name that was perhaps meant."""
    model = stream.load(package)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            model.predict(frame.rename(columns={"seconds": "Seconds"}))
            model.predict({"channel": "mail", "pages": 1})

    assert [
        "visits@1: no column 'seconds': its default null is taken in every row; did you mean 'Seconds'?"
    ] == [record.getMessage() for record in caplog.records]


def test_two_columns_of_one_name_are_refused(model: stream.Model, frame: pd.DataFrame) -> None:
    """Where the model takes them; others are ignored, be they called as they like."""
    twice = pd.concat([frame, frame[["pages"]]], axis=1)
    with pytest.raises(stream.InputError, match="several columns called 'pages'"):
        model.predict(twice)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    with pytest.raises(stream.InputError, match="several columns called 'pages'"):
        model.predict(table.append_column("pages", table["pages"]))
    foreign = pd.concat([frame, frame.assign(x=1)[["x"]], frame.assign(x=2)[["x"]]], axis=1)

    assert own(frame) == model.predict(foreign)["label"].tolist()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.zeros((2, 3)), r"found numpy ndarray\n  try: name its columns"),
        (pd.Series([1.0]), r"found pandas Series\n  try: give a frame"),
        (pl.LazyFrame({"x": [1]}), r"found polars LazyFrame\n  try: give X.collect"),
        ([[1, 2]], r"X\[0\]: expected a dict, found list\n  try: name the values"),
        ("rows.csv", "found str\n  try: read the file first"),
        (pd.DataFrame({("a", "b"): [1]}), "names of 2 levels"),
        (None, "found NoneType"),
    ],
    ids=["array", "series", "lazy", "lists", "path", "levels", "none"],
)
def test_other_kinds_are_refused_with_a_way(model: stream.Model, given: object, message: str) -> None:
    """Never guessed."""
    with pytest.raises(stream.InputError, match=message):
        model.predict(given)


def test_types_of_a_frames_answers_are_the_documented_ones(model: stream.Model, frame: pd.DataFrame) -> None:
    """Whole numbers stay whole, also beside a row that has none."""
    whole = model.predict(frame)
    broken = model.predict(
        frame.astype({"channel": object}).assign(channel=lambda f: f["channel"].where(f["id"] > 0))
    )

    assert ["int64", "str", "float64", "str", "str"] == [str(kind) for kind in whole.dtypes]
    assert ["Int64", "str", "float64", "str", "str"] == [str(kind) for kind in broken.dtypes]


def test_carried_fields_may_be_left_out(model: stream.Model, frame: pd.DataFrame) -> None:
    """They are null then: the answer does not need them."""
    found = model.predict(frame.drop(columns="id"))

    assert own(frame) == found["label"].tolist()
    assert found["id"].isna().all()
    assert model.predict({"channel": "mail", "pages": 1})["id"] is None


def test_threads_get_their_own_answers_and_the_process_its_threads_back(
    package: Path, frame: pd.DataFrame
) -> None:
    """Two models asked by eight threads at once; the limit on BLAS ends with the calls."""
    before = [library["num_threads"] for library in threadpool_info()]
    models = [stream.load(package), stream.load(package)]
    rows = [visits.visit(n) for n in range(20)]
    expected = models[0].predict(rows)

    def ask(n: int) -> bool:
        row = models[n % 2].predict(rows[n % 20])
        whole = listed(models[n % 2].predict(frame)) if n % 10 == 0 else expected
        return same(expected[n % 20], row) and same(expected, whole)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(100)))
    assert before == [library["num_threads"] for library in threadpool_info()]


def test_numbers_of_a_frame_are_not_copied(model: stream.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read of a frame's float64 column is the frame's own memory."""
    seen: list[pa.Table] = []
    read = ColumnReader.from_table

    def watched(self: ColumnReader, batch: Any, text: Any) -> Any:
        seen.append(batch)
        return read(self, batch, text)

    monkeypatch.setattr(ColumnReader, "from_table", watched)
    frame = pd.DataFrame({"channel": ["mail"] * 9, "pages": range(9), "seconds": np.arange(9.0)})
    model.predict(frame)

    assert np.shares_memory(seen[0]["seconds"].to_numpy(), frame["seconds"].to_numpy())


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("name", CASES_BY_TURNS)
def test_any_estimator_gives_its_own_answers_in_frames_and_rows(name: str, tmp_path: Path) -> None:
    """Packed from memory, and asked with the owner's own frame."""
    case = CASES[name]()
    options: Any = case.options
    model = stream.pack(case.estimator, name="m", sample=case.sample, out=tmp_path / "m", **options)
    found, rows = model.predict(case.sample), model.predict(case.sample.to_dict("records"))

    assert found["error"].isna().all()
    for field, values in expected_answers(case, open_package(tmp_path / "m")).items():
        given = [value.tolist() if isinstance(value, np.ndarray) else value for value in found[field]]
        exact = field in ("label", "labels")
        assert values == given if exact else same(values, given)
        assert same(given, [row[field] for row in rows])
