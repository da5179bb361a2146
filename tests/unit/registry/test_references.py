"""Schemas that refer to others, as one document that our parser and fastavro take."""

from __future__ import annotations

import json
from typing import Any

import fastavro
import pytest

from stream.codec import RecordSchema
from stream.errors import BrokerRefused, SchemaError
from stream.registry import Client, Connection
from stream.registry.client import REFERENCES
from stream.settings import RegistrySettings
from tests.kafka.confluent import Memory


def record(name: str, namespace: str | None = "com.acme", **fields: Any) -> str:
    """A record's schema."""
    listed = [{"name": key, "type": kind} for key, kind in fields.items()]
    where = {} if namespace is None else {"namespace": namespace}
    return json.dumps({"type": "record", "name": name, **where, "fields": listed})


def to(*subjects: str) -> list[dict[str, Any]]:
    """References to the first version of each."""
    return [{"name": subject, "subject": subject, "version": 1} for subject in subjects]


@pytest.fixture
def memory() -> Memory:
    """A registry with an address and a customer that has two of them."""
    memory = Memory()
    memory.register("address", record("Address", street="string", city="string"))
    customer = record("Customer", home="com.acme.Address", work=["null", "Address"])
    memory.register("customer", customer, to("address"))
    return memory


def resolved(memory: Memory, text: str, references: list[dict[str, Any]]) -> RecordSchema:
    """The schema as `Client` gives it, parsed by us and by fastavro."""
    made = memory.register("in-value", text, references)
    settings = RegistrySettings(url="http://registry:8081")
    found = Client(Connection(settings, pause=lambda s: None, transport=memory.transport)).by_id(made)
    assert found is not None
    fastavro.parse_schema(json.loads(found.text))
    return RecordSchema(found.text)


def paths(schema: RecordSchema) -> list[str]:
    """The columns that it has."""
    return [leaf.path for leaf in schema.leaves()]


class TestReferences:
    """What is drawn in, and in what order."""

    def test_nested_references_are_drawn_in(self, memory: Memory) -> None:
        """An order has a customer, who has an address: full and short names are both found."""
        found = resolved(memory, record("Order", number="long", by="Customer"), to("customer"))

        assert ["number", "by.home.street", "by.home.city"] == paths(found)[:3]

    def test_diamond_defines_each_name_once(self, memory: Memory) -> None:
        """Two ways to one type: the first use defines it, the others name it."""
        text = record("Order", to="com.acme.Address", by="com.acme.Customer", back="com.acme.Address")

        found = resolved(memory, text, to("address", "customer"))

        assert {"to.street", "back.city", "by.home.city"} <= set(paths(found))

    @pytest.mark.parametrize("order", [("address", "customer"), ("customer", "address")])
    def test_order_of_the_references_does_not_matter(self, memory: Memory, order: tuple[str, ...]) -> None:
        """What counts is where a name is used first."""
        found = resolved(memory, record("Order", by="Customer", to="Address"), to(*order))

        assert {"by.home.street", "to.street"} <= set(paths(found))

    def test_type_inside_a_referenced_schema_is_found(self, memory: Memory) -> None:
        """A document may define several names; any of them may be used."""
        kind = {"type": "enum", "name": "Kind", "symbols": ["A", "B"]}
        memory.register("box", record("Box", kind=kind, size="int"))

        found = resolved(memory, record("Event", kind="Kind", box="Box"), to("box"))

        assert ["kind", "box.kind", "box.size"] == paths(found)

    def test_recursive_type_is_drawn_in_once(self, memory: Memory) -> None:
        """A node that holds nodes."""
        memory.register("node", record("Node", value="int", next=["null", "Node"]))

        found = resolved(memory, record("Event", head="Node", tail="Node"), to("node"))

        assert {"head.value", "tail.value"} <= set(paths(found))

    def test_names_in_other_namespaces_and_places(self, memory: Memory) -> None:
        """Arrays, maps and unions of names; a namespace of its own for each."""
        memory.register("unit", json.dumps({"type": "fixed", "name": "org.unit.Mark", "size": 2}))
        text = record(
            "Event",
            "net.event",
            marks={"type": "array", "items": "org.unit.Mark"},
            by={"type": "map", "values": "com.acme.Address"},
            one=["null", "org.unit.Mark"],
            n="int",
        )

        assert "n" in paths(resolved(memory, text, to("unit", "address")))

    def test_names_without_a_namespace(self, memory: Memory) -> None:
        """Types that have none, used by one that has none."""
        memory.register("plain", record("Plain", None, x="int"))

        assert ["a.x", "b.x"] == paths(
            resolved(memory, record("Event", None, a="Plain", b="Plain"), to("plain"))
        )

    def test_values_of_keys_that_only_look_like_names_stay(self, memory: Memory) -> None:
        """A default, a symbol or a field called like a type is not a reference."""
        field = {"name": "Address", "type": "string", "default": "com.acme.Address"}
        document = json.loads(record("Event", home="com.acme.Address"))
        document["fields"].insert(0, field)

        found = resolved(memory, json.dumps(document), to("address"))

        assert "com.acme.Address" == found.root.fields[0].default

    def test_schema_without_references_stays_as_it_is(self, memory: Memory) -> None:
        """Its text is not touched."""
        text = record("Event", x="int")

        assert text == resolved(memory, text, []).text


class TestFaults:
    """What can't be drawn in is a fault of that schema alone, and no call is made without end."""

    @pytest.mark.parametrize(
        "reference",
        [
            {"name": "x", "subject": "nobody", "version": 1},
            {"name": "x", "subject": "address", "version": 9},
            {"name": "x", "subject": "address"},
            {"name": "x", "subject": "address", "version": "one"},
            {},
        ],
    )
    def test_missing_reference_is_named(self, memory: Memory, reference: dict[str, Any]) -> None:
        """The schema can't be used."""
        with pytest.raises(SchemaError):
            resolved(memory, record("Event", home="com.acme.Address"), [reference])

    def test_loop_of_references_ends(self, memory: Memory) -> None:
        """Two schemas that refer to each other are fetched once each."""
        memory.register("a", record("A", b=["null", "com.acme.B"]), to("b"))
        memory.register("b", record("B", a=["null", "com.acme.A"]), to("a"))

        resolved(memory, record("Event", a="com.acme.A", n="int"), to("a"))

        assert 2 == sum("/subjects/" in call for call in memory.calls)

    def test_too_many_references_are_refused(self, memory: Memory) -> None:
        """A chain without end is cut off after a bounded number of calls."""
        for i in range(REFERENCES + 50):
            memory.register(f"r{i}", record(f"R{i}", x="int"), to(f"r{i + 1}"))

        with pytest.raises(SchemaError, match="more than"):
            resolved(memory, record("Event", r="com.acme.R0"), to("r0"))

        assert REFERENCES + 5 > len(memory.calls)


class TestClient:
    """What the methods make of odd answers."""

    @pytest.fixture
    def client(self, memory: Memory) -> Client:
        """On the registry."""
        return Client(Connection(RegistrySettings(url="http://r"), transport=memory.transport))

    def test_schema_of_another_kind_is_named(self, client: Client, memory: Memory) -> None:
        """Protobuf and JSON schemas are not Avro."""
        made = memory.register("p", 'syntax = "proto3";', kind="PROTOBUF")

        with pytest.raises(SchemaError, match="PROTOBUF"):
            client.by_id(made)

    @pytest.mark.parametrize("body", [b"[]", b"{}", b'"x"', b"7", b'{"schema": 7}', b"null", b'{"id": "7"}'])
    def test_answers_of_another_shape_are_refused(self, client: Client, memory: Memory, body: bytes) -> None:
        """Nothing but our own errors comes out."""
        from tests.kafka.confluent import Answer

        memory.script = [Answer(200, body)] * 5

        if body != b"null":
            with pytest.raises(SchemaError):
                client.by_id(1)
            with pytest.raises(BrokerRefused):
                client.id_of("in-value", "{}")
            with pytest.raises(SchemaError):
                client.version("in-value", 1)
        if not body.startswith((b"{", b"null")):
            with pytest.raises(BrokerRefused):
                client.incompatibilities("in-value", "{}")
        assert client.subjects_of(1) == frozenset()

    def test_subject_s_name_is_one_step_of_the_path(self, client: Client, memory: Memory) -> None:
        """Slashes, question marks and dots in a name stay in it."""
        memory.register("a/b?c=../d-value", record("E", x="int"))

        assert [1] == client.versions("a/b?c=../d-value")

    def test_guid_on_a_registry_without_guids_is_unknown(self, client: Client, memory: Memory) -> None:
        """Older registries have no such page; one record that asks for it stops nothing."""
        from tests.kafka.confluent import Answer

        memory.script = [Answer(404, b'{"error_code": 404, "message": "HTTP 404 Not Found"}')]

        assert client.by_guid("00000000-0000-0000-0000-000000000000") is None
