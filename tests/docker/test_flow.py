"""
The flow of docker-compose.yml, without Docker: its commands and environments, on a Kafka started by its own, with a
real registry and a real Prometheus on its configuration.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fastavro
import pytest
import yaml

from tests.conftest import had
from tests.deploy.prometheus import Prometheus
from tests.docker.compose import ROOT, Service, services
from tests.docker.containers import Container, Machine, kafka_container
from tests.docker.image import Image
from tests.docker.topic_contents import count, read
from tests.kafka.artifacts import Unavailable
from tests.kafka.process import wait_for
from tests.kafka.registry import Registry

EVENTS = 3_000

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def compose() -> dict[str, Service]:
    """The services, for fewer flights and a faster producer than usual."""
    return services({"EVENTS": str(EVENTS), "RATE": "1500"})


@pytest.fixture(scope="module")
def machine(compose: dict[str, Service], registry: Registry) -> Machine:
    """Free ports for all of them; the registry has its own."""
    machine = Machine(compose)
    machine.addresses["registry:8080"] = f"127.0.0.1:{registry.port}"
    return machine


@pytest.fixture
def prometheus(machine: Machine) -> Iterator[Prometheus]:
    """The prometheus service's configuration and rules; the workers' names are addresses here."""
    folder = ROOT / "deploy" / "prometheus"
    config = yaml.safe_load((folder / "prometheus.yml").read_text("utf-8"))
    [static] = config["scrape_configs"][0]["static_configs"]
    static["targets"] = [f"127.0.0.1:{machine.webs[each.split(':')[1]]}" for each in static["targets"]]
    with had(
        lambda: Prometheus(config, yaml.safe_load((folder / "alerts.yml").read_text("utf-8")))
    ) as started:
        yield started


@pytest.fixture(scope="module")
def kafka_service(compose: dict[str, Service], machine: Machine) -> Iterator[str]:
    """The kafka service; its address."""
    try:
        with kafka_container(compose["kafka"], machine):
            yield machine.addresses["kafka:19092"]
    except Unavailable as why:
        if os.environ.get("STREAM_REQUIRE_KAFKA") == "1":
            pytest.fail(f"STREAM_REQUIRE_KAFKA=1, and Kafka can't be had: {why}", pytrace=False)
        pytest.skip(f"no real Kafka: {why}")


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """What the Dockerfile makes."""
    image = Image(tmp_path_factory.mktemp("image"))
    image.build()
    return image


@pytest.fixture
def container(
    image: Image, machine: Machine, compose: dict[str, Service], tmp_path: Path
) -> Iterator[Callable[[str], Container]]:
    """A function that starts a service."""
    started: list[Container] = []

    def start(name: str) -> Container:
        folder = tmp_path / name
        folder.mkdir()
        for volume in compose[name].raw.get("volumes", []):
            source, target, mode = volume.split(":")
            assert mode == "ro"
            shutil.copytree(ROOT / source, image.path(target), dirs_exist_ok=True)
        container = Container(compose[name], image, machine, folder)
        container.start()
        started.append(container)
        return container

    yield start
    for each in started:
        each.kill()


def test_every_flight_is_predicted_once_and_late_ones_raise_alerts(
    container: Callable[[str], Container], kafka_service: str, image: Image, prometheus: Prometheus
) -> None:
    """Topics, workers, downstream and producer in the order of depends_on: every event ends as a prediction."""
    topics = container("topics")
    assert topics.ends(60) == 0, topics.said()
    held = _files(image.root)
    workers = [container("worker-1"), container("worker-2")]
    downstream = container("downstream")
    for each in (*workers, downstream):
        each.becomes_healthy()
    assert all(each.passes(image.settings["HEALTHCHECK"].words) for each in workers)

    producer = container("producer")
    assert producer.ends(120) == 0, producer.said()
    values = read(kafka_service, "flights.predictions", EVENTS)
    schema = json.loads(Path(image.path("/app/schemas/prediction.avsc")).read_text("utf-8"))
    predictions = [_decoded(value, schema) for value in values]
    late = {p["flight_id"] for p in predictions if p["score"] >= 0.8}
    alerts = [json.loads(value) for value in read(kafka_service, "flights.alerts", len(late))]

    seen = "sum(stream_predictions_total)"
    wait_for(lambda: _value(prometheus.query(seen)) == EVENTS, 60, "Prometheus to have seen every prediction")
    assert {"up"} == {each["health"] for each in prometheus.targets()}
    assert set() == prometheus.firing()

    assert EVENTS == len({(p["source_partition"], p["source_offset"]) for p in predictions})
    assert EVENTS == len({p["flight_id"] for p in predictions})
    assert count(kafka_service, "flights.predictions") == EVENTS
    assert count(kafka_service, "flights.deadletters") == 0
    assert len(late) > EVENTS / 100
    assert late == {alert["flight_id"] for alert in alerts}
    assert "likely late" in downstream.said()
    assert all(_predicted(each) > 0 for each in workers)
    assert [0, 0, 0] == [each.stop() for each in (*workers, downstream)]
    assert held == _files(image.root), "the root file system is read-only in the container"


def _decoded(value: bytes, schema: dict[str, Any]) -> dict[str, Any]:
    assert value.startswith(b"\0"), "a registry's id"
    found = fastavro.schemaless_reader(io.BytesIO(value[5:]), schema, None)
    assert isinstance(found, dict)
    return found


def _value(series: list[dict[str, Any]]) -> float | None:
    return float(series[0]["value"][1]) if series else None


def _predicted(worker: Container) -> float:
    """How many predictions a worker says it made."""
    port = worker.environment["STREAM_WEB__PORT"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("stream_predictions_total"))


def _files(root: Path) -> set[Path]:
    """Everything in the image but what is mounted."""
    return {each for each in root.rglob("*") if "examples" not in each.parts}
