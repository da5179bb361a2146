"""Which written types a reader may take for its own (`conversion` says how their values change)."""

from __future__ import annotations

from stream.codec.node_types import plain_type
from stream.codec.nodes import (
    ABSENT,
    Array,
    Enum,
    Field,
    Fixed,
    Map,
    Node,
    Primitive,
    Record,
    Union,
    is_null,
    strip_null,
)
from stream.codec.type_names import type_name
from stream.types import Misfit

__all__ = [
    "alike",
    "fits",
    "matching",
    "position_of",
    "why_not",
]

PROMOTIONS: dict[str, frozenset[str]] = {
    "int": frozenset({"long", "float", "double"}),
    "long": frozenset({"float", "double"}),
    "float": frozenset({"double"}),
    "string": frozenset({"bytes"}),
    "bytes": frozenset({"string"}),
}
"""What a reader may take a written type for (Avro 1.12 specification, "Schema Resolution")."""


def fits(written: Node, expected: Node) -> bool:
    """
    Say whether some value of a written type can be read as the expected one.

    Args:
        written: the writer's type.
        expected: the reader's type.
    Returns: True also where it depends on the value: a union's branch, an enum's symbol, an array's items, a
        map's values.
    Source: Avro 1.12 specification, "Schema Resolution".
    """
    if isinstance(written, Union):
        return any(fits(branch, expected) for branch in written.branches if alike(written, branch, expected))
    if isinstance(expected, Union):
        own = _namesake(written, expected)
        return any(fits(written, branch) for branch in ([own] if own else expected.branches))
    if isinstance(written, Primitive) and isinstance(expected, Primitive):
        same = written.type == expected.type or expected.type in PROMOTIONS.get(written.type, ())
        return same and _same_measure(written, expected)
    if isinstance(written, Fixed) and isinstance(expected, Fixed):
        return written.size_bytes == expected.size_bytes and _same_measure(written, expected)
    if isinstance(written, Array) and isinstance(expected, Array):
        return is_null(written.items) or fits(written.items, expected.items)
    if isinstance(written, Map) and isinstance(expected, Map):
        return is_null(written.values) or fits(written.values, expected.values)
    if isinstance(written, Record) and isinstance(expected, Record):
        return _fits_record(written, expected)
    return isinstance(written, Enum) and isinstance(expected, Enum)


def position_of(record: Record, field: Field) -> int | None:
    """The writer's field of that name, else of one of the reader's aliases for it."""
    found = (record.position(name) for name in (field.name, *field.aliases))
    return next((position for position in found if position is not None), None)


def _fits_record(written: Record, expected: Record) -> bool:
    """Whatever they are called: each of the reader's fields is written, or has a default."""
    for field in expected.fields:
        position = position_of(written, field)
        if position is None:
            if field.default is ABSENT:
                return False
        elif not fits(written.fields[position].type, field.type):
            return False
    return True


def why_not(written: Node, expected: Node) -> Misfit:
    """
    Say why no value of a written type can be read as the expected one.

    Args:
        written: the writer's type; it does not `fit`.
        expected: the reader's type.
    Returns: what is wrong, and where in it (`[].at`, `["…"].at`).
    """
    mine = _namesake(written, expected) or strip_null(expected)[0]
    if isinstance(written, Array) and isinstance(mine, Array):
        return why_not(written.items, mine.items).within("[]")
    if isinstance(written, Map) and isinstance(mine, Map):
        return why_not(written.values, mine.values).within('["…"]')
    if isinstance(written, Record) and isinstance(mine, Record):
        for field in mine.fields:
            position = position_of(written, field)
            if position is None and field.default is ABSENT:
                return Misfit("is missing, and has no default", field.name, reason="missing_field")
            if position is not None and not fits(written.fields[position].type, field.type):
                return why_not(written.fields[position].type, field.type).within(field.name)
    return Misfit(f"is {type_name(written)}; {type_name(expected)} is expected")


def matching(written: Node, expected: Node) -> Node | None:
    """
    Choose what a written value is read as.

    Args:
        written: the writer's type, no union.
        expected: the reader's type.
    Returns: the type itself; of a union the branch of the same full name, also where it can't take it; else the
        first of the same type, of several named ones that of the same name; else the first that takes it; None
        where none does.
    Source: Avro Java 1.12.1, `Resolver.ReaderUnion`.
    """
    if not isinstance(expected, Union):
        return expected
    if own := _namesake(written, expected):
        return own
    taking = [branch for branch in expected.branches if fits(written, branch)]
    same = [
        branch for branch in taking if type(branch) is type(written) and _stored(branch) == _stored(written)
    ]
    if isinstance(written, Record | Enum | Fixed) and len(same) > 1:
        return _of_name(written, same)
    return next(iter(same or taking), None)


def _namesake(written: Node, expected: Node) -> Node | None:
    """The branch of a union that has a named type's kind and full name, if there is one: no other may stand for it."""
    if not isinstance(expected, Union) or not isinstance(written, Record | Enum | Fixed):
        return None
    named = (one for one in expected.branches if isinstance(one, Record | Enum | Fixed))
    return next((one for one in named if type(one) is type(written) and one.name == written.name), None)


def _of_name(written: Record | Enum | Fixed, same: list[Node]) -> Node | None:
    """Of several named types the first of the same name, its namespace aside; a record may have another one."""
    short = {
        one.name.rpartition(".")[2]: one for one in reversed(same) if isinstance(one, Record | Enum | Fixed)
    }
    other = same[0] if isinstance(written, Record) else None
    return short.get(written.name.rpartition(".")[2], other)


def _stored(node: Node) -> str:
    return node.type if isinstance(node, Primitive) else ""


def alike(union: Union, branch: Node, expected: Node) -> bool:
    """
    Say whether a branch's name lets it be read as the expected type.

    Args:
        union: the writer's.
        branch: one of its branches.
        expected: the reader's type.
    Returns: False for one of several enums, or of several fixed types, that does not have the reader's name, its
        namespace aside.
    """
    if not isinstance(branch, Enum | Fixed) or sum(type(b) is type(branch) for b in union.branches) == 1:
        return True
    wanted = expected.branches if isinstance(expected, Union) else (expected,)
    names = {one.name.rpartition(".")[2] for one in wanted if isinstance(one, Enum | Fixed)}
    return branch.name.rpartition(".")[2] in names


def _same_measure(written: Primitive | Fixed, expected: Primitive | Fixed) -> bool:
    """
    Whether numbers mean the same, or can be converted: hundredths read as thousandths would be a silent error by
    ten. Avro allows it, we don't.
    """
    meant, wanted = plain_type(written), plain_type(expected)
    assert meant is not None  # these nodes have types
    assert wanted is not None
    bare = any(one.arrow == one.storage for one in (meant, wanted))
    return bare or meant.measure == wanted.measure or wanted.rescaled(meant) is not None
