"""The live page of the service: what it shows, and who may see it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from starlette.testclient import TestClient

from stream.live import page_files
from tests.unit.rest.models import GIVEN, RAISES, door

SCHEMA = json.loads((Path(__file__).parents[2] / "live/snapshot.schema.json").read_text("utf-8"))
HOST = {"host": "127.0.0.1:8080"}


def state_of(client: TestClient, **headers: str) -> dict[str, Any]:
    """A snapshot, as the schema has it."""
    answer = client.get("/live/state", headers=HOST | headers)
    assert 200 == answer.status_code, answer.text
    found: dict[str, Any] = answer.json()
    jsonschema.validate(found, SCHEMA)
    return found


def test_page_and_its_files_are_there_for_everybody(people_package: Path) -> None:
    """Without the token; what is not changed is not sent again."""
    with door(people_package, token="secret") as (client, _):
        for path, file in page_files().items():
            answer = client.get(path)

            assert (200, file.content) == (answer.status_code, answer.content)
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
            assert "nosniff" == answer.headers["x-content-type-options"]
            assert 304 == client.get(path, headers={"if-none-match": answer.headers["etag"]}).status_code


@pytest.mark.parametrize("path", ["/live/state", "/live/events"])
def test_snapshots_need_the_token(people_package: Path, path: str) -> None:
    """As predictions do; with it, the service may be called by any name."""
    with door(people_package, token="secret") as (client, _):
        assert 401 == client.get(path).status_code
        assert 200 == client.get("/live/state", headers={"authorization": "Bearer secret"}).status_code


@pytest.mark.parametrize(("bound", "status"), [("127.0.0.1", 403), ("::1", 403), ("0.0.0.0", 200)])
def test_foreign_name_reads_nothing_of_a_local_service(people_package: Path, bound: str, status: int) -> None:
    """A page of the web whose name points here; where the network may ask anyway, names are its own affair."""
    with door(people_package, host=bound) as (client, _):
        answer = client.get("/live/state", headers={"host": "rebound.example"})

    assert status == answer.status_code
    assert (status == 403) == ("[serve] token" in answer.text)


def test_snapshot_tells_what_was_asked(people_package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows, predictions, those without one, requests by status and endpoint; the page's own are left out."""
    monkeypatch.setattr("stream.live.audience.EVERY_S", 0.01)
    with door(people_package) as (client, _):
        empty = state_of(client)
        client.post("/predict", json=[GIVEN] * 3)
        client.post("/predict", json={**GIVEN, "age": RAISES})
        client.post("/predict", json={"age": "old"})
        while 3 != sum((found := state_of(client))["requests"]["by_status"].values()):
            pass

    assert ("service", "running", True, "people@1") == (
        found["kind"],
        found["state"],
        found["ready"],
        found["model"]["name"],
    )
    assert 0 == empty["totals"]["records"]
    assert {"records": 4, "predictions": 3, "dead_letters": 1, "skips": 0} == found["totals"]
    assert {"200": 1, "422": 2} == found["requests"]["by_status"]
    assert [{"endpoint": "/predict", "count": 3, "errors": 2}] == found["requests"]["by_endpoint"]


def test_answers_and_rows_without_one_are_shown(
    people_package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answers while somebody looks, the reasons always; with their distribution beside the golden rows'."""
    monkeypatch.setattr("stream.live.audience.EVERY_S", 0.01)
    with door(people_package) as (client, _):
        client.post("/predict", json={**GIVEN, "age": RAISES})
        before = state_of(client)
        client.post("/predict", json=[GIVEN] * 3)
        while not (found := state_of(client))["latest"]:
            pass

    assert [] == before["latest"]
    assert [("model_raised", 1)] == [
        (each["reason"], each["count"]) for each in before["dead_letters"]["by_reason"]
    ]
    assert ["too old" in letter["message"] for letter in before["dead_letters"]["recent"]] == [True]
    assert {"label": "young", "score": 0.6} == found["latest"][0]["values"]
    assert (3, 3) == (sum(found["scores"]["golden"]), sum(found["scores"]["now"]))


def test_stream_is_server_sent_events_and_ends_with_the_service(people_package: Path) -> None:
    """A client of a service that stops reads the end of its answer."""
    with door(people_package) as (client, rest):
        assert rest.audience is not None
        with client.stream("GET", "/live/events", headers=HOST) as answer:
            lines = answer.iter_lines()
            first = [next(lines), next(lines)]
            rest.audience.close()
            rest_of_it = list(lines)

    assert "event: state" == first[0]
    jsonschema.validate(json.loads(first[1].removeprefix("data: ")), SCHEMA)
    assert [] == [line for line in rest_of_it if line and not line.startswith(("event", "data"))]


def test_head_of_the_stream_takes_nobodys_place(people_package: Path) -> None:
    """What is asked for its headers only ends with them."""
    with door(people_package) as (client, rest):
        answer = client.head("/live/events", headers=HOST)

        assert rest.audience is not None
        assert (200, "text/event-stream", b"") == (
            answer.status_code,
            answer.headers["content-type"].partition(";")[0],
            answer.content,
        )
        assert 0 == len(rest.audience)
