"""What a request may not do: come without a token, too large, too often, too many at once, take too long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stream.settings import Secret
from tests.kafka.process import wait_for
from tests.unit.rest.models import GIVEN, LET, NEVER, door

STUCK = {**GIVEN, "age": NEVER}


@pytest.fixture(autouse=True)
def let() -> Iterator[None]:
    """A model that does not come back does at the end of its test."""
    LET.clear()
    yield
    LET.set()


def test_token_is_asked_for_where_something_is_to_be_had(people_package: Path) -> None:
    """Only probes are open; a wrong token counts as none, and no status says how wrong it is."""
    with door(people_package, token=Secret("s3cret")) as (client, _):
        right = {"authorization": "Bearer s3cret"}
        wrong = [
            {},
            {"authorization": "Bearer s3cre"},
            {"authorization": "Basic s3cret"},
            {"authorization": "x"},
        ]
        answers = [client.post("/predict", json=GIVEN, headers=headers) for headers in wrong]

        assert [401] * 4 == [answer.status_code for answer in answers]
        assert "Bearer" == answers[0].headers["www-authenticate"]
        assert 200 == client.post("/predict", json=GIVEN, headers=right).status_code
        assert [401] * 4 == [
            client.get(path).status_code
            for path in ("/card", "/openapi.json", "/metrics", "/v2/models/people")
        ]
        assert [200] * 4 == [
            client.get(path).status_code
            for path in ("/ping", "/health", "/v2/health/live", "/v2/health/ready")
        ]


def test_page_that_asks_for_the_token_needs_none(people_package: Path) -> None:
    """It shows what the endpoints take, and no row; without a token it is filled with one."""
    with door(people_package, token="t") as (client, _):
        page, script = client.get("/docs"), client.get("/docs.js")

    with door(people_package) as (client, rest):
        open_page = client.get("/docs").text
        city = rest.service.served.examples[0]["city"]

    assert [200, 200] == [page.status_code, script.status_code]
    assert "name=token" in page.text
    assert "body mass (kg)" in page.text
    assert city in open_page
    assert city not in page.text


def test_token_is_compared_as_utf8(people_package: Path) -> None:
    """A letter beyond ASCII is what UTF-8 makes of it, its last byte a space to Latin-1 too."""
    with door(people_package, token=Secret("s\u00e9cret-\u00e0")) as (client, _):
        sent = {
            name: f"Bearer {token}".encode()
            for name, token in (("right", "s\u00e9cret-\u00e0"), ("wrong", "secret-a"))
        }
        codes = {
            name: client.get("/openapi.json", headers=[(b"authorization", value)]).status_code
            for name, value in sent.items()
        }

    assert {"right": 200, "wrong": 401} == codes


def test_errors_without_a_token_have_their_endpoints_shape(people_package: Path) -> None:
    """BigQuery and MLflow read another key."""
    with door(people_package, token="t") as (client, _):
        assert ["errorMessage"] == list(client.post("/bigquery", json={}).json())
        assert "UNAUTHENTICATED" == client.post("/invocations", json={}).json()["error_code"]


def test_body_that_is_too_large_is_refused(people_package: Path) -> None:
    """Announced or not, before it is all read; the next request is answered."""

    def pieces() -> Iterator[bytes]:
        yield b"["
        for _ in range(100):
            yield b'{"age": 1},'

    with door(people_package, max_body=500) as (client, _):
        announced = client.post("/predict", json=[GIVEN] * 100)
        unannounced = client.post("/predict", content=pieces(), headers={"content-type": "application/json"})

        assert [413, 413, 200] == [
            answer.status_code for answer in (announced, unannounced, client.post("/predict", json=GIVEN))
        ]
        assert "max_body" in announced.json()["error"]


def test_rows_that_are_too_many_are_refused(people_package: Path) -> None:
    """More in one request than may ever wait: trying again would not help."""
    with door(people_package, queue_rows=10) as (client, _):
        answer = client.post("/predict", json=[GIVEN] * 11)

        assert 413 == answer.status_code
        assert "queue_rows" in answer.json()["error"]


def test_more_rows_than_may_wait_are_sent_away(people_package: Path) -> None:
    """503 with Retry-After while the model is busy; what waited is answered when it is free."""
    with door(people_package, queue_rows=3) as (client, rest), ThreadPoolExecutor(2) as pool:
        busy = pool.submit(client.post, "/predict", json=STUCK)
        _until(lambda: rest.service.batcher.busy)
        waiting = pool.submit(client.post, "/predict", json=[GIVEN, GIVEN])
        _until(lambda: rest.service.metrics.value("stream_queue_rows") == 2)
        refused = client.post("/predict", json=[GIVEN, GIVEN])
        LET.set()

        assert 503 == refused.status_code
        assert int(refused.headers["retry-after"]) >= 1
        assert [200, 200] == [busy.result().status_code, waiting.result().status_code]


def test_more_bytes_than_may_be_held_are_sent_away(people_package: Path) -> None:
    """What requests in flight hold counts until they are answered."""
    with door(people_package, queue_bytes=10_000) as (client, rest), ThreadPoolExecutor(1) as pool:
        busy = pool.submit(client.post, "/predict", json={**STUCK, "x": "x" * 60})
        _until(lambda: rest.service.batcher.busy)
        refused = client.post("/predict", json=GIVEN)
        LET.set()

        assert [503, 200] == [refused.status_code, busy.result().status_code]
        assert 0 == rest.service.intake.memory.held_bytes
        assert 200 == client.post("/predict", json=GIVEN).status_code


def test_request_that_takes_too_long_is_ended(people_package: Path) -> None:
    """504; what waits behind it too; the service says that it is stuck until the model comes back."""
    with door(people_package, timeout=0.2) as (client, rest):
        assert 504 == client.post("/predict", json=STUCK).status_code
        assert 504 == client.post("/predict", json=GIVEN).status_code
        assert 0 == rest.service.metrics.value("stream_queue_rows")
        assert [503, 503, 503] == [
            client.get(path).status_code for path in ("/ping", "/v2/health/live", "/v2/models/people/ready")
        ]
        LET.set()
        _until(lambda: not rest.service.batcher.busy)

        assert 200 == client.post("/predict", json=GIVEN).status_code
        assert 200 == client.get("/ping").status_code


def test_client_that_asks_too_often_is_sent_away(people_package: Path) -> None:
    """429 with Retry-After; probes are never counted."""
    with door(people_package, rate=3) as (client, _):
        answers = [client.post("/predict", json=GIVEN) for _ in range(12)]
        refused = [answer for answer in answers if answer.status_code == 429]

        assert [200, 200, 200] == [answer.status_code for answer in answers[:3]]
        assert refused
        assert "1" == refused[0].headers["retry-after"]
        assert [200] * 10 == [client.get("/ping").status_code for _ in range(10)]


def _until(condition: Callable[[], bool]) -> None:
    wait_for(condition, 20, "the service to get there")
