"""Requests that arrive together are scored together, and answered apart."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stream.codec import RecordSchema
from stream.rest import Batcher, Served
from stream.rest.problems import Problem
from stream.rest.served_model import Answer, Event
from stream.settings import ServeSettings
from stream.store import open_package
from stream.telemetry import Metrics
from stream.types import Misfits
from tests.unit.rest.models import GIVEN, RAISES, door, pack_people


def served(package: Path) -> Served:
    """The model of a package."""
    opened = open_package(package)
    return Served(opened.model, RecordSchema(opened.features))


def batches(metrics: Metrics) -> tuple[float, float]:
    """How many batches, and how many rows in them."""
    found = metrics.histogram("stream_batch_records")
    return sum(found.counts()), found.sum()


async def score(batcher: Batcher, model: Served, ages: list[list[int]]) -> list[list[object]]:
    """The scores of requests that come at the same moment, a list of ages each."""

    async def one(rows: list[int]) -> list[object]:
        events, _ = model.read([{**GIVEN, "age": age} for age in rows])
        answers, _ = await batcher.score(model, events)
        return [answer["score"] if isinstance(answer, dict) else answer.reason for answer in answers]

    running = asyncio.ensure_future(batcher.run())
    try:
        return await asyncio.gather(*map(one, ages))
    finally:
        running.cancel()
        batcher.close()


def test_requests_of_one_moment_are_one_batch(people_package: Path) -> None:
    """Each gets its own rows' answers, in its order; a row that raises is its own request's."""
    metrics = Metrics("serve")

    found = asyncio.run(
        score(Batcher(ServeSettings(), metrics), served(people_package), [[20], [30, RAISES, 40], [], [50]])
    )

    assert [[0.8], [0.7, "model_raised", 0.6], [], [0.5]] == found
    assert (1, 5) == batches(metrics)


@pytest.mark.parametrize("quickly", ["answers", "is not certain", "raises", "has no memory"])
def test_few_rows_need_no_thread(people_package: Path, monkeypatch: pytest.MonkeyPatch, quickly: str) -> None:
    """Where the model answers quickly, the loop asks it; whatever else that comes to, the thread has the answers."""
    model, asked = served(people_package), []

    def answer_quickly(events: Sequence[Event]) -> tuple[list[Answer], Misfits] | None:
        asked.append(len(events))
        match quickly:
            case "raises":
                raise ValueError("a bug")
            case "has no memory":
                raise MemoryError
            case "is not certain":
                return None
        return [{"score": 0.25}] * len(events), {}

    monkeypatch.setattr(model, "answer_quickly", answer_quickly, raising=True)
    found = asyncio.run(score(Batcher(ServeSettings(), Metrics("serve")), model, [[20], [30, 40]]))

    assert ([[0.25], [0.25, 0.25]] if quickly == "answers" else [[0.8], [0.7, 0.6]]) == found
    assert [3] == asked


def test_batch_is_no_larger_than_it_may_be(people_package: Path) -> None:
    """What is beyond goes into the next; a request is never cut."""
    metrics = Metrics("serve")
    settings = ServeSettings(batch_rows=4)

    found = asyncio.run(
        score(Batcher(settings, metrics), served(people_package), [[10, 10, 10], [20, 20], [30] * 6, [40]])
    )

    assert [[0.9] * 3, [0.8] * 2, [0.7] * 6, [0.6]] == found
    assert (4, 12) == batches(metrics)


def test_rows_of_two_versions_are_never_mixed(people_package: Path) -> None:
    """A request is answered by the version that read it."""
    metrics = Metrics("serve")
    old, new = served(people_package), served(people_package)

    async def both() -> list[object]:
        batcher = Batcher(ServeSettings(), metrics)
        running = asyncio.ensure_future(batcher.run())
        events, _ = old.read([GIVEN])
        found = await asyncio.gather(*(batcher.score(model, events) for model in (old, new, new, old)))
        running.cancel()
        batcher.close()
        return [answers for answers, _ in found]

    assert 4 == len(asyncio.run(both()))
    assert (3, 4) == batches(metrics)


def test_request_that_gave_up_is_not_scored(people_package: Path) -> None:
    """Its place in the queue is free again."""
    metrics = Metrics("serve")
    model = served(people_package)

    async def give_up() -> float:
        batcher = Batcher(ServeSettings(queue_rows=1), metrics)
        events, _ = model.read([GIVEN])
        waiting = asyncio.ensure_future(batcher.score(model, events))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        running = asyncio.ensure_future(batcher.run())
        await batcher.score(model, events)  # would be 503 if the first still had the one place
        running.cancel()
        batcher.close()
        return batches(metrics)[1]

    assert 1 == asyncio.run(give_up())


def test_full_queue_refuses_at_once(people_package: Path) -> None:
    """Whatever waits already keeps its place."""
    model = served(people_package)

    async def fill() -> tuple[int, int]:
        batcher = Batcher(ServeSettings(queue_rows=2), Metrics("serve"))
        events, _ = model.read([GIVEN, GIVEN])
        first = asyncio.ensure_future(batcher.score(model, events))
        await asyncio.sleep(0)
        try:
            await batcher.score(model, events[:1])
        except Problem as problem:
            status = problem.status
        running = asyncio.ensure_future(batcher.run())
        answers, _ = await first
        running.cancel()
        batcher.close()
        return status, len(answers)

    assert (503, 2) == asyncio.run(fill())


def test_many_clients_share_batches(people_package: Path) -> None:
    """Sixteen clients that ask again and again: every answer right, far fewer batches than requests."""
    with door(people_package) as (client, rest), ThreadPoolExecutor(16) as pool:

        def ask(number: int) -> bool:
            age = number % 90
            answer = client.post("/predict", json={**GIVEN, "age": age, "id": str(number)}).json()
            return bool(abs(answer["score"] - (1 - age / 100)) < 1e-9 and answer["id"] == str(number))

        assert all(pool.map(ask, range(320)))
        count, rows = batches(rest.service.metrics)
        assert 320 == rows
        assert count < 160


def test_new_version_takes_over_between_requests(tmp_path: Path) -> None:
    """Reload hands it over; requests in between are answered by one or the other."""
    package = pack_people(tmp_path / "people")
    with door(package) as (client, rest), ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(client.post, "/predict", json=GIVEN) for _ in range(40)]
        pack_people(package)
        assert rest.reloader.look()

        assert {200} == {answer.result().status_code for answer in asked}
        assert "people@2" == client.post("/predict", json=GIVEN).json()["model"]
        assert ["2"] == client.get("/v2/models/people").json()["versions"]
        assert 'stream_model_info{model="people@2"} 1.0' in client.get("/metrics").text
