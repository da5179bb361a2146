"""The page of real processes: a worker on the mock cluster and on a real Kafka, a REST service."""

from __future__ import annotations

import json
import shutil
import urllib.request
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from selenium.webdriver import Chrome

from stream.transport import EmbeddedBroker
from tests.acceptance import visits
from tests.acceptance.conftest import make_setup
from tests.acceptance.feed import Feed
from tests.acceptance.process import Setup, Worker
from tests.acceptance.server import Server
from tests.acceptance.visits import Event
from tests.browser.visit import Visit
from tests.kafka.broker import Broker
from tests.kafka.topics import Topics

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

SCHEMA = json.loads((Path(__file__).parents[1] / "live" / "snapshot.schema.json").read_text())


def validated(url: str) -> None:
    """What the process sends is what the page expects, with something in each list."""
    with urllib.request.urlopen(f"{url}live/state", timeout=30) as answer:
        snapshot: dict[str, Any] = json.load(answer)
    jsonschema.Draft202012Validator(SCHEMA).validate(snapshot)


def moving(visit: Visit, selector: str) -> Callable[[], bool]:
    """Whether an element has said another thing than at first."""
    first = visit.text(selector)
    return lambda: visit.text(selector) != first


def test_worker_on_the_mock_cluster(chrome: Chrome, tmp_path: Path, package: Path) -> None:
    """Records flow, predictions are listed, a spoiled record becomes a letter that can be opened."""
    with closing(EmbeddedBroker()) as broker:
        broker.create(["in", "out", "dead"])
        setup = Setup(
            tmp_path,
            broker.bootstrap_servers,
            "group",
            "in",
            "out",
            "dead",
            package,
            {"delivery": {"guarantee": "at-least-once"}},
        )
        with Worker(setup, "worker") as worker, Feed(setup.bootstrap, "in", 200):
            url = f"http://127.0.0.1:{worker.ready().port}/"
            visit = Visit(chrome, url)
            visit.until_drawn()
            visit.until(lambda: "leaves" in visit.text("#latest-table"), "predictions")
            visit.until(moving(visit, "#in-total"), "more records")
            visits.send(setup.bootstrap, "in", [Event(b"spoiled", b"junk")])
            visit.until_text("#recent", "not_framed")
            visit.run("document.querySelector('#recent button').click()")

            assert "6a 75 6e 6b" in visit.text("#letter")
            assert "alike" in visit.text("#scores-note") or "too few" in visit.text("#scores-note")
            assert "4 partitions" in visit.text("#owners")
            assert "at-least-once" in visit.text("header")
            assert [] == visit.complaints_of_axe()
            assert [] == visit.said()
            validated(url)


def test_service(chrome: Chrome, tmp_path: Path, package: Path) -> None:
    """Requests instead of partitions: answers are listed, requests counted by status."""
    with Server(tmp_path, package) as server:
        server.ready()
        visit = Visit(chrome, f"{server.url}/")
        visit.until_drawn()
        assert "No predictions yet" in visit.text("#latest-empty")

        def asked(wanted: Callable[[], bool]) -> bool:
            server.ask(visits.visit(7))
            httpx.post(f"{server.url}/predict", json=[{"id": 1}], timeout=30)
            return wanted()

        visit.until(lambda: asked(lambda: "leaves" in visit.text("#latest-table")), "predictions")
        visit.until(lambda: asked(lambda: "422" in visit.text("#statuses")), "refused requests")

        assert "/predict" in visit.text("#endpoints")
        assert not visit.find("#partitions").is_displayed()
        assert [] == visit.complaints_of_axe()
        assert [] == visit.said()
        validated(f"{server.url}/")


@pytest.mark.kafka
def test_swap_dead_letters_and_a_broker_that_goes_away(
    chrome: Chrome, tmp_path: Path, package: Path, broker: Broker
) -> None:
    """On a real Kafka, exactly once: a new version is announced, letters are counted, an outage is told and over."""
    shutil.copytree(package, tmp_path / "package")
    tables = {"model": {"reload": "200ms"}}
    setup = make_setup(tmp_path, Topics(broker.bootstrap), tmp_path / "package", tables)
    with Worker(setup, "worker") as worker, Feed(setup.bootstrap, setup.input, 200):
        visit = Visit(chrome, f"http://127.0.0.1:{worker.ready().port}/")
        visit.until_text("#node-model", "visits@1")
        visit.until(lambda: visit.text("#tx-list").count("\n") > 0, "transactions")
        visit.until_text("#latest-table", "leaves")

        visits.packed(tmp_path / "package")
        visit.until_text("#banners", "visits@2 took over from visits@1")

        visits.send(setup.bootstrap, setup.input, [Event(None, b"junk")] * 3)
        visit.until_text("#node-dead", "3 letters")

        broker.kill()
        visit.until_text("#banners", "Not ready")
        visit.until_text("#banners", "no broker has answered lately")  # a commit may say first that it waits
        broker.start()
        visit.until(lambda: "Not ready" not in visit.text("#banners"), "the end of the outage")
        visit.until(moving(visit, "#in-total"), "more records")

        validated(visit.chrome.current_url)
        worker.kill()
        visit.until_text("#banners", "No connection")
        assert [] == [line for line in visit.said() if "Failed to load resource" not in line]
