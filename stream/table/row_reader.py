"""A foreign row → an Avro record as a dict: which column is which field, and every field that doesn't fit."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

from stream.codec import ABSENT, Field, Node, Primitive, Record, Union, is_null, stored, strip_null
from stream.table.values import reader_of
from stream.types import Misfit, Read

__all__ = ["names_of", "projected", "record_reader", "relaxed"]


def record_reader(
    record: Record, *, text: bool | Collection[str]
) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """
    A function that makes one record of a row.

    Args:
        record: the record's type.
        text: whether texts stand for numbers, dates …; or the names of the columns in which they do.
    Returns: takes the values by column and gives the values by Avro name; it raises one Misfit that holds every
        field that doesn't fit.
    """
    plans = []
    for field in record.fields:
        names = names_of(field)
        is_text = text if isinstance(text, bool) else any(name in text for name in names)
        plans.append((field, names, reader_of(field.type, is_text, record_reader)))

    def read(values: dict[str, Any]) -> dict[str, Any]:
        event: dict[str, Any] = {}
        wrong: list[Misfit] = []
        for field, names, convert in plans:
            try:
                event[field.name] = _field(field, names, convert, values)
            except Misfit as misfit:
                wrong += misfit.each
        if wrong:
            raise Misfit.of(wrong)
        return event

    return read


def names_of(field: Field) -> tuple[str, ...]:
    """
    The names that a field's column may have.

    Args:
        field: of a record.
    Returns: the original name first, then Avro's.
    """
    return (field.name,) if field.feature in (None, field.name) else (str(field.feature), field.name)


def projected(record: Record, paths: Iterable[str]) -> Record:
    """
    A record's type with the needed fields only.

    Args:
        record: the whole type.
        paths: dotted paths of needed leaves; each is there.
    Returns: a new record, with the fields on those paths, in the same order.
    """
    inner: dict[str, list[str]] = {}
    for path in paths:
        name, _, rest = path.partition(".")
        inner.setdefault(name, []).append(rest)
    fields = [field for field in record.fields if field.name in inner]
    return Record(record.name, [_narrowed(field, inner[field.name]) for field in fields])


def relaxed(record: Record, paths: Collection[str]) -> Record:
    """
    A record's type with some leaves made optional: they may be missing or null.

    Args:
        record: as `projected` gives it.
        paths: dotted paths of those leaves; each is there.
    Returns: a new record.
    """
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


def _field(field: Field, names: tuple[str, ...], convert: Read, values: dict[str, Any]) -> Any:
    for name in names:
        if name in values:
            return _converted(convert, values[name], name)
    return _absent(field, convert, values)


def _converted(convert: Read, value: Any, name: str) -> Any:
    try:
        return convert(value)
    except Misfit as misfit:
        raise misfit.within(name) from misfit


def _absent(field: Field, convert: Read, values: dict[str, Any]) -> Any:
    """A field without a column: a nested record from columns with dotted names, else the default."""
    dotted = {
        key[len(name) + 1 :]: value
        for name in (field.name, field.feature)
        if name
        for key, value in values.items()
        if key.startswith(f"{name}.")
    }
    if dotted:
        return _converted(convert, None if set(dotted.values()) == {None} else dotted, field.name)
    if field.default is ABSENT:
        raise Misfit(
            "there is no such column, and the field has no default",
            field.feature or field.name,
            reason="missing_field",
        )
    return _filled(field.default, field.type)


def _filled(default: Any, node: Node) -> Any:
    """A default as a value: bytes for bytes, and inner records with the defaults of their own fields."""
    bare, _ = strip_null(node)
    if default is None or not isinstance(bare, Record):
        return stored(default, bare)
    return {field.name: _filled(default.get(field.name, field.default), field.type) for field in bare.fields}
