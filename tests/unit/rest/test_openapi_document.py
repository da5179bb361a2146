"""The document as generators and linters read it: every endpoint, whoever adds it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import schemathesis
from starlette.testclient import TestClient

from stream.rest.application import ENDPOINTS
from tests.unit.rest.models import GIVEN, RAISES, door

TOKEN = {"authorization": "Bearer t"}
JSON = "application/json"


@pytest.fixture(params=["people", "line", "kinds", "texts"])
def api(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The document of a model."""
    client: TestClient = request.getfixturevalue(request.param)
    document: dict[str, Any] = client.get("/openapi.json").json()
    return document


def operations(api: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every path and method, with what is said of it."""
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def schemas(value: Any, place: str = "#") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object of the document but examples and what they hold."""
    if isinstance(value, dict):
        yield place, value
        for key, one in value.items():
            if key not in ("example", "examples", "default", "enum"):
                yield from schemas(one, f"{place}/{key}")
    elif isinstance(value, list):
        for i, one in enumerate(value):
            yield from schemas(one, f"{place}/{i}")


def test_document_is_openapi(api: dict[str, Any]) -> None:
    """As the specification's own JSON schema has it."""
    schemathesis.openapi.from_dict(api).validate()

    assert "3.1.0" == api["openapi"]
    assert api["servers"]
    assert api["info"]["contact"]["name"]


def test_every_operation_has_a_name_of_its_own_a_group_and_a_description(api: dict[str, Any]) -> None:
    """A generated client's function, its module, and what it says of it."""
    found = [operation for _, _, operation in operations(api)]
    names = [operation["operationId"] for operation in found]

    assert [] == [name for name in names if not re.fullmatch(r"[a-z]+([A-Z][a-z]+)*", name)]
    assert len(names) == len({name.lower() for name in names})
    assert {tag["name"] for tag in api["tags"]} == {tag for operation in found for tag in operation["tags"]}
    assert [1] * len(found) == [len(operation["tags"]) for operation in found]
    assert all(operation["summary"] and operation["description"] for operation in found)


def test_every_list_says_what_it_holds(api: dict[str, Any]) -> None:
    """Generators leave out an endpoint of which a list does not."""
    lists = {
        place: schema
        for place, schema in schemas(api)
        if schema.get("type") == "array"
        or (isinstance(schema.get("type"), list) and "array" in schema["type"])
    }

    assert len(lists) > 10
    assert [] == [place for place, schema in lists.items() if "items" not in schema]


def test_every_reference_leads_somewhere_and_every_component_is_used(api: dict[str, Any]) -> None:
    """No schema is left over, and none is missing."""
    used = {
        schema["$ref"].removeprefix("#/components/schemas/") for _, schema in schemas(api) if "$ref" in schema
    }

    assert set(api["components"]["schemas"]) == used


def test_every_status_has_a_body(api: dict[str, Any]) -> None:
    """Those that any request may get, those of requests with a body, and those of paths that name a version."""
    for path, method, operation in operations(api):
        statuses = {int(status) for status in operation["responses"]}
        expected = {200, 431, 500, 503, 504}
        expected |= {413, 415, 422} if method == "post" else set()
        expected |= set() if operation.get("security") == [] else {401, 429}
        expected |= {404} if "/models/" in path else set()

        assert expected <= statuses, path
        assert statuses <= expected | {406}, path
        assert all(
            response["content"] for status, response in operation["responses"].items() if status != "200"
        ), path


def refused(api: dict[str, Any], path: str, answer: Any) -> int:
    """The status of a refusal, whose body is as the document says."""
    response = api["paths"][path]["post"]["responses"][str(answer.status_code)]
    schema = response["content"][JSON]["schema"]
    jsonschema.validate(answer.json(), {**schema, "components": api["components"]})
    return int(answer.status_code)


@pytest.fixture(scope="module")
def guarded(people_package: Path) -> Iterator[tuple[TestClient, dict[str, Any]]]:
    """A client of a service with a token and a small limit, and its document."""
    with door(people_package, token="t", max_body=10_000) as (client, _):
        yield client, client.get("/openapi.json", headers=TOKEN).json()


DOORS = [
    one.path.format(name="people", version="1") for one in ENDPOINTS if one.method == "POST" and one.summary
]


@pytest.mark.parametrize("path", DOORS)
def test_refusals_are_as_the_document_says(path: str, guarded: tuple[TestClient, dict[str, Any]]) -> None:
    """Without a token; too large; of a strange type; not JSON; with the wrong fields."""
    client, api = guarded

    asked = [
        client.post(path, json={}),
        client.post(path, content=b" " * 10_001, headers=TOKEN),
        client.post(path, content=b"{}", headers={**TOKEN, "content-type": "image/png"}),
        client.post(path, content=b"{", headers={**TOKEN, "content-type": JSON}),
        client.post(path, json={}, headers=TOKEN),
    ]

    assert [401, 413, 415, 422, 422] == [refused(api, path, answer) for answer in asked]


@pytest.mark.parametrize("path", DOORS)
def test_failures_are_as_the_document_says(
    path: str, people_package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than the rate allows; more rows than wait; late; a bug."""
    with door(people_package, timeout=0.001) as (client, _):
        api = client.get("/openapi.json").json()
        content = api["paths"][path]["post"]["requestBody"]["content"][JSON]
        example = content.get("example") or content["examples"]["one"]["value"]
        late = client.post(path, json=example)
    with door(people_package, rate=1, queue_bytes=20_000) as (client, rest):
        rest.service.intake.memory.held_bytes = 20_000
        full = client.post(path, json=example)
        asked = (client.post(path, json=example) for _ in range(100))
        often = next(answer for answer in asked if answer.status_code != full.status_code)
    with door(people_package) as (client, rest):
        monkeypatch.setattr(rest.service.batcher, "score", broken)
        bug = client.post(path, json=example)

    assert [504, 503, 429, 500] == [refused(api, path, answer) for answer in (late, full, often, bug)]


async def broken(*_: object, **__: object) -> None:
    """A bug."""
    raise RuntimeError("a bug")


def test_another_version_is_as_the_document_says(people: TestClient) -> None:
    """A client that was made of an older version's document."""
    api = people.get("/openapi.json").json()
    schema = api["paths"]["/v2/models/people/versions/1/infer"]["post"]["responses"]["404"]["content"][JSON]

    answer = people.post("/v2/models/people/versions/2/infer", json={})

    assert 404 == answer.status_code
    jsonschema.validate(answer.json(), {**schema["schema"], "components": api["components"]})


def test_replies_to_bigquery_are_as_the_document_says(people: TestClient) -> None:
    """A prediction, an error, null."""
    api = people.get("/openapi.json").json()
    schema = api["paths"]["/bigquery"]["post"]["responses"]["200"]["content"][JSON]["schema"]

    answer = people.post("/bigquery", json={"calls": [[GIVEN], [{**GIVEN, "age": RAISES}], [{}], [None]]})

    jsonschema.validate(answer.json(), {**schema, "components": api["components"]})
    assert ["label", "error", "error", None] == [
        reply and next(iter(reply)) for reply in answer.json()["replies"]
    ]
