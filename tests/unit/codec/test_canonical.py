"""Fingerprints are what the specification says, for the vectors of Avro's own tests."""

from __future__ import annotations

import json

import fastavro.schema
import pytest

from stream.codec import RecordSchema
from stream.codec.canonical import canonical_form, fingerprint
from stream.codec.schema_parser import parse

# share/test/data/schema-tests.txt of Apache Avro: the canonical form and its fingerprint as a signed long.
VECTORS = [
    ('"null"', '"null"', 7195948357588979594),
    ('{"type":"null"}', '"null"', 7195948357588979594),
    ('"boolean"', '"boolean"', -6970731678124411036),
    ('"int"', '"int"', 8247732601305521295),
    ('"long"', '"long"', -3434872931120570953),
    ('"float"', '"float"', 5583340709985441680),
    ('"double"', '"double"', -8181574048448539266),
    ('"bytes"', '"bytes"', 5746618253357095269),
    ('"string"', '"string"', -8142146995180207161),
    ('{"items":{"type":"null"}, "type":"array"}', '{"type":"array","items":"null"}', -589620603366471059),
    ('{"values":"string", "type":"map"}', '{"type":"map","values":"string"}', -8732877298790414990),
    ('["int", {"type":"boolean"}]', '["int","boolean"]', 5392556393470105090),
    (
        '{"fields":[], "type":"record", "name":"a.b.foo", "namespace":"x.y"}',
        '{"name":"a.b.foo","type":"record","fields":[]}',
        -4616218487480524110,
    ),
    (
        '{"namespace":"x.y.z", "type":"enum", "name":"foo", "doc":"foo bar", "symbols":["A1", "A2"]}',
        '{"name":"x.y.z.foo","type":"enum","symbols":["A1","A2"]}',
        -4448647247586288245,
    ),
    (
        '{"namespace":"x.y.z", "type":"fixed", "name":"foo", "doc":"foo bar", "size":32}',
        '{"name":"x.y.z.foo","type":"fixed","size":32}',
        -3064184465700546786,
    ),
    (
        '{"name":"PigValue","type":"record","fields":[{"name":"value","type":["null","int","long","PigValue"]}]}',
        '{"name":"PigValue","type":"record","fields":[{"name":"value","type":["null","int","long","PigValue"]}]}',
        -1759257747318642341,
    ),
]


class TestFingerprint:
    """Canonical forms and their fingerprints."""

    @pytest.mark.parametrize(("text", "form", "signed"), VECTORS)
    def test_vectors_of_avros_own_tests_are_met(self, text: str, form: str, signed: int) -> None:
        """A known schema has the known canonical form and fingerprint."""
        found = canonical_form(parse(json.loads(text)))

        assert form == found
        assert signed == int.from_bytes(fingerprint(found), "little", signed=True)

    def test_empty_text_has_the_specifications_starting_value(self) -> None:
        """The fingerprint of nothing is the constant of the specification."""
        assert 0xC15D213AA4D7A795.to_bytes(8, "little") == fingerprint("")

    def test_namespaces_and_nested_names_agree_with_fastavro(self) -> None:
        """Names are written in full, once defined by reference, as fastavro does it."""
        document = {
            "type": "record",
            "name": "R",
            "namespace": "a.b",
            "doc": "dropped",
            "fields": [
                {
                    "name": "e",
                    "type": {"type": "enum", "name": "E", "symbols": ["X"], "doc": "d"},
                    "default": "X",
                },
                {"name": "again", "type": ["null", "E"], "aliases": ["z"]},
                {"name": "f", "type": {"type": "fixed", "name": "x.F", "size": 4}},
                {"name": "t", "type": {"type": "long", "logicalType": "timestamp-millis"}},
                {"name": "m", "type": {"type": "map", "values": {"type": "array", "items": "a.b.E"}}},
                {"name": "next", "type": ["null", "R"]},
            ],
        }
        schema = RecordSchema(json.dumps(document))
        theirs = fastavro.schema.to_parsing_canonical_form(document)

        assert theirs == schema.canonical
        assert fastavro.schema.fingerprint(theirs, "CRC-64-AVRO") == schema.fingerprint.hex()
