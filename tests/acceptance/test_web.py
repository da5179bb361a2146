"""What a worker says of itself over HTTP."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.acceptance import visits
from tests.acceptance.conftest import PARTITIONS
from tests.acceptance.process import Setup, Worker
from tests.acceptance.reader import Outputs
from tests.acceptance.visits import Event

pytestmark = pytest.mark.kafka

GOOD, BAD = 300, 7


def _other_address() -> str | None:
    """An address of this machine that is not the loopback; None without a network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1; connecting a datagram socket sends nothing
        except OSError:
            return None
        address = str(probe.getsockname()[0])
    return None if address.startswith("127.") else address


def test_web_tells_what_the_reader_counted(
    setup: Setup, workers: Callable[..., Worker], outputs: Outputs
) -> None:
    """Metrics and status agree with the topics; nothing but our own pages is there; only the loopback is bound."""
    visits.send(
        setup.bootstrap, setup.input, [*map(visits.event, range(GOOD)), *[Event(None, b"junk")] * BAD]
    )
    worker = workers(setup).ready()
    outputs.inputs(GOOD + BAD, worker)
    worker.until(lambda: worker.status()["records"] == GOOD + BAD, 60, "all records counted")
    worker.until(lambda: worker.status()["lag"]["total"] == 0, 60, "the lag to be seen as gone")

    code, body = worker.get("/metrics")
    samples = [
        sample for family in text_string_to_metric_families(body.decode()) for sample in family.samples
    ]
    values = {sample.name: sample.value for sample in samples if not sample.labels}
    letters = {
        (sample.labels["reason"], sample.labels["stage"]): sample.value
        for sample in samples
        if sample.name == "stream_dead_letters_total"
    }
    assert 200 == code
    assert (GOOD, BAD) == (len(outputs.predictions), len(outputs.letters))
    assert (GOOD + BAD, GOOD) == (values["stream_records_total"], values["stream_predictions_total"])
    assert {("not_framed", "decode"): BAD} == letters
    assert (1, PARTITIONS) == (values["stream_ready"], values["stream_partitions"])

    status = worker.status()
    assert ("running", True, True) == (status["state"], status["live"], status["ready"])
    assert ("visits@1", setup.group) == (status["model"], status["group"])
    assert (GOOD, BAD) == (status["predictions"], status["dead_letters"]["total"])
    assert list(range(PARTITIONS)) == status["partitions"]

    assert {404} == {worker.get(path)[0] for path in ("/table", "/table/", "/router", "/router/", "/absent")}
    if address := _other_address():
        with socket.socket() as probe:
            probe.settimeout(2)
            assert 0 != probe.connect_ex((address, worker.port))
