"""
Avro object container files from strangers: opened within limits, whatever their header and blocks claim.

Source: Avro 1.12 specification, "Object Container Files".
"""

from __future__ import annotations

import zlib

from stream.codec.schema import RecordSchema
from stream.codec.strict import Checker, about
from stream.codec.walk import LONG_BYTES, Invalid, Walk, block_head, varint

__all__ = ["read_container"]

_MAGIC = b"Obj\x01"
_SYNC_BYTES = 16

_MAX_ENTRIES = 100
"""Of a header; a writer's own are two."""

_MAX_SCHEMA_BYTES = 16 * 1024**2
"""A schema of 10,000 fields has 1 MB."""


def read_container(content: bytes, max_rows: int, max_bytes: int) -> tuple[RecordSchema, list[bytes]]:
    """
    Take a container file of records apart. Nothing is unpacked beyond the limits.

    Args:
        content: of the whole file; `null` or `deflate`.
        max_rows: rows that it may have.
        max_bytes: that its blocks may have together, unpacked.
    Returns: the writer's schema, and each row's bytes: exactly one valid value of the schema.
    Raises: RecordError saying what is wrong, and where; SchemaError.
    """
    try:
        return _read(content, max_rows, max_bytes)
    except Invalid as fault:
        raise about(fault) from fault


def _read(content: bytes, max_rows: int, max_bytes: int) -> tuple[RecordSchema, list[bytes]]:
    walk = Walk(content)
    if content[: len(_MAGIC)] != _MAGIC:
        raise Invalid("unreadable", "is not an Avro file", 0)
    metadata, at = _metadata(walk, len(_MAGIC))
    sync, at = content[at : at + _SYNC_BYTES], at + _SYNC_BYTES
    if at > walk.end:
        raise Invalid("truncated", "the file ends inside its header", walk.end)
    packed = metadata.get(b"avro.codec", b"null")
    if packed not in (b"null", b"deflate"):
        raise Invalid("unreadable", "expected the codec null or deflate", 0)
    text = metadata.get(b"avro.schema", b"")
    if len(text) > _MAX_SCHEMA_BYTES:
        raise Invalid("unreadable", f"its schema has {len(text)} bytes, at most {_MAX_SCHEMA_BYTES}", 0)
    schema = RecordSchema(text.decode("utf-8", "replace"))
    rows: list[bytes] = []
    checker = Checker(schema.root)
    while at < walk.end:
        count, block, at = _block(walk, at, sync)
        if not 0 <= count <= max_rows - len(rows):
            raise Invalid(
                "unreadable", f"has {len(rows) + count} rows or more, expected at most {max_rows}", at
            )
        unpacked = _unpacked(block, max_bytes) if packed == b"deflate" else block
        max_bytes -= len(unpacked)
        if max_bytes < 0:
            raise Invalid("unreadable", "has more bytes of rows than a file may have", at)
        rows += checker.cut(unpacked, count)
    return schema, rows


def _metadata(walk: Walk, at: int) -> tuple[dict[bytes, bytes], int]:
    found: dict[bytes, bytes] = {}
    while True:
        count, at, _ = block_head(walk, at)
        if not count:
            return found, at
        if count > _MAX_ENTRIES - len(found):
            raise Invalid("unreadable", f"its header has more than {_MAX_ENTRIES} entries", at)
        for _ in range(count):
            key, at = _sized(walk, at)
            value, at = _sized(walk, at)
            found[key] = value


def _sized(walk: Walk, at: int) -> tuple[bytes, int]:
    """Bytes behind their number."""
    size, start = varint(walk, at, LONG_BYTES, "long")
    if not 0 <= size <= walk.end - start:
        raise Invalid("bad_length", f"{size} bytes, {walk.end - start} left", at)
    return walk.data[start : start + size], start + size


def _block(walk: Walk, at: int, sync: bytes) -> tuple[int, bytes, int]:
    """How many rows, their bytes, and the position after the mark that ends it."""
    count, at = varint(walk, at, LONG_BYTES, "long")
    block, at = _sized(walk, at)
    if walk.data[at : at + _SYNC_BYTES] != sync:
        raise Invalid("unreadable", "a block does not end with the file's mark", at)
    return count, block, at + _SYNC_BYTES


def _unpacked(block: bytes, max_bytes: int) -> bytes:
    """As many bytes as are allowed, and one more where there are more."""
    unpacking = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        found = unpacking.decompress(block, max_bytes + 1)
    except zlib.error as error:
        raise Invalid("unreadable", f"a block can't be unpacked: {error}", 0) from error
    if len(found) <= max_bytes and not unpacking.eof:
        raise Invalid("truncated", "a block ends too early", 0)
    return found
