"""Container files from strangers: no header, block or row takes more than it is allowed."""

from __future__ import annotations

import io
import json
import tracemalloc
import zlib
from collections.abc import Mapping

import fastavro
import pytest

from stream.codec import RecordSchema, read_container
from stream.errors import SchemaError, StreamError

ROW = {"type": "record", "name": "Row", "fields": [{"name": "a", "type": "double"}]}
EMPTY: dict[str, object] = {"type": "record", "name": "Row", "fields": []}
NULLS = {
    "type": "record",
    "name": "Row",
    "fields": [{"name": "a", "type": {"type": "array", "items": "null"}}],
}
MAX_ROWS, MAX_BYTES = 200, 1_000_000


def _long(number: int) -> bytes:
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, {"type": "long"}, number)
    return stream.getvalue()


def _sized(content: bytes) -> bytes:
    return _long(len(content)) + content


def _deflated(content: bytes) -> bytes:
    packing = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packing.compress(content) + packing.flush()


def _file(
    schema: object,
    *blocks: tuple[int, bytes],
    codec: bytes = b"null",
    more: Mapping[bytes, bytes] | None = None,
) -> bytes:
    entries = {b"avro.schema": json.dumps(schema).encode(), b"avro.codec": codec} | dict(more or {})
    head = _long(len(entries)) + b"".join(_sized(key) + _sized(value) for key, value in entries.items())
    packed = ((count, _deflated(block) if codec == b"deflate" else block) for count, block in blocks)
    body = b"".join(_long(count) + _sized(block) + b"s" * 16 for count, block in packed)
    return b"Obj\x01" + head + _long(0) + b"s" * 16 + body


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_rows_are_those_that_another_library_wrote(codec: str) -> None:
    """Each row's own bytes, in order, over several blocks."""
    stream = io.BytesIO()
    fastavro.writer(stream, fastavro.parse_schema(ROW), [{"a": i} for i in range(200)], codec, 100)

    schema, rows = read_container(stream.getvalue(), MAX_ROWS, MAX_BYTES)

    assert "Row" == schema.name
    assert [{"a": float(i)} for i in range(200)] == [
        fastavro.schemaless_reader(io.BytesIO(row), fastavro.parse_schema(ROW), None) for row in rows
    ]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(_file(EMPTY, (10**12, b"")), id="a trillion empty rows"),
        pytest.param(_file(EMPTY, *[(100, b"")] * 3), id="too many rows in several blocks"),
        pytest.param(_file(ROW, (-1, b"\0" * 8)), id="a negative number of rows"),
        pytest.param(_file(ROW, (3, b"\0" * 8)), id="fewer rows than claimed"),
        pytest.param(_file(ROW, (1, b"\0" * 16)), id="more bytes than rows"),
        pytest.param(_file(NULLS, (1, _long(2**40) + _long(0))), id="a trillion nulls in a row"),
        pytest.param(_file(ROW, (1, b"\0" * 2_000_000)), id="too large"),
        pytest.param(_file(ROW, (1, b"\0" * 2_000_000), codec=b"deflate"), id="too large unpacked"),
        pytest.param(_file(ROW, *[(1, b"\0" * 600_000)] * 2, codec=b"deflate"), id="too large together"),
        pytest.param(_file(ROW, (1, b""), codec=b"deflate")[:-30], id="a block that is cut"),
        pytest.param(_file(ROW, codec=b"bzip2"), id="another codec"),
        pytest.param(_file(ROW, more={b"%d" % i: b"" for i in range(200)}), id="a header of many entries"),
        pytest.param(b"Obj\x01" + _long(2**40), id="a header that claims many entries"),
        pytest.param(b"Obj\x01" + _long(1) + _long(2**40), id="an entry that claims many bytes"),
        pytest.param(b"Obj\x01" + _long(1) + _long(-1), id="an entry of a negative size"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"PAR1", id="another format"),
        pytest.param(_file({"type": "string"}), id="no records"),
        pytest.param(_file(ROW)[:-1], id="no mark"),
        pytest.param(_file(ROW, (1, b"\0" * 8))[:-1] + b"t", id="another mark"),
    ],
)
def test_file_that_claims_too_much_is_refused(content: bytes) -> None:
    """And no memory is taken for it."""
    tracemalloc.start()
    try:
        with pytest.raises(StreamError):
            read_container(content, MAX_ROWS, MAX_BYTES)
        assert tracemalloc.get_traced_memory()[1] < 8 * MAX_BYTES
    finally:
        tracemalloc.stop()


def test_each_record_that_is_cut_short_is_refused() -> None:
    """Whole, and without any of its last bytes."""
    content = _file(ROW, (2, b"\0" * 16), codec=b"deflate")
    header = len(_file(ROW, codec=b"deflate"))
    assert 2 == len(read_container(content, MAX_ROWS, MAX_BYTES)[1])

    for end in (*range(header), *range(header + 1, len(content))):
        with pytest.raises(StreamError):
            read_container(content[:end], MAX_ROWS, MAX_BYTES)


def _laughs(levels: int) -> object:
    """Each record holds the next one twice: the text grows by a line, the leaves by a factor of two."""
    inner: object = "double"
    for level in range(levels):
        name = f"R{level}"
        inner = {
            "type": "record",
            "name": name,
            "fields": [
                {"name": "x", "type": inner},
                {"name": "y", "type": f"R{level - 1}" if level else "int"},
            ],
        }
    return inner


def test_schema_that_doubles_with_each_level_is_read_or_refused() -> None:
    """At once."""
    try:
        RecordSchema(json.dumps(_laughs(40)))
    except SchemaError:
        return
    assert [] == read_container(_file(_laughs(40)), MAX_ROWS, MAX_BYTES)[1]


def test_schema_of_very_many_fields_is_read_at_once() -> None:
    """Each name is looked up, not compared with all before it."""
    fields = [{"name": f"f{i}", "type": "double"} for i in range(30_000)]

    assert 30_000 == len(RecordSchema(json.dumps({"type": "record", "name": "R", "fields": fields})).fields)
