"""Which schema wrote a value: the bytes before the Avro (or the header beside it), read and never guessed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Literal, Protocol, TypeAlias

from stream.codec.schema import RecordSchema
from stream.errors import RecordError
from stream.records import Headers

__all__ = [
    "CONFLUENT_HEADER",
    "Framing",
    "Group",
    "WriterSchemas",
    "confluent_prefix",
    "confluent_prefixes",
    "prefix_length",
    "single_object_prefix",
    "unframe",
]

Framing: TypeAlias = Literal["confluent", "single-object", "bare"]
"""What stands before the Avro bytes of a value."""

CONFLUENT_HEADER = "__value_schema_id"
"""The record header that may hold the prefix instead of the value."""

SINGLE_OBJECT = b"\xc3\x01"
"""Avro's marker (specification, "Single-object encoding"); 8 bytes of fingerprint follow."""

SINGLE_OBJECT_BYTES, ID_BYTES, GUID_BYTES = 10, 5, 17
"""Length of each prefix, marker included."""


class WriterSchemas(Protocol):
    """
    Where the schemas of the producers are found.

    An id may also have a RecordError, the reason why its values can't be read; None means that the id is not
    known, and that the configured schema takes its place.
    """

    def by_fingerprint(self, fingerprint: bytes) -> RecordSchema | RecordError | None:
        """The schema with this CRC-64-AVRO (8 bytes, as on the wire); a RecordError or None where it is not known."""

    def by_id(self, schema_id: int) -> RecordSchema | RecordError | None:
        """The schema with this registry id."""

    def by_guid(self, guid: bytes) -> RecordSchema | RecordError | None:
        """The schema with this registry GUID (16 bytes)."""


@dataclass(slots=True)
class Group:
    """The values that one schema wrote: their indices, ascending, and their Avro bytes."""

    writer: RecordSchema
    rows: list[int]
    bodies: list[bytes]


Answer: TypeAlias = RecordSchema | RecordError
Lookup: TypeAlias = Callable[[bytes], Answer]
Unframed: TypeAlias = tuple[list[Group], dict[int, RecordError]]


def single_object_prefix(schema: RecordSchema) -> bytes:
    """The 10 bytes before a value in Avro's single-object encoding."""
    return SINGLE_OBJECT + schema.fingerprint


def confluent_prefix(schema_id: int) -> bytes:
    """The 5 bytes before a value that a schema registry knows by its id."""
    return b"\x00" + schema_id.to_bytes(4, "big")


def prefix_length(framing: Framing) -> int:
    """How many bytes this program writes before the Avro bytes of a value."""
    return {"single-object": SINGLE_OBJECT_BYTES, "confluent": ID_BYTES, "bare": 0}[framing]


def confluent_prefixes(
    values: Sequence[bytes | None], headers: Sequence[Headers | None] | None
) -> set[bytes]:
    """
    The different ids and GUIDs that a batch's values carry in confluent framing.

    Args:
        values: n values as they came.
        headers: n headers, where any record has some; what they say goes before what the value says.
    Returns: each as its prefix; what is not an id or a GUID is left out.
    """
    if headers is None or not any(headers):
        found = {value[:ID_BYTES] for value in values if value}
        if any(map(bytes.startswith, found, repeat(b"\x01"))):
            found |= {value[:GUID_BYTES] for value in values if value and value[0] == 1}
    else:
        found = {
            _confluent_split(value, given)[0]
            for value, given in zip(values, headers, strict=True)
            if value is not None
        }
    return {prefix for prefix in found if _is_confluent(prefix)}


def _is_confluent(prefix: bytes) -> bool:
    """Whether a prefix is an id or a GUID, whole."""
    return (prefix[:1] == b"\x00" and len(prefix) == ID_BYTES) or (
        prefix[:1] == b"\x01" and len(prefix) == GUID_BYTES
    )


def _confluent_split(value: bytes, headers: Headers | None) -> tuple[bytes, int]:
    """A value's prefix, and how many bytes of the value it takes: none where a header holds it."""
    # The last header of a name is the one that counts, as Kafka's Headers.lastHeader has it.
    held = [content for name, content in headers or () if name == CONFLUENT_HEADER]
    if held:
        return held[-1] or b"", 0
    size = _size(value, confluent=True)
    return value[:size], size


def unframe(
    values: Sequence[bytes],
    headers: Sequence[Headers | None] | None,
    framing: Framing,
    default: RecordSchema,
    writers: WriterSchemas | None,
) -> Unframed:
    """
    Take off the prefixes and group by writer schema.

    Args:
        values: n values as they came.
        headers: n headers; None where nobody has any.
        framing: how the values are framed.
        default: the schema of bare values, of ids that no registry knows, and of its own fingerprint.
        writers: further schemas, if there are any.
    Returns: the groups, and for every other index why it can't be read.
    """
    if framing == "bare":
        return [Group(default, list(range(len(values))), list(values))], {}
    confluent = framing == "confluent"
    lookup = _confluent(default, writers) if confluent else _single_object(default, writers)
    found = (
        _uniform(values, lookup, confluent) if not confluent or headers is None or not any(headers) else None
    )
    if found is not None:
        return [found], {}
    if headers is None or not confluent:
        headers = (None,) * len(values)
    return _one_by_one(values, headers, lookup, confluent)


def _size(value: bytes, confluent: bool) -> int:
    if not confluent:
        return SINGLE_OBJECT_BYTES
    return GUID_BYTES if value[:1] == b"\x01" else ID_BYTES


def _uniform(values: Sequence[bytes], lookup: Lookup, confluent: bool) -> Group | None:
    """Mostly all values of a batch have the same prefix: then no value is looked at by itself."""
    if not values:
        return None
    first = values[0][: _size(values[0], confluent)]
    writer = lookup(first)
    if isinstance(writer, RecordError) or not all(map(bytes.startswith, values, repeat(first))):
        return None
    return Group(writer, list(range(len(values))), list(map(bytes.removeprefix, values, repeat(first))))


def _one_by_one(
    values: Sequence[bytes], headers: Sequence[Headers | None], lookup: Lookup, confluent: bool
) -> Unframed:
    found: list[tuple[Answer, bytes]] = []
    known: dict[bytes, Answer] = {}
    for value, given in zip(values, headers, strict=True):
        if confluent:
            prefix, size = _confluent_split(value, given)
        else:
            prefix, size = value[:SINGLE_OBJECT_BYTES], SINGLE_OBJECT_BYTES
        if prefix not in known:
            known[prefix] = lookup(prefix)
        found.append((known[prefix], value[size:]))
    return _gather(found)


def _gather(found: list[tuple[Answer, bytes]]) -> Unframed:
    groups: dict[int, Group] = {}
    faults: dict[int, RecordError] = {}
    for i, (answer, body) in enumerate(found):
        if isinstance(answer, RecordError):
            faults[i] = answer
            continue
        group = groups.setdefault(id(answer), Group(answer, [], []))
        group.rows.append(i)
        group.bodies.append(body)
    return list(groups.values()), faults


def _single_object(default: RecordSchema, writers: WriterSchemas | None) -> Lookup:
    def lookup(prefix: bytes) -> Answer:
        if not prefix.startswith(SINGLE_OBJECT) or len(prefix) < SINGLE_OBJECT_BYTES:
            return _not_framed("single-object", "C3 01 and 8 bytes of fingerprint", prefix)
        mark = prefix[2:]
        if mark == default.fingerprint:
            return default
        found = writers.by_fingerprint(mark) if writers is not None else None
        return found or RecordError(
            f"no schema with the fingerprint {mark.hex()} is known; {default.name} has "
            f"{default.fingerprint.hex()}",
            reason="unknown_schema",
        )

    return lookup


def _confluent(default: RecordSchema, writers: WriterSchemas | None) -> Lookup:
    def lookup(prefix: bytes) -> Answer:
        if _is_confluent(prefix):
            if writers is None:
                return default
            by_id = prefix[0] == 0
            found = writers.by_id(int.from_bytes(prefix[1:], "big")) if by_id else writers.by_guid(prefix[1:])
            return default if found is None else found
        return _not_framed("confluent", "00 and a 4-byte id, or 01 and a 16-byte GUID", prefix)

    return lookup


def _not_framed(framing: Framing, expected: str, prefix: bytes) -> RecordError:
    other: Framing | None = None
    if prefix.startswith(SINGLE_OBJECT):
        other = "single-object"
    elif framing == "single-object" and prefix[:1] == b"\x00" and len(prefix) >= ID_BYTES:
        other = "confluent"
    starts = prefix[:SINGLE_OBJECT_BYTES].hex(" ") or "nothing"
    hint = f"; this looks like {other} framing" if other and other != framing else ""
    return RecordError(
        f"not in {framing} framing: expected {expected}, found {starts}{hint}",
        reason="wrong_framing" if hint else "not_framed",
    )
