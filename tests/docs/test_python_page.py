"""What docs/python.md shows is run: its programs, its route, its agent, its loop; and the notebook's cells."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer
from fastapi.testclient import TestClient

from stream.transport import EmbeddedBroker
from tests.docs.notebook import cells, run, text_of
from tests.docs.session import blocks, shape

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "python.md"
NOTEBOOK = ROOT / "docs" / "python.ipynb"

FLIGHT = {
    "flight_id": "x1", "carrier": "UA", "origin": "EWR", "dest": "ORD", "distance": 719, "dep_delay": 40,
    "weekday": 4, "hour": 17,
}  # fmt: skip
LATE = 0.7964468732279556

PROGRAMS = {block.file: block.text for block in blocks(PAGE) if block.language == "python"}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder like a clone's, where the programs are."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "flights").symlink_to(ROOT / "models" / "flights")
    for name, text in PROGRAMS.items():
        (tmp_path / str(name)).write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def imported(path: Path) -> ModuleType:
    """A program as a module."""
    spec = spec_from_file_location(f"page_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_each_program_of_the_page_is_run() -> None:
    """By one of the tests below."""
    assert {"ask.py", "pack_tumours.py", "route.py", "agent.py", "loop.py"} == set(PROGRAMS)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ask.py", "pack_tumours.py"])
def test_program_prints_what_the_page_shows(name: str, place: Path) -> None:
    """Numbers aside; and nothing on stderr."""
    found = blocks(PAGE)
    shown = found[[block.file for block in found].index(name) + 1]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, name], cwd=place, env=environment, check=False, capture_output=True, text=True
    )

    assert (0, "") == (done.returncode, done.stderr)
    assert "text" == shown.language
    assert [shape(f"> {line}") for line in shown.text.splitlines()] == [
        shape(f"> {line}") for line in done.stdout.splitlines()
    ]


def test_route_answers_one_flight_and_many(place: Path) -> None:
    """422 for a flight without an answer, and for what is not a flight; of many, each has its own error."""
    client = TestClient(imported(place / "route.py").app)
    odd = {**FLIGHT, "hour": "5pm"}
    good, bad = client.post("/late", json=FLIGHT), client.post("/late", json=odd)
    many = client.post("/late/many", json=[FLIGHT, odd, {}])

    assert [200, LATE, None] == [good.status_code, pytest.approx(good.json()["score"]), good.json()["error"]]
    assert [422, None] == [bad.status_code, bad.json()["label"]]
    assert "expected int, found '5pm'" in bad.json()["error"]
    assert [200, good.json(), bad.json()] == [many.status_code, *many.json()[:2]]
    assert many.json()[2]["error"].startswith("missing_field")
    assert [422, 422] == [client.post(path, json=5).status_code for path in ("/late", "/late/many")]


@contextmanager
def loops_closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Faust makes an event loop for its consumer's thread, which it closes only where that thread ran."""
    make, made = asyncio.new_event_loop, list[asyncio.AbstractEventLoop]()

    def kept() -> asyncio.AbstractEventLoop:
        made.append(make())
        return made[-1]

    monkeypatch.setattr(asyncio, "new_event_loop", kept)
    try:
        yield
    finally:
        for loop in made:
            loop.close()


def test_agent_answers_each_event(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In Faust's own test context, which has no broker; what goes to the topic is kept here."""
    sent: list[dict[str, Any]] = []

    async def send(*, value: dict[str, Any]) -> None:
        sent.append(value)

    async def ask() -> None:
        program = imported(place / "agent.py")
        monkeypatch.setattr(program.answers, "send", send)
        async with program.late.test_context() as late:
            await late.put(FLIGHT)
            await late.put({**FLIGHT, "hour": "5pm"})

    with loops_closed(monkeypatch):
        asyncio.run(ask())
    good, bad = sent

    assert pytest.approx(LATE) == good["score"]
    assert bad["error"].startswith("wrong_type: field 'hour'")


@contextmanager
def running(program: Path) -> Iterator[subprocess.Popen[str]]:
    """A program of the page, ended afterwards."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, program], cwd=program.parent, env=environment, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.slow
def test_loop_answers_what_comes_and_commits(place: Path) -> None:
    """On the embedded broker: answers on one topic, what has none on another."""
    with closing(EmbeddedBroker()) as broker:
        broker.create(["flights.json", "flights.answers", "flights.dead"])
        loop = place / "loop.py"
        loop.write_text(loop.read_text().replace("localhost:9092", broker.bootstrap_servers))
        producer = Producer({"bootstrap.servers": broker.bootstrap_servers})
        for n in range(20):
            event = {**FLIGHT, "flight_id": f"x{n}", "hour": 17 if n else "5pm"}
            producer.produce("flights.json", json.dumps(event), str(n))
        assert 0 == producer.flush(20)
        with running(loop):
            found = taken(broker.bootstrap_servers, 20)

    assert ["flights.dead"] == [topic for topic, answer in found if answer["error"] is not None]
    assert {f"x{n}" for n in range(1, 20)} == {
        answer["flight_id"] for topic, answer in found if topic[-1] == "s"
    }


def taken(bootstrap: str, count: int) -> list[tuple[str, dict[str, Any]]]:
    """So many answers and failures, with their topics."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "test", "auto.offset.reset": "earliest"})
    consumer.subscribe(["flights.answers", "flights.dead"])
    found: list[tuple[str, dict[str, Any]]] = []
    deadline = time.monotonic() + 60
    while len(found) < count and time.monotonic() < deadline:
        for message in consumer.consume(count, 0.2):
            if message.error() is None:
                found.append((str(message.topic()), json.loads(message.value() or b"null")))
    consumer.close()
    return found


def test_cells_of_the_notebook_show_what_it_holds() -> None:
    """Numbers aside, every cell's text; and HTML where it holds some."""
    held = [cell["outputs"] for cell in cells(NOTEBOOK)]
    given = run(NOTEBOOK)

    for before, after in zip(held, given, strict=True):
        texts = [[shape(line) for line in text_of(output).splitlines()] for output in (*before, *after)]
        assert texts[: len(before)] == texts[len(before) :]
        assert [list(output.get("data", ())) for output in before] == [
            list(output.get("data", ())) for output in after
        ]


def test_notebook_is_of_the_format_and_shows_no_place_of_ours() -> None:
    """Version 4.5, each cell with an id; no path of the machine that wrote it."""
    text = NOTEBOOK.read_text("utf-8")
    whole = json.loads(text)

    assert (4, 5) == (whole["nbformat"], whole["nbformat_minor"])
    assert len(whole["cells"]) == len({cell["id"] for cell in whole["cells"]})
    assert str(ROOT) not in text
    assert "/tmp/" not in text
