"""What a worker says of itself over HTTP."""

from __future__ import annotations

import json
import resource
import shutil
import socket
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.acceptance import visits
from tests.acceptance.conftest import PARTITIONS
from tests.acceptance.process import Setup, Worker, run
from tests.acceptance.reader import Outputs, reading
from tests.acceptance.visits import Event
from tests.authority import Authority

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
        if sample.name == "stream_dead_letters_total" and sample.value
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
    named = urllib.request.Request(
        f"http://127.0.0.1:{worker.port}/api/status", headers={"Host": "rebound.example"}
    )
    with pytest.raises(urllib.error.HTTPError) as refused, urllib.request.urlopen(named):
        pass
    with refused.value as answer:
        assert (403, None) == (answer.code, answer.headers["Server"])
    if address := _other_address():
        with socket.socket() as probe:
            probe.settimeout(2)
            assert 0 != probe.connect_ex((address, worker.port))


@pytest.fixture
def many_files() -> Iterator[None]:
    """This process may open thousands of files."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4_096, before[1]), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.fault
@pytest.mark.usefixtures("many_files")
def test_crowd_of_silent_connections_changes_nothing(
    make: Callable[..., Setup], workers: Callable[..., Worker], tmp_path: Path, package: Path
) -> None:
    """A thousand, and few files for the worker: probes are answered, records scored, a new version is taken over."""
    model = tmp_path / "model"
    shutil.copytree(package, model)
    setup = make({"model": {"uri": str(model), "reload": "200ms"}}, model=model)
    few = f'ulimit -n 256; exec "{sys.executable}" -m stream worker'
    worker = workers(setup, command=["sh", "-c", few]).ready()
    with ExitStack() as crowd:
        for _ in range(1_000):
            with suppress(OSError):
                client = crowd.enter_context(socket.create_connection(("127.0.0.1", worker.port), 3))
                client.sendall(b"GET / HTTP/1.1\r\nX: ")
        assert 200 == worker.get("/health/live")[0]
        with reading(setup.bootstrap, setup.output, setup.dead, model) as outputs:
            visits.send(setup.bootstrap, setup.input, map(visits.event, range(GOOD)))
            outputs.inputs(GOOD, worker)
        visits.packed(model)
        worker.until(lambda: worker.status()["model"] == "visits@2", 60, "the new version to answer")
        assert 200 == worker.get("/health/ready")[0]
    worker.terminate()

    assert 0 == worker.end()


@pytest.mark.slow
def test_guarded_web_answers_its_own(
    make: Callable[..., Setup], workers: Callable[..., Worker], tmp_path: Path
) -> None:
    """`stream status` asks with the configuration's token and trusts its certificate; nobody else is told."""
    certificate, key = Authority(tmp_path).issue("web")
    secured = {"token": "hush", "certificate": str(certificate), "key": str(key)}
    setup = make({"web": {**secured, "host": "localhost"}})
    worker = workers(setup)
    worker.says("INFO    stream.app.worker_service: visits@1 reads")

    with run(tmp_path, "status", "status", "--config", str(tmp_path / "worker.toml"), "--json") as status:
        assert 0 == status.end(), status.tail()
    anybody = ssl.create_default_context()
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE

    def ask(path: str) -> tuple[int, bytes]:
        with (
            suppress(urllib.error.HTTPError),
            urllib.request.urlopen(f"{url}{path}", context=anybody) as answer,
        ):
            return answer.status, answer.read()
        return 401, b""

    url = f"https://127.0.0.1:{worker.port}"
    assert ["visits@1"] == json.loads(status.output())["models"]
    assert [200, 401, 401] == [ask(path)[0] for path in ("/health/live", "/api/status", "/metrics")]
    assert b"lacking" not in ask("/health/ready")[1]
