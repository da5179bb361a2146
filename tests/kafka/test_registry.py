"""The harness itself: a registry that is really one."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest

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
