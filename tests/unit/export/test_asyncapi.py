"""The AsyncAPI document of a configuration; what its official parser says is asked in tests/docs/test_asyncapi.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stream.codec import RecordSchema
from stream.deadletter import HEADERS
from stream.errors import SchemaError
from stream.export import EXPORTERS
from stream.reasons import TABLE
from stream.settings import InputSettings, Settings
from stream.store import open_package
from tests.unit.export.asyncapi_cases import CASES, PREDICTION, SECRETS, WIDE, document_of


def made(case: str) -> dict[str, Any]:
    """The document of a case."""
    found = json.loads(document_of(CASES[case]))
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("case", CASES)
def test_document_holds_no_secret(case: str) -> None:
    """Not in properties, and not in addresses."""
    text = document_of(CASES[case])

    assert [] == [secret for secret in SECRETS if secret in text]


@pytest.mark.parametrize("case", CASES)
def test_each_topic_has_a_channel_and_each_reference_leads_somewhere(case: str) -> None:
    """The configuration's own names; the group reads the events, and writes the others."""
    document = made(case)

    assert CASES[case].topics == tuple(each["address"] for each in document["channels"].values())
    operations = {name: each["action"] for name, each in document["operations"].items()}
    assert {"readEvents": "receive", "publishPredictions": "send", "publishDeadLetters": "send"} == operations
    for reference in _references(document):
        found: Any = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if "$ref" in value else []
        return [*own, *(each for one in value.values() for each in _references(one))]
    return [each for one in value for each in _references(one)] if isinstance(value, list) else []


@pytest.mark.parametrize(
    ("case", "protocol", "schemes"),
    [
        ("defaults", "kafka", []),
        ("scram", "kafka-secure", ["scramSha512"]),
        ("plain", "kafka", ["plain"]),
        ("gssapi", "kafka-secure", ["gssapi"]),
        ("oauth", "kafka-secure", ["oauth2"]),
        ("oauth by a callback", "kafka-secure", ["http"]),
        ("mutual tls", "kafka-secure", ["X509"]),
    ],
)
def test_servers_say_how_to_get_in(case: str, protocol: str, schemes: list[str]) -> None:
    """One for each bootstrap server."""
    document = made(case)

    servers = document["servers"].values()
    hosts = [host.strip() for host in CASES[case].kafka.bootstrap_servers.split(",")]
    assert hosts == [server["host"] for server in servers]
    assert {protocol} == {server["protocol"] for server in servers}
    assert schemes == [each["type"] for each in document["components"].get("securitySchemes", {}).values()]


@pytest.mark.parametrize(
    ("case", "located"),
    [
        ("defaults", {"schemaIdLocation": "payload"}),
        ("registry", {"schemaIdLocation": "payload", "schemaIdPayloadEncoding": "confluent"}),
        ("bare", {}),
    ],
)
def test_messages_say_where_the_schema_is_named(case: str, located: dict[str, str]) -> None:
    """By the framing of each side."""
    messages = made(case)["components"]["messages"]

    for name in ("event", "prediction"):
        assert {**located, "bindingVersion": "0.5.0"} == messages[name]["bindings"]["kafka"]
    assert {"bindingVersion": "0.5.0"} == messages["deadLetter"]["bindings"]["kafka"]


def test_schemas_are_the_same_though_their_names_are_spelled_otherwise() -> None:
    """AsyncAPI's rules know no dot in a name; what it stands for stays, docs and defaults too."""
    messages = made("defaults")["components"]["messages"]

    for name, schema in (("event", WIDE), ("prediction", PREDICTION)):
        written = messages[name]["payload"]["schema"]
        assert RecordSchema(json.dumps(schema)).canonical == RecordSchema(json.dumps(written)).canonical
    event = messages["event"]["payload"]["schema"]
    assert ("An order.", ["Purchase"], "Its number.") == (
        event["doc"],
        event["aliases"],
        event["fields"][0]["doc"],
    )
    assert 0.5 == event["fields"][-1]["default"]


def test_dead_letter_has_every_header_and_every_reason() -> None:
    """From the code's own tables."""
    headers = made("defaults")["components"]["messages"]["deadLetter"]["headers"]

    assert list(HEADERS) == headers["required"] == list(headers["properties"])
    assert {each.name for each in TABLE if each.stages} == set(
        headers["properties"]["stream.error.reason"]["enum"]
    )
    stages = {stage for each in TABLE for stage in each.stages}
    assert stages == set(headers["properties"]["__connect.errors.stage"]["enum"])


def test_target_writes_the_schema_that_producers_use(tmp_path: Path) -> None:
    """`[input] schema`, else the package's."""
    package = open_package("models/flights")
    (tmp_path / "own.avsc").write_text(json.dumps(WIDE))
    for settings, name in (
        (Settings(), "Flight"),
        (Settings(input=InputSettings(schema=Path("own.avsc")), base=tmp_path), "Order"),
    ):
        exported = EXPORTERS["asyncapi"].export(package, settings, {}, tmp_path / name)
        document = json.loads(exported.files[0].read_text("utf-8"))
        assert name == document["components"]["messages"]["event"]["payload"]["schema"]["name"]
        assert "flights: predictions on Kafka" == document["info"]["title"]

    with pytest.raises(SchemaError, match="correct the path"):
        EXPORTERS["asyncapi"].export(
            package, Settings(input=InputSettings(schema=Path("no.avsc"))), {}, tmp_path / "none"
        )
    assert not (tmp_path / "none").exists()
