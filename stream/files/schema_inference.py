"""An Avro schema from a sample, and the reason for each choice."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, NamedTuple

import pyarrow as pa

from stream.errors import SampleError
from stream.files.arrow_inference import Keep, declared_type
from stream.files.avro_fields import field_schema, legal_name, legal_names
from stream.files.file_span import Row
from stream.files.tables import Sample
from stream.files.text_remarks import blank, check_separated, text_remarks
from stream.types import CELL_TYPES, type_called

__all__ = ["Inferred", "infer_schema"]

_INDEX = re.compile(r"Unnamed: [0-9]+\Z|__index_level_[0-9]+__\Z")
"""What pandas calls a column without a name, and an index without one in parquet."""

_FRACTION = re.compile(r"[+-]?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][+-]?[0-9]+)?\n")
_FRACTIONS = re.compile(f"(?:{_FRACTION.pattern})*+\\Z")
"""A number with a fraction and no leading zeros, which no type before `double` takes; and a column of them."""

_PADDED = re.compile(r"\s*[+-]?0[0-9]")


@dataclass(frozen=True, slots=True)
class Inferred:
    """
    The schema of a sample.

    Attributes:
        text: the Avro schema, JSON.
        findings: a sentence for each choice that the data alone doesn't settle.
    """

    text: str
    findings: tuple[str, ...]


def infer_schema(
    sample: Sample,
    name: str,
    *,
    texts: Collection[str] = (),
    needed: Collection[str] | None = None,
    carried: Collection[str] = (),
) -> Inferred:
    """
    Infer a schema: an avro file's own; else from the types that the file declares (parquet) or that its values fit.

    Args:
        sample: at least one row.
        name: of the record; made legal.
        texts: columns known to be texts whatever they look like, by their names in the sample.
        needed: the columns for whose sake a schema is made; others that pandas wrote as its index are left out. Empty
            where nobody names them, None where every column is wanted.
        carried: columns, or dotted paths in them, that are repeated as they are: their decimals stay decimals, their
            nanoseconds nanoseconds. The others are doubles and microseconds, as models take them.
    Returns: the schema; a column without a value in some row may be null. Whole numbers are `long`, since the next
        one may be larger than those seen; texts are strings, never enums, since the next one may be new.
    Raises: SampleError naming a column whose values fit no one type, a needed one with numbers that are spelt as
        nothing here reads them, a needed one of a type that Avro has not, or a sample without rows.
    """
    if sample.avro is not None:
        return Inferred(sample.avro, (f"{sample.name}: the schema is the file's own",))
    if not sample.rows:
        raise SampleError(f"{sample.name}: has no rows", hint="give a sample with rows")
    columns, left = _split(sample, needed)
    check_separated(sample, columns, needed or ())
    wish = _Wish(texts, needed, {path.partition(".")[0] for path in carried})
    findings = _remarks(sample, left)
    fields: list[dict[str, Any]] = []
    for column, legal in legal_names(columns).items():
        field, found = _inferred(sample, column, legal, name, wish)
        findings += found
        fields += [] if field is None else [field]
    schema = {"type": "record", "name": legal_name(name), "fields": fields}
    return Inferred(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", tuple(findings))


class _Wish(NamedTuple):
    """What is known of a sample's columns: the texts, those that are needed (None for all), and those carried."""

    texts: Collection[str]
    needed: Collection[str] | None
    carried: Collection[str]


def _split(sample: Sample, needed: Collection[str] | None) -> tuple[list[str], list[str]]:
    """A sample's columns, and those that are left out: an index that nobody needs."""
    found: dict[str, None] = {}
    for row in sample.rows:
        found |= dict.fromkeys(row.values)
    every = list(found)
    left = [] if needed is None else [one for one in every if one not in needed and _INDEX.match(one)]
    return [one for one in every if one not in left], left


def _remarks(sample: Sample, left: list[str]) -> list[str]:
    """On the sample as a whole."""
    found = [*sample.notes]
    if sample.cut:
        found.append(f"{sample.name}: only its first {len(sample.rows)} rows were looked at")
    if left:
        found.append(
            f"{', '.join(map(repr, left))} left out: an index, unless the model says that it takes it"
        )
    return found


def _inferred(
    sample: Sample, column: str, legal: str, record: str, wish: _Wish
) -> tuple[dict[str, Any] | None, list[str]]:
    """A column's field, None where it is left out; and what is said of it."""
    needed, own = wish.needed, {column, legal}
    keep = Keep(not own.isdisjoint(wish.carried), not own.isdisjoint(needed or ()))
    kind, why = _column(sample, column, legal_name(f"{record}_{legal}"), column in wish.texts, keep)
    if kind is None and not own.isdisjoint(needed or ()):
        raise SampleError(
            f"{sample.name}: column {column!r}: {why}",
            hint="no event can hold it: let the model take a number in its place, such as seconds, and give that",
        )
    if kind is None:
        return None, [f"column {column!r} is left out: {why}"]
    gaps = _gaps(sample, column, kind)
    null = f"; may be null: {gaps} of {len(sample.rows)} rows have no value" if gaps else ""
    found = [_finding(column, legal, kind, f"{why}{null}")]
    if kind == "string" and column not in wish.texts:
        found += text_remarks(sample, column, needed is not None and (not needed or column in needed))
    return field_schema(column, legal, kind, gaps > 0), found


def _gaps(sample: Sample, column: str, kind: object) -> int:
    """Rows without a value."""
    values: list[object] = [row.values.get(column) for row in sample.rows]
    if sample.text and kind != "string":
        return sum(map(blank, values))
    unequal: int = sum(map(operator.ne, values, values))
    return values.count(None) + unequal


def _finding(column: str, name: str, kind: Any, why: str) -> str:
    shown = kind if isinstance(kind, str) else kind.get("logicalType", kind["type"])
    if isinstance(kind, dict) and kind["type"] in ("array", "map"):
        inner = kind["items" if kind["type"] == "array" else "values"]
        shown = f"{kind['type']}<{_called(inner)}>"
    renamed = f"; called {name} since Avro names hold letters, digits and _ only" if name != column else ""
    return f"column {column!r}: {shown}, {why}{renamed}"


def _called(kind: Any) -> str:
    """An item's type, for people."""
    if isinstance(kind, list):
        return " or ".join(_called(one) for one in reversed(kind))
    if isinstance(kind, str):
        return kind
    return str(kind.get("logicalType", kind["type"]))


def _column(sample: Sample, column: str, name: str, is_text: bool, keep: Keep) -> tuple[Any, str]:
    """The Avro type of a column's values (None to leave it out), and why."""
    place = -1 if sample.columns is None else sample.columns.get_field_index(column)
    if sample.columns is not None and place >= 0:
        arrow = sample.columns.field(place).type
        if not pa.types.is_null(arrow):
            return declared_type(arrow, name, keep)
    if is_text:
        return "string", "since the model knows its texts"
    if sample.text and _all_fractions([row.values.get(column) for row in sample.rows]):
        return "double", f"since all are {type_called('double').looks}"
    is_gap = blank if sample.text else _missing
    present = [row for row in sample.rows if not is_gap(row.values.get(column))]
    if not present:
        return "double", "though no row has a value"
    if sample.text:
        return _from_cells(column, present)
    return _from_values(sample.name, column, present, name)


def _all_fractions(cells: Sequence[Any]) -> bool:
    """Whether a csv's column is one that `_from_cells` finds to be of doubles, seen without reading each cell."""
    if not cells or None in cells or not _FRACTION.match(f"{cells[0]}\n"):
        return False
    text = "\n".join([*cells, ""])
    return text.count("\n") == len(cells) and _FRACTIONS.match(text) is not None


def _padded(column: str, rows: Sequence[Row]) -> str | None:
    """The first cell with leading zeros: a postcode read as a number is another postcode."""
    for number, values in rows:
        if _PADDED.match(cell := values[column]):
            return f"; row {number} has {cell!r}, whose leading zeros a number would lose: give --schema if it is one"
    return None


def _from_cells(column: str, rows: Sequence[Row]) -> tuple[Any, str]:
    """The first type that every cell fits; `rows` have one, which is not `NA` or the like."""
    near = beyond = ""
    for kind in CELL_TYPES:
        read = [*takewhile(_is_there, (kind.parse_cell(row.values[column]) for row in rows))]
        misfit = rows[len(read)] if len(read) < len(rows) else None
        if misfit is None:
            padded = _padded(column, rows) if kind.numeric else None
            if padded:
                return "string", f"texts{padded}"
            if all(map(kind.in_range, read)):
                return kind.schema, beyond or f"since all are {kind.looks}"
            beyond = f"{kind.looks} too large for a {kind.name}"
        elif not near and misfit is not rows[0]:
            near = f"; row {misfit.number} has {misfit.values[column]!r}, which is not among {kind.looks}"
    return "string", f"texts{near}"


def _from_values(place: str, column: str, rows: Sequence[Row], name: str) -> tuple[Any, str]:
    """JSON's types as they are; whole numbers mixed with fractions become doubles."""
    kinds = {_kind(row.values[column]) for row in rows}
    if kinds == {bool}:
        return "boolean", "since all are true or false"
    if kinds == {int}:
        return "long", "since all are whole numbers"
    if kinds <= {int, float}:
        return "double", "since all are numbers"
    if kinds == {str}:
        return _from_texts(column, rows)
    if kinds == {list}:
        return _from_items(place, column, rows, name)
    if kinds == {dict}:
        why = "since all are objects; give --schema with a map if their keys are data"
        return _nested(place, column, rows, name), why
    first = {type(row.values[column]): row.number for row in reversed(rows)}
    seen = ", ".join(f"{kind.__name__} (row {number})" for kind, number in first.items())
    raise SampleError(
        f"{place}: column {column!r} holds values of several types: {seen}", hint="make them one"
    )


def _from_items(place: str, column: str, rows: Sequence[Row], name: str) -> tuple[Any, str]:
    """Arrays: of numbers, texts or booleans; of objects or lists, whose own types are found likewise."""
    items = [Row(row.number, {column: item}) for row in rows for item in row.values[column]]
    present = [row for row in items if row.values[column] is not None]
    kinds = {_kind(row.values[column]) for row in present}
    found: Any = None
    if kinds <= {int, float}:
        found, what = "double", "numbers"
    elif kinds in ({str}, {bool}):
        found, what = ("string", "texts") if kinds == {str} else ("boolean", "true or false")
    elif kinds == {dict}:
        found, what = _nested(place, column, present, f"{name}_item"), "objects"
    elif kinds == {list}:
        found, why = _from_items(place, column, present, name)
        what = f"lists; {why}"
    if found is None:
        return None, "its lists hold neither numbers, texts, objects nor lists only"
    items_type = found if len(present) == len(items) else ["null", found]
    return {"type": "array", "items": items_type}, f"since all are lists of {what}"


def _kind(value: object) -> type:
    """A value's class; a float's own subclasses are floats."""
    return float if isinstance(value, float) else type(value)


def _from_texts(column: str, rows: Sequence[Row]) -> tuple[Any, str]:
    """JSON has no dates: texts that all are ISO dates or times are read as a csv's. A text that looks like a number
    was written as a text on purpose."""
    for kind in CELL_TYPES:
        if kind.model == "datetime" and all(kind.parse_cell(row.values[column]) is not None for row in rows):
            return (
                kind.schema,
                f"since all are {kind.looks}; give --schema with a string if they are texts to the model",
            )
    return "string", "since all are texts"


def _nested(place: str, column: str, rows: Sequence[Row], name: str) -> Any:
    inner = Sample(f"{place}: {column}", [Row(row.number, row.values[column]) for row in rows])
    schema: dict[str, Any] = json.loads(infer_schema(inner, name).text)
    return schema


def _is_there(value: object) -> bool:
    return value is not None


def _missing(value: object) -> bool:
    return value is None or value != value
