"""`stream serve` as a process: no Kafka, no configuration but the model."""

from __future__ import annotations

import ssl
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Event

import httpx
import pytest

from tests.acceptance.process import END_S, Process
from tests.acceptance.server import Server
from tests.authority import Authority
from tests.kafka.process import is_listening
from tests.unit.rest.models import GATED, GIVEN, RAISES, pack_people

Serve = Callable[..., Server]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package of the test's own."""
    return pack_people(tmp_path / "people")


@pytest.fixture
def serve(tmp_path: Path, package: Path) -> Iterator[Serve]:
    """Starts a service; whatever still runs at the end of the test is killed."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(Server(tmp_path, package, **options)).ready()


def test_probes_rows_and_drain_of_one_process(serve: Serve) -> None:
    """Rows, errors and probes as the unit tests' service; SIGTERM answers what is in flight, and exits with 0."""
    server = serve()
    assert {"label": "young", "score": 0.6, "model": "people@1"} == server.ask(GIVEN).json()
    assert 422 == server.ask({**GIVEN, "age": RAISES}).status_code
    assert {"ready": True} == httpx.get(f"{server.url}/v2/health/ready").json()

    with ThreadPoolExecutor(9) as pool:
        slow = pool.submit(server.ask, {**GIVEN, "age": GATED})
        # Itself, and the request that asks for it.
        server.until(
            lambda: "stream_requests_in_flight 2.0" in server.metrics(), 30, "the slow row to be taken"
        )
        behind = [pool.submit(server.ask, GIVEN) for _ in range(8)]
        server.until(lambda: "stream_queue_rows 8.0" in server.metrics(), 60, "eight requests to wait")
        server.terminate()
        server.until(lambda: not is_listening(server.port), 30, "it to stop listening")
        server.let()
        answers = [slow.result(), *(answer.result() for answer in behind)]

    assert 0 == server.end(END_S), server.tail()
    assert [200] * 9 == [answer.status_code for answer in answers]
    assert "drained" in server.text()
    with pytest.raises(httpx.ConnectError):
        server.ask(GIVEN)


@pytest.mark.slow
def test_more_than_can_wait_is_sent_away_and_the_rest_answered(serve: Serve) -> None:
    """503 with Retry-After beyond the queue; every request that was taken is answered, also after the rush."""
    server = serve(serve={"queue_rows": 4})
    with httpx.Client(base_url=server.url, timeout=60) as client, ThreadPoolExecutor(3) as pool:
        slow = pool.submit(client.post, "/predict", json={**GIVEN, "age": GATED})
        server.until(
            lambda: "stream_requests_in_flight 2.0" in server.metrics(), 30, "the slow row to be taken"
        )
        waiting = [pool.submit(client.post, "/predict", json=[GIVEN, GIVEN]) for _ in range(2)]
        server.until(lambda: "stream_queue_rows 4.0" in server.metrics(), 60, "four rows to wait")
        refused = [client.post("/predict", json=GIVEN) for _ in range(20)]
        server.let()
        taken = [slow.result(), *(answer.result() for answer in waiting)]

    assert {(503, "1")} == {(answer.status_code, answer.headers["retry-after"]) for answer in refused}
    assert [200] * 3 == [answer.status_code for answer in taken]
    assert 200 == server.ask(GIVEN).status_code


@pytest.mark.slow
def test_new_version_takes_over_under_load(serve: Serve, package: Path) -> None:
    """No request fails while it is opened; one that would change the predictions is refused, and the old goes on."""
    server = serve()
    stop = Event()

    def ask() -> tuple[set[int], list[str]]:
        answers = []
        with httpx.Client(base_url=server.url, timeout=30) as client:
            while not stop.is_set():
                answers.append(client.post("/predict", json=GIVEN))
        return {answer.status_code for answer in answers}, [answer.json()["model"] for answer in answers]

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask) for _ in range(4)]
        try:
            pack_people(package)
            server.says("people@2 was opened", 60)
            pack_people(package, carry=("id",))
            server.says("version 3 is refused", 60)
        finally:
            stop.set()
        results = [one.result() for one in asking]

    assert [{200}] * 4 == [statuses for statuses, _ in results]
    for _, models in results:
        assert sorted(models) == models
        assert {"people@1", "people@2"} == set(models)


@pytest.mark.slow
def test_ctrl_c_ends_it_and_a_taken_port_is_said(serve: Serve, tmp_path: Path, package: Path) -> None:
    """A second one on the same port exits with 2 before it opens the model; Ctrl-C is 0 too."""
    server = serve()
    command = [sys.executable, "-m", "stream", "serve", "--port", str(server.port)]
    with Process("second", command, tmp_path, {"STREAM_MODEL__URI": str(package)}) as second:
        assert 2 == second.end()
        assert "can't listen on" in second.text()
        assert "--port" in second.text()
    server.interrupt()

    assert 0 == server.end(END_S), server.tail()


@pytest.mark.slow
def test_https_and_client_certificates(serve: Serve, tmp_path: Path) -> None:
    """A client without a certificate gets no connection; one with a certificate gets an answer."""
    authority = Authority(tmp_path)
    certificate, key = authority.issue("server")
    server = serve(
        serve={"certificate": str(certificate), "key": str(key), "client_ca": str(authority.ca)},
        scheme="https",
    )
    context = ssl.create_default_context(cafile=str(authority.ca))
    with pytest.raises(httpx.HTTPError), httpx.Client(verify=context) as client:
        client.post(f"{server.url}/predict", json=GIVEN)
    context.load_cert_chain(*authority.issue("client"))

    with httpx.Client(verify=context) as client:
        assert 200 == client.post(f"{server.url}/predict", json=GIVEN).status_code
