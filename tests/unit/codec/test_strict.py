"""Every rule of validity, as tables of bytes; each wrong row has a right neighbour."""

from __future__ import annotations

import pytest

from stream.codec.checks import MAX_DEPTH, MAX_EMPTY_ITEMS
from stream.codec.strict import Checker
from tests.unit.codec.samples import ENUM, FLIGHT, flight, schema, written

ARRAY = {"type": "array", "items": "int"}
MAP = {"type": "map", "values": "boolean"}
FIXED = {"type": "fixed", "name": "F", "size": 2}

VALID = [
    ("null", ""),
    ("boolean", "00"),
    ("boolean", "01"),
    ("int", "00"),
    ("int", "8000"),  # not minimal, but five bytes at most
    ("int", "8080808000"),
    ("int", "feffffff0f"),  # 2^31 - 1
    ("int", "ffffffff0f"),  # -2^31
    ("long", "feffffffffffffffff01"),
    ("long", "ffffffffffffffffff01"),
    ("float", "0000c07f"),  # NaN
    ("double", "010000000000f07f"),  # a signalling NaN
    ("bytes", "00"),
    ("bytes", "04fffe"),
    ("string", "00"),
    ("string", "04c3a9"),
    ("string", "08f09f9880"),
    (FIXED, "ffff"),
    (ENUM, "00"),
    (ENUM, "04"),
    (["null", "int"], "00"),
    (["null", "int"], "0202"),
    (["null", "int", "string"], "040261"),
    (ARRAY, "00"),
    (ARRAY, "04020400"),
    (ARRAY, "0202020400"),  # two blocks
    (ARRAY, "01020200"),  # a block with its size
    (MAP, "00"),
    (MAP, "0202610100"),
    (MAP, "0402610102610000"),  # the same key twice: Avro doesn't forbid it
    ({"type": "array", "items": "null"}, "1400"),
]

INVALID = [
    ("boolean", "", "truncated"),
    ("boolean", "02", "bad_boolean"),
    ("boolean", "07", "bad_boolean"),
    ("boolean", "ff", "bad_boolean"),
    ("int", "", "truncated"),
    ("int", "80", "truncated"),
    ("int", "8080808010", "int_out_of_range"),  # 2^31
    ("int", "8180808010", "int_out_of_range"),  # -2^31 - 1
    ("int", "808080808000", "int_out_of_range"),  # 0 in six bytes
    ("int", "80808080808040", "int_out_of_range"),  # 2^41, whose low 32 bits are 0
    ("long", "ffffffffffffffffff", "truncated"),
    ("long", "ffffffffffffffffff02", "long_out_of_range"),
    ("long", "ffffffffffffffffff7f", "long_out_of_range"),
    ("long", "8080808080808080808000", "long_out_of_range"),  # eleven bytes
    ("float", "000000", "truncated"),
    ("double", "00000000000000", "truncated"),
    ("bytes", "01", "bad_length"),
    ("bytes", "04fe", "truncated"),
    ("string", "01", "bad_length"),
    ("string", "0461", "truncated"),
    ("string", "feffffffffffffffff01", "truncated"),
    ("string", "02ff", "invalid_utf8"),
    ("string", "04c328", "invalid_utf8"),
    ("string", "04c080", "invalid_utf8"),  # over-long NUL
    ("string", "06eda080", "invalid_utf8"),  # a surrogate
    ("string", "08f4908080", "invalid_utf8"),  # beyond U+10FFFF
    ("string", "02c3", "invalid_utf8"),
    (FIXED, "ff", "truncated"),
    (ENUM, "01", "bad_enum_index"),  # -1
    (ENUM, "06", "bad_enum_index"),
    (ENUM, "808080808020", "int_out_of_range"),
    (["null", "int"], "01", "bad_union_index"),  # -1
    (["null", "int"], "04", "bad_union_index"),
    (["null", "int"], "808080802002", "bad_union_index"),  # 2^32, whose low 32 bits are 0
    (ARRAY, "02", "truncated"),
    (ARRAY, "0202", "truncated"),  # no end
    (ARRAY, "feffffffffffffffff01", "truncated"),
    (ARRAY, "ffffffffffffffffff01", "truncated"),  # -2^63
    (ARRAY, "01010200", "bad_length"),  # a block of -1 bytes
    (ARRAY, "0180200200", "bad_length"),  # a block longer than the value
    (ARRAY, "01040200", "bad_block"),  # a block that says two bytes and has one
    (ARRAY, "0302020200", "bad_block"),
    (MAP, "0202610700", "bad_boolean"),
    (MAP, "0202ff0100", "invalid_utf8"),
    ({"type": "array", "items": "null"}, "808080801000", "too_many_items"),
]


class TestCheck:
    """The walk over the bytes."""

    @pytest.mark.parametrize(("kind", "data"), VALID)
    def test_valid_bytes_pass(self, kind: object, data: str) -> None:
        """Every legal way to write a value is taken."""
        assert Checker(schema(a=kind).root).check(bytes.fromhex(data)) is None

    @pytest.mark.parametrize(("kind", "data", "reason"), INVALID)
    def test_invalid_bytes_are_named(self, kind: object, data: str, reason: str) -> None:
        """Every breach has its reason, and the message says the field."""
        found = Checker(schema(a=kind).root).check(bytes.fromhex(data))

        assert found is not None
        assert reason == found.reason
        assert "field 'a'" in found.message

    @pytest.mark.parametrize(("kind", "data"), VALID)
    def test_one_byte_more_is_trailing(self, kind: object, data: str) -> None:
        """A valid value with a byte behind it is not valid."""
        found = Checker(schema(a=kind).root).check(bytes.fromhex(data) + b"\0")

        assert found is not None
        assert "trailing_bytes" == found.reason

    def test_every_truncation_is_found(self) -> None:
        """A value cut anywhere is truncated, whatever byte comes last."""
        body, checker = written(FLIGHT, flight(1)), Checker(FLIGHT.root)

        for end in range(len(body)):
            found = checker.check(body[:end])
            assert found is not None
            assert "truncated" == found.reason

        assert checker.check(body) is None

    def test_message_names_the_nested_field_and_the_byte(self) -> None:
        """A fault deep inside says the whole path and the byte where the bad value starts."""
        inner = {
            "type": "record",
            "name": "I",
            "fields": [{"name": "x", "type": "int"}, {"name": "ok", "type": "boolean"}],
        }
        found = Checker(schema(n="int", pos=inner).root).check(bytes.fromhex("020207"))

        assert found is not None
        assert "field 'pos.ok', byte 2: a boolean is 00 or 01, found 07" == found.message

    def test_records_inside_each_other_are_limited(self) -> None:
        """A chain at the limit passes, one link more does not, and ten thousand don't exhaust the stack."""
        checker = Checker(schema(next=["null", "Event"]).root)

        assert checker.check(b"\x02" * (MAX_DEPTH - 1) + b"\0") is None
        for links in (MAX_DEPTH, 10_000):
            found = checker.check(b"\x02" * links + b"\0")
            assert found is not None
            assert "too_deep" == found.reason

    def test_items_without_bytes_are_limited_over_all_blocks(self) -> None:
        """Many small blocks of empty items count together."""
        checker = Checker(schema(a={"type": "array", "items": "null"}).root)
        block = b"\xd0\x0f"  # 1,000 items

        assert checker.check(block * (MAX_EMPTY_ITEMS // 1000) + b"\0") is None
        found = checker.check(block * (MAX_EMPTY_ITEMS // 1000 + 1) + b"\0")

        assert found is not None
        assert "too_many_items" == found.reason


def test_records_of_records_that_take_no_bytes_are_bounded() -> None:
    """A schema of forty lines can announce 2^40 empty records; the value is refused in the time of 10,000."""
    fields: list[dict[str, object]] = [
        {"name": "f0", "type": {"type": "record", "name": "N0", "fields": [{"name": "v", "type": "null"}]}}
    ]
    for i in range(1, 40):
        twice = [{"name": name, "type": f"N{i - 1}"} for name in "ab"]
        fields.append({"name": f"f{i}", "type": {"type": "record", "name": f"N{i}", "fields": twice}})

    fault = Checker(schema(*fields).root).check(b"")

    assert fault is not None
    assert "too_many_items" == fault.reason
