"""
Rows of a caller's own making → the columns that a model needs, and every field of every row that does not fit.

`stream.files.rows` reads whole Avro records and ends at the first misfit, as a file's reader should. Here only
the leaves that are wanted are looked at, and all that is wrong with a row is said at once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from stream.codec import ABSENT, Leaf, RecordSchema
from stream.codec.default import stored
from stream.codec.leaf import find
from stream.codec.nodes import Field, strip_null
from stream.table import Misfit, record_reader
from stream.table.values import Read, reader_of

__all__ = ["LeafReader", "WrongField"]

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

_MICROSECOND = dt.timedelta(microseconds=1)

_NANOSECONDS = {"ms": 1_000_000, "us": 1_000, "ns": 1}

_FLOAT_MAX = 3.4028235677973366e38
"""From here on a number becomes infinite as a 32-bit float (largest float plus half a unit in its last place)."""


@dataclass(frozen=True, slots=True)
class WrongField:
    """
    A field of a row that does not fit.

    Attributes:
        row: counted from 0 among the rows that were read.
        field: the name that the caller knows it by.
        reason: `missing_field`, `wrong_type` or `value_out_of_range`, as in a dead letter.
        message: what was expected, what was found.
    """

    row: int
    field: str
    reason: str
    message: str


class LeafReader:
    """Reads the leaves that a model needs. May be used by several threads at once."""

    def __init__(
        self, schema: RecordSchema, needed: Sequence[str], optional: Sequence[str] = (), *, text: bool = False
    ) -> None:
        """
        Args:
            schema: what an event holds (`features.avsc`).
            needed: dotted paths that each row must have, or the schema a default for.
            optional: dotted paths that a row may leave out, such as carried fields; null then.
            text: whether texts stand for numbers, dates … (csv).
        Raises: SchemaError when a path is not in the schema or can't be a column.
        """
        needed = tuple(dict.fromkeys(needed))
        more = [path for path in dict.fromkeys(optional) if path not in needed]
        self.leaves = tuple(_LeafPlan(schema, path, text, needed=path in needed) for path in (*needed, *more))

    def required(self, path: str) -> bool:
        """Whether a row without the field at a path has a misfit."""
        return next(plan.required for plan in self.leaves if plan.leaf.path == path)

    def read(self, rows: Sequence[Mapping[str, Any]]) -> tuple[dict[str, list[object]], list[WrongField]]:
        """
        Read rows.

        Args:
            rows: n rows: values by the field's original or Avro name; nested ones as objects or by dotted
                names. Names that are not wanted are ignored.
        Returns: n values by path, ready for `column` (an optional one that was left out is `ABSENT`), and
            what does not fit, by row; the values of a row that has a misfit mean nothing.
        """
        wrong: list[WrongField] = []
        found: dict[str, list[object]] = {}
        for plan in self.leaves:
            found[plan.leaf.path] = [plan.value(row, number, wrong) for number, row in enumerate(rows)]
        wrong.sort(key=lambda one: one.row)
        return found, wrong

    def columns(self, values: Mapping[str, Sequence[object]]) -> dict[str, pa.Array]:
        """
        Values → columns.

        Args:
            values: what `read` gave, of one or more calls joined, without rows that have a misfit.
        Returns: an array per path.
        """
        return {plan.leaf.path: plan.column(values[plan.leaf.path]) for plan in self.leaves}


class _LeafPlan:
    """How one leaf is found in a row and becomes a column's value."""

    def __init__(self, schema: RecordSchema, path: str, text: bool, *, needed: bool) -> None:
        steps = find(schema.root, path)
        self.leaf: Leaf = schema.leaf(path)
        self.name = ".".join(step.feature or step.name for step in steps)
        self._needed = needed
        self._flat = tuple(dict.fromkeys((self.name, path)))
        self._steps = [tuple(dict.fromkeys((step.feature or step.name, step.name))) for step in steps]
        self._defaults = [_default(steps, depth) for depth in range(len(steps))]
        read = reader_of(steps[-1].type, text, record_reader)
        # A record around it that is null makes it null, whatever its own type says.
        own = strip_null(steps[-1].type)[1]
        self._read: Read = read if own or not self.leaf.nullable else _or_null(read)
        self._store = _storing(self.leaf)

    @property
    def required(self) -> bool:
        """Whether a row without it has a misfit."""
        return self._needed and self._defaults[0] is ABSENT

    def value(self, row: Mapping[str, Any], number: int, wrong: list[WrongField]) -> object:
        """The row's value as Arrow takes it, or None and a word in `wrong`."""
        found = next((row[name] for name in self._flat if name in row), ABSENT)
        try:
            if found is ABSENT:
                found, absent_at = self._walk(row)
                if absent_at is not None:
                    return self._absent(absent_at, number, wrong)
            return self._store(self._read(found))
        except Misfit as misfit:
            wrong.append(WrongField(number, self.name, misfit.reason, str(misfit)))
        except (OverflowError, pa.ArrowException):
            text = f"{str(found)[:60]!r} is out of range for {self.leaf.avro}"
            wrong.append(WrongField(number, self.name, "value_out_of_range", text))
        return None

    def column(self, values: Sequence[object]) -> pa.Array:
        """The values as an array; what was left out is null."""
        return pa.array([None if value is ABSENT else value for value in values], self.leaf.arrow)

    def _walk(self, row: Mapping[str, Any]) -> tuple[Any, int | None]:
        """The value, record by record; or how deep the field is that is not there."""
        value: Any = row
        for depth, names in enumerate(self._steps):
            if value is None:
                return None, None
            if not isinstance(value, Mapping):
                raise Misfit(f"expected an object around it, found {str(value)[:60]!r}")
            key = next((name for name in names if name in value), None)
            if key is None:
                return None, self._depth(row, depth)
            value = value[key]
        return value, None

    def _depth(self, row: Mapping[str, Any], depth: int) -> int:
        """A flat row that has other fields of the record has the record."""
        beside = tuple(f"{name}." for name in self._steps[0])
        flat = depth == 0 and len(self._steps) > 1 and any(key.startswith(beside) for key in row)
        return len(self._steps) - 1 if flat else depth

    def _absent(self, depth: int, number: int, wrong: list[WrongField]) -> object:
        if self._defaults[depth] is ABSENT and self._needed:
            message = f"expected {self.leaf.avro}, found no such field"
            wrong.append(WrongField(number, self.name, "missing_field", message))
        return self._defaults[depth]


def _or_null(read: Read) -> Read:
    return lambda value: None if value is None else read(value)


def _default(steps: list[Field], depth: int) -> object:
    """What the leaf is in a row that lacks the field at a depth; ABSENT where there is no default."""
    value: Any = steps[depth].default
    for step in steps[depth + 1 :]:
        value = value.get(step.name, step.default) if isinstance(value, dict) else value
    return value if value is ABSENT or value is None else stored(value, strip_null(steps[-1].type)[0])


def _storing(leaf: Leaf) -> Callable[[Any], object]:
    """A reader's value → what Arrow takes for the leaf without losing anything unseen."""
    if leaf.item is not None:
        inner = _storing(leaf.item)
        return lambda value: None if value is None else [inner(item) for item in value]
    if pa.types.is_timestamp(leaf.arrow):
        return lambda value: _count(value, leaf)
    if leaf.arrow == pa.date32():
        return lambda value: _checked(value, leaf)
    if leaf.type == "float":
        return _float
    if leaf.type == "string":
        return _text
    return lambda value: value


def _count(value: Any, leaf: Leaf) -> object:
    """A time as a number in the type's unit, cut as Avro's writers cut it."""
    if isinstance(value, dt.datetime):
        aware = value if value.tzinfo is not None else value.replace(tzinfo=dt.UTC)
        value = (aware - _EPOCH) // _MICROSECOND * 1_000 // _NANOSECONDS[leaf.arrow.unit]
    return _checked(value, leaf)


def _checked(value: Any, leaf: Leaf) -> object:
    """Raises what Arrow does where the type can't hold it."""
    pa.scalar(value, leaf.arrow)
    return value


def _float(value: Any) -> object:
    if value is not None and abs(value) >= _FLOAT_MAX and abs(value) != float("inf"):
        raise OverflowError
    return value


def _text(value: Any) -> object:
    """JSON can write half a surrogate pair, which no UTF-8 holds."""
    try:
        if value is not None and not value.isascii():
            value.encode()
    except UnicodeEncodeError as error:
        raise Misfit(f"expected a text, found half a character: {error.reason}") from None
    return value
