"""A column at once is what its values are one by one, for every type of the table."""

from __future__ import annotations

import datetime as dt
import decimal
from functools import partial
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.types import AvroType, Misfit
from tests.unit.types.kinds import EVERY, title

CELLS = st.one_of(
    st.sampled_from(
        ["", "NA", "nan", "null", "7", "007", "+7", "0x1F", "1_0", "2.5", "1e400", "inf", "true", "False", "red",
         "[1, 2]",          "2024-02-29", "2023-02-29", "0000-01-01", "2024-02-29T12",
         "2024-02-29 12:30", "2024-02-29T12:30:15.250999999",
         " 7", "2.5\t", " 1_0", "2024-02-29T12:30:15.250Z", "1677-09-21T00:12:43", "9999-12-31T23:59:59.999999", "ÿ"]
    ),
    st.text(max_size=5),
    st.integers().map(str),
    st.floats().map(repr),
    st.datetimes().map(lambda moment: moment.isoformat()),
)  # fmt: skip


def columns() -> st.SearchStrategy[pa.Array]:
    """Foreign columns of many Arrow types, with gaps."""
    ints = st.integers(-(2**63), 2**63 - 1)
    kinds: list[tuple[pa.DataType, st.SearchStrategy[Any]]] = [
        (pa.int8(), st.integers(-128, 127)),
        (pa.int64(), ints | st.integers(-5, 5) | st.sampled_from([2**31, 2**53 + 1])),
        (pa.uint64(), st.integers(0, 2**64 - 1)),
        (pa.float32(), st.floats(width=32)),
        (pa.float64(), st.floats() | st.integers(-5, 5).map(float) | st.just(float("nan"))),
        (pa.bool_(), st.booleans()),
        (pa.string(), CELLS),
        (pa.large_string(), CELLS),
        (pa.binary(), st.binary(max_size=5)),
        (pa.date32(), st.dates()),
        (pa.timestamp("s"), st.datetimes().map(lambda m: m.replace(microsecond=0))),
        (pa.timestamp("ms", "Europe/Berlin"), st.datetimes(dt.datetime(2, 1, 1), dt.datetime(9998, 1, 1))),  # noqa: DTZ001
        (pa.timestamp("us"), st.datetimes()),
        (pa.timestamp("ns"), st.datetimes(dt.datetime(1678, 1, 1), dt.datetime(2262, 1, 1))),  # noqa: DTZ001
        (pa.time32("s"), st.times().map(lambda one: one.replace(microsecond=0))),
        (pa.time64("us"), st.times()),
        (pa.time64("ns"), st.times()),
        (pa.decimal128(9, 2), st.decimals(-1000, 1000, places=2).map(decimal.Decimal)),
        (pa.list_(pa.float64()), st.lists(st.none() | st.floats(), max_size=3)),
        (pa.list_(pa.int64()), st.lists(ints | st.integers(-5, 5), max_size=3)),
        (pa.list_(pa.timestamp("ms")), st.lists(st.datetimes(), max_size=3)),
    ]

    columns: list[st.SearchStrategy[pa.Array]] = [
        st.lists(st.none() | values, min_size=1, max_size=6).map(partial(pa.array, type=kind))
        for kind, values in kinds
    ]
    return st.one_of(columns)


def one_by_one(kind: AvroType, column: pa.Array, *, nullable: bool, text: bool) -> list[Any]:
    """What the reference says of each value: what is stored, or why it is refused."""
    read = kind.reader(nullable=nullable, text=text)
    found: list[Any] = []
    for value in column.to_pylist():
        try:
            made, wrong = kind.from_values([None if value is None else read(value)])
            found.append(wrong[0] if wrong else repr(kind.to_storage(made)[0].as_py()))
        except Misfit as misfit:
            found.append(misfit)
    return found


@pytest.mark.parametrize("kind", EVERY, ids=title)
@settings(max_examples=25, deadline=None)
@given(column=columns(), nullable=st.booleans(), text=st.booleans())
def test_a_column_that_is_cast_is_what_its_values_are(
    kind: AvroType, column: pa.Array, nullable: bool, text: bool
) -> None:
    """The fast way may leave a column to the slow one, but never says otherwise."""
    made = kind.cast(column, nullable=nullable, text=text)

    if made is not None:
        assert kind.arrow == made.type
        at_once = [repr(value) for value in kind.to_storage(made).to_pylist()]
        gap = "None"  # who needs a value refuses the gap; the type's cast leaves it to him
        expected = one_by_one(kind, column, nullable=nullable, text=text)
        assert [
            gap if isinstance(one, Misfit) and "no value" in str(one) else one for one in expected
        ] == at_once


@pytest.mark.parametrize("kind", EVERY, ids=title)
@settings(max_examples=25, deadline=None)
@given(column=columns(), text=st.booleans())
def test_taking_a_column_names_each_value_that_does_not_fit(
    kind: AvroType, column: pa.Array, text: bool
) -> None:
    """Those that fit are in the column; the others are null there, with their reason."""
    made, wrong = kind.from_column(column, text=text)

    expected = one_by_one(kind, column, nullable=True, text=text)
    assert [i for i, one in enumerate(expected) if isinstance(one, Misfit)] == sorted(wrong)
    assert [one if i not in wrong else "None" for i, one in enumerate(expected)] == [
        repr(value) for value in kind.to_storage(made).to_pylist()
    ]
