"""Prefixes are taken off as they were asked for, and never guessed."""

from __future__ import annotations

import pytest

from stream.codec import Decoder, Framing, RecordSchema, confluent_prefix, single_object_prefix
from stream.records import Headers
from tests.unit.codec.samples import schema, written

OLD = schema(a="int", name="Old")
NEW = schema(a="int", b="string", name="New")
OTHER = schema(b="string", a="int", name="Other")
GUID = bytes(range(16))


class Writers:
    """A registry with NEW under one id, one GUID and its fingerprint."""

    def by_fingerprint(self, fingerprint: bytes) -> RecordSchema | None:
        """NEW for its own."""
        return NEW if fingerprint == NEW.fingerprint else None

    def by_id(self, schema_id: int) -> RecordSchema | None:
        """NEW for 7, OTHER for 8."""
        return {7: NEW, 8: OTHER}.get(schema_id)

    def by_guid(self, guid: bytes) -> RecordSchema | None:
        """NEW for the one GUID."""
        return NEW if guid == GUID else None


def _decode(
    framing: Framing, values: list[bytes], headers: list[Headers | None] | None = None, known: bool = True
) -> list[int | str]:
    """For each value the decoded a, or the reason why not."""
    decoder = Decoder(OLD, ["a"], framing, OLD, Writers() if known else None)
    decoded = decoder.decode(values, headers)
    found: dict[int, int | str] = {i: fault.reason for i, fault in decoded.faults.items()}
    found |= dict(zip(decoded.rows, decoded.columns["a"].to_pylist(), strict=True))
    return [found[i] for i in range(len(values))]


def _old(a: int) -> bytes:
    return written(OLD, {"a": a})


def _new(a: int) -> bytes:
    return written(NEW, {"a": a, "b": "x"})


def _other(a: int) -> bytes:
    return written(OTHER, {"a": a, "b": "xyz"})


class TestSingleObject:
    """C3 01 and a fingerprint."""

    def test_fingerprints_of_several_writers_are_told_apart(self) -> None:
        """Each value is read with the schema that its fingerprint names."""
        values = [single_object_prefix(OLD) + _old(1), single_object_prefix(NEW) + _new(2)] * 10

        assert [1, 2] * 10 == _decode("single-object", values)

    def test_prefix_is_the_marker_and_the_fingerprint(self) -> None:
        """C3 01, then the fingerprint's least significant byte first."""
        assert b"\xc3\x01" + OLD.fingerprint == single_object_prefix(OLD)

    def test_unknown_fingerprint_is_named(self) -> None:
        """The message says the fingerprint in hex, as it stands on the wire."""
        decoder = Decoder(OLD, ["a"], "single-object", OLD)
        fault = decoder.decode([single_object_prefix(NEW) + _new(2)]).faults[0]

        assert ("decode", "unknown_schema") == (fault.stage, fault.reason)
        assert NEW.fingerprint.hex() in fault.message

    @pytest.mark.parametrize(
        ("value", "reason"),
        [
            (b"", "not_framed"),
            (b"hello", "not_framed"),
            (b"\xc3", "not_framed"),
            (single_object_prefix(OLD)[:9], "not_framed"),
            (b"\xc3\x02" + OLD.fingerprint + _old(1), "not_framed"),
            (confluent_prefix(7) + _new(1), "wrong_framing"),
            (single_object_prefix(OLD), "truncated"),
        ],
    )
    def test_other_bytes_are_faults_beside_sound_neighbours(self, value: bytes, reason: str) -> None:
        """The dead letter of a value in another framing says so, and its neighbours are read."""
        sound = single_object_prefix(OLD) + _old(5)

        assert [5] * 8 + [reason] + [5] * 8 == _decode("single-object", [sound] * 8 + [value] + [sound] * 8)

    def test_every_cut_is_a_fault(self) -> None:
        """A value fed byte by byte is read only when it is whole."""
        value = single_object_prefix(OLD) + _old(300)
        found = _decode("single-object", [value[:end] for end in range(len(value) + 1)])

        assert 300 == found[-1]
        assert {"not_framed", "truncated"} == set(found[:-1])


class TestConfluent:
    """A registry's id or GUID."""

    def test_ids_and_guids_choose_the_writer(self) -> None:
        """00 and an id, 01 and a GUID, mixed in one batch."""
        values = [
            confluent_prefix(7) + _new(1),
            b"\x01" + GUID + _new(2),
            confluent_prefix(8) + _other(3),
        ] * 7

        assert [1, 2, 3] * 7 == _decode("confluent", values)

    def test_batch_of_one_guid_is_read(self) -> None:
        """A batch of values that all have the same GUID is read at once."""
        assert list(range(20)) == _decode("confluent", [b"\x01" + GUID + _new(i) for i in range(20)])

    @pytest.mark.parametrize("known", [True, False])
    def test_id_that_no_registry_has_means_the_default_writer(self, known: bool) -> None:
        """Without a registry, or with one that hasn't got the id, the input's schema file is the writer's."""
        values = [confluent_prefix(99) + _old(4), b"\x01" + bytes(16) + _old(5)]

        assert [4, 5] == _decode("confluent", values, known=known)

    def test_header_takes_the_prefixs_place(self) -> None:
        """With the header the value has no prefix; the last of several headers counts."""
        by_id: Headers = [("x", None), ("__value_schema_id", confluent_prefix(7))]
        by_guid: Headers = [("__value_schema_id", b"junk"), ("__value_schema_id", b"\x01" + GUID)]
        values = [_new(1), _new(2), confluent_prefix(7) + _new(3), confluent_prefix(7) + _new(4)]

        assert [1, 2, 3, 4] == _decode("confluent", values, [by_id, by_guid, None, [("x", b"y")]])

    @pytest.mark.parametrize("content", [None, b"", b"\x00\x00\x07", b"\x02" + bytes(16), b"\x00" * 6])
    def test_header_that_holds_no_id_is_a_fault(self, content: bytes | None) -> None:
        """A header of that name which isn't an id or a GUID is not passed over."""
        assert ["not_framed"] == _decode("confluent", [_new(1)], [[("__value_schema_id", content)]])

    @pytest.mark.parametrize(
        ("value", "reason"),
        [
            (b"", "not_framed"),
            (b"\x00\x00\x00\x07", "not_framed"),
            (b"\x01" + GUID[:15], "not_framed"),
            (b"\x02\x00\x00\x00\x07\x02", "not_framed"),
            (single_object_prefix(OLD) + _old(1), "wrong_framing"),
        ],
    )
    def test_other_bytes_are_faults_beside_sound_neighbours(self, value: bytes, reason: str) -> None:
        """The dead letter of a value in another framing says so, and its neighbours are read."""
        sound = confluent_prefix(7) + _new(5)

        assert [5, reason] + [5] * 8 == _decode("confluent", [sound, value] + [sound] * 8)


class TestBare:
    """Nothing at all."""

    def test_value_is_read_as_it_is(self) -> None:
        """Nothing is taken off, even where the bytes look like another framing."""
        assert [-98, "trailing_bytes"] == _decode("bare", [b"\xc3\x01", confluent_prefix(7) + _new(1)])

    def test_header_means_nothing(self) -> None:
        """The header belongs to the confluent framing alone."""
        headers: Headers = [("__value_schema_id", confluent_prefix(7))]

        assert [3] == _decode("bare", [_old(3)], [headers])
        assert [3] == _decode("single-object", [single_object_prefix(OLD) + _old(3)], [headers])
