"""Many models behind one port, as SageMaker's multi-model endpoints ask for them."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from stream.app.rest_process import served_of
from stream.rest import LoadedModels, Problem, Served, create_models_app
from stream.settings import Seconds, ServeSettings, Settings
from stream.store import open_package
from stream.telemetry import Metrics
from tests.unit.rest.models import GIVEN, LET, NEVER

GIB = 2**30
CSV = {"content-type": "text/csv", "accept": "text/csv"}


class Fake:
    """Opens nothing: gives a model that is open already, after `gate`, or refuses it."""

    def __init__(self, served: dict[str, Served]) -> None:
        self.served = served
        self.gate = threading.Event()
        self.gate.set()
        self.refusal: Callable[[], Exception] | None = None
        self.calls = 0
        self.stopped = False

    def __call__(self, folder: Path) -> Served:
        """The model of that name."""
        self.calls += 1
        assert self.gate.wait(10)
        if self.refusal is not None:
            raise self.refusal()
        return self.served[folder.name.partition("-")[0]]

    def stop(self) -> None:
        """Nothing is being opened."""
        self.stopped = True


@pytest.fixture(scope="module")
def served(people_package: Path, line_package: Path) -> dict[str, Served]:
    """Two models."""
    packages = {"people": people_package, "line": line_package}
    return {name: served_of(Settings(), open_package(folder)) for name, folder in packages.items()}


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """SageMaker's folder, with files of 1 MiB for each of five models."""
    for name in ("people", "line", "line-2", "line-3", "line-4"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.joblib").write_bytes(b"\0" * 2**20)
    return tmp_path


@contextmanager
def served_many(
    fake: Fake, folder: Path, room: int = GIB, **serve: Any
) -> Iterator[tuple[TestClient, LoadedModels]]:
    """A service of many models."""
    settings = replace(ServeSettings(), **serve)
    models = LoadedModels(settings, Metrics("serve"), fake, room=room)
    with TestClient(create_models_app(models, folder), raise_server_exceptions=False) as client:
        yield client, models


@pytest.fixture
def fake(served: dict[str, Served]) -> Fake:
    """The loader."""
    return Fake(served)


@pytest.fixture
def client(fake: Fake, folders: Path) -> Iterator[TestClient]:
    """Of a service with room."""
    with served_many(fake, folders) as (client, _):
        yield client


def load(client: TestClient, folder: Path, name: str) -> Any:
    """As SageMaker asks for it."""
    return client.post("/models", json={"model_name": name, "url": str(folder / name)})


def test_model_lives_from_load_to_unload(client: TestClient, folders: Path) -> None:
    """Each call's status and body as the contract has them; other models are not touched."""
    url = str(folders / "line")
    seen = [client.get("/ping"), client.post("/models/line/invoke", content="2,3,0", headers=CSV)]
    seen += [load(client, folders, "line"), load(client, folders, "line"), load(client, folders, "people")]
    seen += [client.get("/models"), client.get("/models/line")]
    answer = client.post("/models/line/invoke", content="2,3,0\n1,1,1", headers=CSV)
    seen += [client.delete("/models/line"), client.delete("/models/line"), client.get("/models/line")]
    left = client.get("/models").json()["models"]

    assert [200, 404, 200, 409, 200, 200, 200, 200, 404, 404] == [one.status_code for one in seen]
    assert ["line", "people"] == [one["modelName"] for one in seen[5].json()["models"]]
    assert {"modelName": "line", "modelUrl": url} == seen[6].json()
    assert (200, "text/csv", 2) == (
        answer.status_code,
        answer.headers["content-type"],
        answer.text.count("\n"),
    )
    assert ["people"] == [one["modelName"] for one in left]


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        ("2,3,0", CSV, 200),
        ('{"instances": [[2, 3, 0]]}', {"content-type": "application/json"}, 200),
        ("[2, 3, 0]", {"content-type": "application/jsonlines", "accept": "application/jsonlines"}, 200),
        ("2,x,0", CSV, 422),
        ("2,3,0", {"content-type": "image/png"}, 415),
        ("2,3,0", {"content-type": "text/csv", "accept": "image/png"}, 406),
        ("", CSV, 422),
        ("2,3,0\n" * 30_000, CSV, 413),
    ],
)
def test_model_answers_as_alone(
    client: TestClient, line: TestClient, folders: Path, content: str, headers: dict[str, str], status: int
) -> None:
    """The same bytes and status as its `/invocations`."""
    load(client, folders, "line")
    headers = {**headers, "x-amzn-sagemaker-target-model": "line.tar.gz"}

    found = client.post("/models/line/invoke", content=content, headers=headers)
    alone = line.post("/invocations", content=content, headers=headers)

    assert status == found.status_code == alone.status_code, found.text
    assert alone.text == found.text


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"model_name": "x", "url": "/etc"}, 400),
        ({"model_name": "x", "url": "{folder}/../secret"}, 400),
        ({"model_name": "x"}, 422),
        ({"model_name": "", "url": "{folder}/line"}, 422),
        ({"model_name": 5, "url": "{folder}/line"}, 422),
        ({"model_name": "x" * 2_000, "url": "{folder}/line"}, 422),
        ({"model_name": "x", "url": "{folder}/\0"}, 422),
        ([], 422),
    ],
)
def test_what_is_no_order_to_load_is_refused(
    client: TestClient, fake: Fake, folders: Path, body: Any, status: int
) -> None:
    """Nothing outside SageMaker's folder is opened."""
    if isinstance(body, dict) and "url" in body:
        body = {**body, "url": body["url"].format(folder=folders)}

    assert (status, 0) == (client.post("/models", json=body).status_code, fake.calls)


def test_link_out_of_the_folder_is_refused(client: TestClient, fake: Fake, folders: Path) -> None:
    """It is where it leads to."""
    (folders / "link").symlink_to("/etc")

    assert (400, 0) == (load(client, folders, "link").status_code, fake.calls)


def test_without_room_another_is_refused_until_one_is_unloaded(fake: Fake, folders: Path) -> None:
    """507 tells SageMaker to unload; the others go on answering. Its files count twice."""
    with served_many(fake, folders, room=7 * 2**20) as (client, models):
        codes = [load(client, folders, name).status_code for name in ("line", "people", "line-2")]
        refused = load(client, folders, "line-3")
        answered = client.post("/models/line/invoke", content="2,3,0", headers=CSV)
        client.delete("/models/people")
        again = load(client, folders, "line-3")
        held = models.held_bytes

    assert [200, 200, 507] == codes
    assert 507 == refused.status_code
    assert "[serve] models_bytes" in refused.json()["error"]
    assert (200, 200) == (answered.status_code, again.status_code)
    assert 6 * 2**20 == held


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        (lambda: Problem(500, "its hash is wrong"), 500),
        (MemoryError, 507),
        (lambda: Problem(503, "no disk"), 503),
    ],
)
def test_package_that_is_refused_leaves_nothing(
    client: TestClient, fake: Fake, folders: Path, refusal: Callable[[], Exception], status: int
) -> None:
    """It is not here, takes no room, and may be asked for again."""
    load(client, folders, "people")
    fake.refusal = refusal
    refused = load(client, folders, "line")
    fake.refusal = None

    assert (status, 404) == (refused.status_code, client.get("/models/line").status_code)
    assert 200 == load(client, folders, "line").status_code
    assert ["people", "line"] == [one["modelName"] for one in client.get("/models").json()["models"]]


def test_second_request_for_a_model_waits_for_the_first(
    client: TestClient, fake: Fake, folders: Path
) -> None:
    """It is opened once; whoever came second learns that it is here."""
    fake.gate.clear()
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(load, client, folders, "line") for _ in range(4)]
        fake.gate.set()
        codes = sorted(one.result().status_code for one in asked)

    assert ([200, 409, 409, 409], 1) == (codes, fake.calls)


def test_load_goes_on_when_its_request_ends(fake: Fake, folders: Path) -> None:
    """SageMaker asks again, and it is here then."""
    fake.gate.clear()
    with served_many(fake, folders, timeout=Seconds(0.1)) as (client, _):
        late = load(client, folders, "line")
        fake.gate.set()
        with ThreadPoolExecutor(1) as pool:
            again = pool.submit(load, client, folders, "line").result()

    assert (504, 409) == (late.status_code, again.status_code)


def test_model_that_is_stuck_holds_up_no_other(fake: Fake, folders: Path) -> None:
    """It is unloaded once its request is over; meanwhile others answer, and the process is well."""
    row = {**GIVEN, "age": NEVER}
    LET.clear()
    with served_many(fake, folders, timeout=Seconds(0.3)) as (client, models):
        load(client, folders, "people")
        load(client, folders, "line")
        with ThreadPoolExecutor(1) as pool:
            stuck = pool.submit(client.post, "/models/people/invoke", json=[row])
            assert 504 == stuck.result().status_code
        others = client.post("/models/line/invoke", content="2,3,0", headers=CSV)
        pinged = client.get("/ping")
        busy = models.busy
        unloaded = client.delete("/models/people")
        LET.set()

    assert [200, 200, 200] == [one.status_code for one in (others, pinged, unloaded)]
    assert busy
    assert fake.stopped


def test_unload_waits_for_answers(fake: Fake, folders: Path) -> None:
    """A request that has begun is answered by the model that it was for."""
    LET.clear()
    with served_many(fake, folders) as (client, models), ThreadPoolExecutor(2) as pool:
        load(client, folders, "people")
        asked = pool.submit(client.post, "/models/people/invoke", json=[{**GIVEN, "age": NEVER}])
        while not models.busy:
            assert not asked.done()
        unloaded = pool.submit(client.delete, "/models/people")
        while client.get("/models").json()["models"]:
            assert not unloaded.done()
        newcomer = client.post("/models/people/invoke", json=[GIVEN])
        early = unloaded.done()
        LET.set()
        codes = asked.result().status_code, unloaded.result().status_code

    assert (False, 404, (200, 200)) == (early, newcomer.status_code, codes)


def test_model_that_is_unloaded_is_freed(fake: Fake, folders: Path, line_package: Path) -> None:
    """At once, and not when rubbish is collected: its memory is wanted for another."""
    found: list[weakref.ref[Served]] = []

    class Fresh(Fake):
        def __call__(self, folder: Path) -> Served:
            served = served_of(Settings(), open_package(line_package))
            found.append(weakref.ref(served))
            return served

    gc.disable()
    try:
        with served_many(Fresh({}), folders) as (client, _):
            load(client, folders, "line")
            client.post("/models/line/invoke", content="2,3,0", headers=CSV)
            client.delete("/models/line")
            assert [None] == [one() for one in found]
    finally:
        gc.enable()


def test_no_number_of_loads_is_too_many(fake: Fake, folders: Path) -> None:
    """What is unloaded leaves nothing: neither memory that is counted, nor rows that wait."""
    with served_many(fake, folders, room=16 * 2**20) as (client, models):
        for _ in range(20):
            codes = {load(client, folders, name).status_code for name in ("line", "line-2", "line-3")}
            asked = client.post("/models/line-2/invoke", content="2,3,0", headers=CSV).status_code
            codes |= {client.delete(f"/models/{name}").status_code for name in ("line", "line-2", "line-3")}
            assert ({200}, 200) == (codes, asked)

        assert (0, []) == (models.held_bytes, models.listed())
        assert 0 == models.metrics.value("stream_queue_rows")
