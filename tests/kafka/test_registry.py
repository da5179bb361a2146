"""The harness itself: a registry that is really one."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from stream.errors import StreamError
from stream.registry import Client, Connection, NotServed
from stream.settings import RegistrySettings
from tests.kafka.confluent import Memory, served
from tests.kafka.registry import Registry

pytestmark = pytest.mark.kafka

_SCHEMA = json.dumps({"type": "record", "name": "Flight", "fields": [{"name": "delay", "type": "int"}]})


def _call(url: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/vnd.schemaregistry.v1+json"}
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=10) as answer:
        return json.load(answer)


def test_registered_schema_is_found_by_its_id(registry: Registry) -> None:
    """A schema that is registered under a subject comes back by the id it was given."""
    given = _call(f"{registry.url}/subjects/flights-value/versions", {"schema": _SCHEMA})

    found = _call(f"{registry.url}/schemas/ids/{given['id']}")

    assert json.loads(_SCHEMA) == json.loads(found["schema"])


def test_compatibility_is_backward_from_the_start(registry: Registry) -> None:
    """The registry refuses what Confluent's would by default."""
    assert _call(f"{registry.url}/config") == {"compatibilityLevel": "BACKWARD"}


@pytest.fixture(params=["real", "memory"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The real registry, and the one in memory that other tests use: both must answer our client alike."""
    if request.param == "real":
        yield request.getfixturevalue("registry").url
    else:
        with served(Memory()) as address:
            yield address


def test_client_has_the_same_answers_from_both(url: str) -> None:
    """What is there, what is not, who holds an id, and what a wrong address looks like."""
    text = json.dumps({"type": "record", "name": "Seat", "fields": [{"name": "row", "type": "int"}]})
    holder = json.dumps({"type": "record", "name": "Plane", "fields": [{"name": "seat", "type": "Seat"}]})
    settings = RegistrySettings(url=url)
    with closing(Client(Connection(settings))) as client, closing(Connection(settings)) as line:
        made = client.register("seats-value", text)
        body = {"schema": holder, "references": [{"name": "Seat", "subject": "seats-value", "version": 1}]}
        plane = line.post("/subjects/planes-value/versions", body)["id"]

        assert made == client.register("seats-value", text) == client.id_of("seats-value", text)
        assert [1] == client.versions("seats-value")
        assert frozenset({"seats-value"}) == client.subjects_of(made)
        found = client.by_id(plane)
        assert found is not None
        assert '"row"' in found.text
        assert client.holds("planes-value", found)
        assert not client.holds("seats-value", found)
        assert [None, None, []] == [client.by_id(2**31 - 1), client.version("no", 1), client.versions("no")]
        assert [None, None] == [client.id_of("no", text), client.id_of("seats-value", holder)]
        assert client.by_guid("00000000-0000-0000-0000-000000000000") is None
    with closing(Connection(RegistrySettings(url=f"{url}/nowhere"))) as line, pytest.raises(NotServed):
        line.get("/schemas/ids/1")


def test_registry_s_refusals_are_our_errors(registry: Registry) -> None:
    """What it finds incompatible, and what it can't parse."""
    with closing(Client(Connection(RegistrySettings(url=registry.url)))) as client:
        client.register("refused-value", _SCHEMA)
        for text in (_SCHEMA.replace('"int"', '"string"'), '{"type": "foo"}'):
            with pytest.raises(StreamError, match="refused-value: the registry does not take the schema"):
                client.register("refused-value", text)
        assert client.incompatibilities("refused-value", _SCHEMA.replace('"int"', '"string"'))
        assert [] == client.incompatibilities("refused-value", _SCHEMA)
