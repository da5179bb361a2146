"""A foreign row → an Avro record as a dict: which column is which field, and every field that doesn't fit."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import lru_cache, partial
from typing import Any, TypeAlias

from stream.codec import (
    ABSENT,
    Array,
    Field,
    Map,
    Node,
    Primitive,
    Record,
    Union,
    branch_name,
    is_null,
    plain_type,
    several,
    stored,
    strip_null,
)  # fmt: skip
from stream.types import (
    AvroType,
    Misfit,
    Read,
    mismatch,
    nullable_reader,
    parsed_cell,
    read_branch,
    read_list,
    read_map,
)

__all__ = ["ReadRow", "TextColumns", "is_text", "names_of", "projected", "record_reader", "relaxed"]


TextColumns: TypeAlias = bool | Collection[str]
"""Whether texts stand for numbers, dates …; or the names of the columns in which they do."""

ReadRow: TypeAlias = Callable[[Mapping[str, object]], dict[str, object]]
"""Takes the values by column and gives the values by Avro name."""


def is_text(text: TextColumns, names: Iterable[str]) -> bool:
    """Whether the texts of a column of one of these names stand for numbers, dates …"""
    return text if isinstance(text, bool) else any(name in text for name in names)


def record_reader(record: Record, *, text: TextColumns) -> ReadRow:
    """
    A function that makes one record of a row.

    Args:
        record: the record's type.
        text: whether texts stand for numbers, dates …
    Returns: the function; it raises one Misfit that holds every field that doesn't fit.
    """
    plans = []
    for field in record.fields:
        first, *more = names = names_of(field)
        plans.append((field.name, first, more, field, _reader_of(field.type, is_text(text, names))))

    def read(values: Mapping[str, object]) -> dict[str, object]:
        event: dict[str, object] = {}
        wrong: list[Misfit] = []
        for name, column, more, field, convert in plans:
            try:
                if column in values:
                    event[name] = convert(values[column])
                    continue
            except Misfit as misfit:
                wrong += misfit.within(column).each
                continue
            try:
                event[name] = _otherwise(field, more, convert, values)
            except Misfit as misfit:
                wrong += misfit.each
        if wrong:
            raise Misfit.of(wrong)
        return event

    return read


def names_of(field: Field) -> tuple[str, ...]:
    """The names that a field's column may have: the original one first, then Avro's."""
    return (field.name,) if field.feature in (None, field.name) else (str(field.feature), field.name)


def _otherwise(field: Field, more: Iterable[str], convert: Read, values: Mapping[str, object]) -> object:
    """The value of a field that its first name has no column for."""
    for name in more:
        if name in values:
            return _converted(convert, values[name], name)
    return _absent(field, convert, values)


def _converted(convert: Read, value: object, name: str) -> object:
    try:
        return convert(value)
    except Misfit as misfit:
        raise misfit.within(name) from misfit


def _absent(field: Field, convert: Read, values: Mapping[Any, object]) -> object:
    """A field without a column: one whose label is a number, a nested record from dotted names, else the default."""
    if any(not isinstance(key, str) or "." in key for key in values):
        found = _by_odd_names(field, values)
        if found is not ABSENT:
            return _converted(convert, found, field.name)
    if field.default is ABSENT:
        raise Misfit(
            "there is no such column, and the field has no default",
            field.feature or field.name,
            reason="missing_field",
        )
    return stored(field.default, strip_null(field.type)[0])


def _by_odd_names(field: Field, values: Mapping[Any, object]) -> object:
    """The value under a label that is a number, or the nested record of dotted names; else ABSENT."""
    names = [name for name in (field.name, field.feature) if name]
    for key, value in values.items():
        if not isinstance(key, str) and str(key) in names:
            return value
    dotted = {
        key[len(name) + 1 :]: value
        for name in names
        for key, value in values.items()
        if isinstance(key, str) and key.startswith(f"{name}.")
    }
    if not dotted:
        return ABSENT
    return None if all(value is None for value in dotted.values()) else dotted


def _reader_of(node: Node, text: bool) -> Read:
    """The function that reads values of a type, or raises Misfit; `text`: they stand for numbers, dates … (csv)."""
    bare, nullable = strip_null(node)
    plain = plain_type(bare)
    if plain is not None:
        return _plain_reader(plain, nullable, text)
    expected = type(bare).__name__.lower()
    kinds = [kind for one in several(bare) if (kind := plain_type(one)) is not None]
    missing = all(kind.has_missing for kind in kinds)
    nan = any(kind.has_nan for kind in kinds)
    return nullable_reader(_single(bare, text), expected, nullable=nullable, text=text and missing, nan=nan)


@lru_cache(maxsize=64)
def _plain_reader(kind: AvroType, nullable: bool, text: bool) -> Read:
    """A type's reader, which thousands of fields have in common."""
    return kind.reader(nullable=nullable, text=text)


def _single(node: Node, text: bool) -> Read:
    match node:
        case Union():
            return _several(node, text)
        case Array():
            return partial(read_list, each=_reader_of(node.items, False), text=text)
        case Map():
            return partial(read_map, each=_reader_of(node.values, False), text=text)
        case Record():
            return _record(node, text)
    raise AssertionError(node)  # every other node has a type


def _several(union: Union, text: bool) -> Read:
    """What is not null is of one of several types."""
    tagged = [(branch_name(one), _reader_of(one, False)) for one in several(union)]
    plain = [_reader_of(one, text) for one in several(union)]
    return partial(read_branch, tagged=tagged, plain=plain, text=text)


def _record(node: Record, text: bool) -> Read:
    made: dict[bool, ReadRow] = {}  # when the first value comes, since a record may contain itself

    def convert(value: object) -> object:
        given = parsed_cell(value, "a JSON object", text=text)
        if not isinstance(given, dict):
            raise mismatch("an object", value)
        cells = text and given is value  # what JSON holds is no text that stands for something
        if cells not in made:
            made[cells] = record_reader(node, text=cells)
        return made[cells](given)

    return convert


def projected(record: Record, paths: Iterable[str]) -> Record:
    """A record's type with only the fields on these dotted paths, each of which is there, in the same order."""
    inner: dict[str, list[str]] = {}
    for path in paths:
        name, _, rest = path.partition(".")
        inner.setdefault(name, []).append(rest)
    fields = [field for field in record.fields if field.name in inner]
    return Record(record.name, [_narrowed(field, inner[field.name]) for field in fields])


def relaxed(record: Record, paths: Collection[str]) -> Record:
    """A projected record's type with the leaves on these paths made optional: they may be missing or null."""
    return Record(record.name, [_relaxed(field, field.name, paths) for field in record.fields])


def _relaxed(field: Field, path: str, paths: Collection[str]) -> Field:
    """The field; null is its default if it is such a leaf, or a record of such leaves only."""
    bare, _ = strip_null(field.type)
    if path in paths:
        return _nullable(field, bare)
    if not isinstance(bare, Record) or not any(other.startswith(f"{path}.") for other in paths):
        return field
    part = Record(bare.name, [_relaxed(inner, f"{path}.{inner.name}", paths) for inner in bare.fields])
    if all(
        inner.default is None and _is_relaxed(inner, f"{path}.{inner.name}", paths) for inner in part.fields
    ):
        return _nullable(field, part)
    return _with(field, part)


def _is_relaxed(field: Field, path: str, paths: Collection[str]) -> bool:
    return path in paths or any(other.startswith(f"{path}.") for other in paths)


def _nullable(field: Field, bare: Node) -> Field:
    null = Primitive("null")
    branches = bare.branches if isinstance(bare, Union) else (bare,)
    return Field(field.name, Union((null, *branches)), None, field.feature, field.aliases)


def _with(field: Field, part: Record) -> Field:
    """The field with another record as its type."""
    node: Node = part
    if isinstance(field.type, Union):
        node = Union(tuple(branch if is_null(branch) else part for branch in field.type.branches))
    return Field(field.name, node, field.default, field.feature, field.aliases)


def _narrowed(field: Field, rests: list[str]) -> Field:
    bare, _ = strip_null(field.type)
    if not isinstance(bare, Record) or "" in rests:
        return field
    return _with(field, projected(bare, rests))
