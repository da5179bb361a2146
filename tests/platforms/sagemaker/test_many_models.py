"""A multi-model container as SageMaker uses it: archives that it unpacks, orders to load and unload, little memory."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.platforms.sagemaker.container import Container, serving, unpack
from tests.platforms.sagemaker.grounds import Ground

pytestmark = [pytest.mark.platform, pytest.mark.timeout(600)]

ROW = "UA,EWR,ORD,719,40,4,17,,,,,,"
PAD = 80 * 2**20
"""Bytes of a file beside a version: a model is counted as twice its files, so as 160 MiB, whatever it takes here."""

ROOM_FOR_TWO = {
    "SAGEMAKER_MULTI_MODEL": "true",
    "STREAM_SERVE__MODELS_BYTES": "400MiB",
    "STREAM_SERVE__TIMEOUT": "300s",  # opened one after the other, on a busy machine
}

Served = tuple[Container, dict[str, Path]]
"""A container, and the folders that its models can be loaded from: a, b, c with little room, d, e, f with much."""


def folders(ground: Ground, ml: Path, export: Path) -> tuple[dict[str, Path], dict[str, str]]:
    """
    An endpoint's archives, unpacked as SageMaker does.

    Returns: where the container sees them, by the models' names; the container's variables.
    """
    variables: dict[str, str] = {}
    for name in "abcdef":
        folder = ml / "models" / name / "model"
        variables = unpack(export, folder)
        folder.chmod(0o755)
        with (folder / "beside").open("wb") as file:
            file.truncate(PAD if name in "abc" else 0)
    urls = {name: ground.place(ml) / "models" / name / "model" for name in "abcdef"}
    return urls, variables | ROOM_FOR_TWO


@pytest.fixture(scope="module")
def endpoint(ground: Ground, exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One container for all: SageMaker's lives for weeks."""
    ml = tmp_path_factory.mktemp("ml")
    urls, variables = folders(ground, ml, exported)
    with serving(ground, ml, variables) as container:
        yield container, urls


@pytest.fixture
def served(endpoint: Served) -> Iterator[Served]:
    """It, without models, before and after."""
    yield endpoint
    container, _ = endpoint
    for name in names_of(container):
        assert httpx.codes.OK == container.unload(name)


def names_of(container: Container) -> list[str]:
    """The models that are listed, sorted."""
    return sorted(one["modelName"] for one in container.get("/models")["models"])


def test_container_serves_what_it_is_asked_to_load(served: Served) -> None:
    """Loads at the same time; each answers as the others; one that is unloaded is not listed."""
    container, urls = served
    with ThreadPoolExecutor(3) as pool:
        codes = list(pool.map(lambda name: container.load(name, urls[name]), "def"))
    answers = {container.invoke(name, ROW).text for name in "def"}
    unloaded, listed = container.unload("d"), names_of(container)

    assert [200, 200, 200] == codes
    assert 1 == len(answers)
    assert (200, ["e", "f"]) == (unloaded, listed)


def test_model_without_memory_is_a_507_until_another_is_unloaded(served: Served) -> None:
    """SageMaker unloads what was not asked for lately, and asks again; those that are here go on answering."""
    container, urls = served
    codes = [container.load(name, urls[name]) for name in "abcc"]
    left = [container.invoke(name, ROW).status_code for name in "abc"]
    unloaded, again = container.unload("a"), container.load("c", urls["c"])
    then = [container.invoke(name, ROW).status_code for name in "abc"]

    assert [200, 200, 507, 507] == codes
    assert [200, 200, 404] == left
    assert (200, 200) == (unloaded, again)
    assert [404, 200, 200] == then
    assert container.pings()


def test_loads_unloads_and_requests_at_once_have_an_order(served: Served) -> None:
    """
    Three models where two have room, loaded and unloaded by two clients each, and asked by another, all at once: only
    the contract's statuses, only right answers, and no room is lost.
    """
    container, urls = served
    seen: dict[str, Counter[int]] = {"load": Counter(), "unload": Counter(), "invoke": Counter()}
    answers, done = set(), threading.Event()

    def change(name: str) -> None:
        for _ in range(2):
            seen["load"][container.load(name, urls[name])] += 1
            seen["unload"][container.unload(name)] += 1

    def ask(name: str) -> None:
        while not done.wait(0.02):
            answer = container.invoke(name, "\n".join([ROW] * 200))
            seen["invoke"][answer.status_code] += 1
            answers.update([answer.text] if answer.status_code == httpx.codes.OK else [])
            assert container.pings()

    with ThreadPoolExecutor(9) as pool:
        asking = [pool.submit(ask, name) for name in "abc"]
        changing = [pool.submit(change, name) for name in "aabbcc"]
        for one in changing:
            one.exception()
        done.set()
        for one in [*changing, *asking]:
            one.result()
    left = [container.unload(name) for name in names_of(container)]
    after = [container.load(name, urls[name]) for name in "ca"]

    assert {*seen["load"]} <= {200, 409, 507}
    assert {*seen["unload"]} <= {200, 404}
    assert {*seen["invoke"]} <= {200, 404}
    assert seen["load"][200] == seen["unload"][200] + len(left) >= 2
    assert 1 >= len(answers)
    assert [200, 200] == after


@pytest.mark.parametrize("clients", [2, 8])
def test_model_is_loaded_and_unloaded_for_one_of_those_who_ask_at_once(served: Served, clients: int) -> None:
    """The others are told that it is here already (409), or is not (404)."""
    container, urls = served
    with ThreadPoolExecutor(clients) as pool:
        loads = list(pool.map(lambda name: container.load(name, urls[name]), "d" * clients))
        unloads = list(pool.map(container.unload, "d" * clients))

    assert [200, *[409] * (clients - 1)] == sorted(loads)
    assert [200, *[404] * (clients - 1)] == sorted(unloads)


def test_load_whose_client_has_gone_is_there_when_it_is_asked_again(served: Served) -> None:
    """SageMaker's own call may be over before a large package is open."""
    container, urls = served
    with pytest.raises(httpx.ReadTimeout):
        container.load("d", urls["d"], timeout_s=0.05)
    again, answer = container.load("d", urls["d"]), container.invoke("d", ROW)

    assert (409, 200) == (again, answer.status_code)


def test_sigterm_while_a_model_is_opened_ends_it_in_time(
    ground: Ground, exported: Path, tmp_path: Path
) -> None:
    """With exit 0, before SIGKILL; whoever waits for the model is told so."""
    urls, variables = folders(ground, tmp_path, exported)
    with serving(ground, tmp_path, variables) as container:
        with pytest.raises(httpx.ReadTimeout):
            container.load("d", urls["d"], timeout_s=0.05)
        code = container.stop()

    assert code == 0
