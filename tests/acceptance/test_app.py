"""The worker as a Faust app: run by Faust's own command, and with a user's own parts beside the engine."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import pytest

from tests.acceptance import visits
from tests.acceptance.process import Process, Setup, Worker
from tests.acceptance.reader import Outputs

pytestmark = pytest.mark.kafka

Workers = Callable[..., Worker]

WAIT_S = 60.0


def _faust(app: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "faust", "-A", app, *arguments]


def test_faust_command_runs_the_same_worker(setup: Setup, workers: Workers, outputs: Outputs) -> None:
    """`faust -A stream.app worker` scores, answers on the same web, and ends with 0 on SIGTERM."""
    visits.send(setup.bootstrap, setup.input, map(visits.event, range(200)))
    worker = workers(setup, command=_faust("stream.app", "worker")).ready()

    outputs.inputs(200, worker)

    assert "visits@1" == worker.status()["model"]
    worker.terminate()
    assert 0 == worker.end(60), worker.tail()


@pytest.mark.slow
def test_user_s_parts_work_beside_the_engine(setup: Setup, workers: Workers, outputs: Outputs) -> None:
    """An agent on the predictions, a channel, a timer, a page and a command live in the worker's process."""
    extra = {"USER_TOPIC": setup.output}
    worker = workers(setup, command=_faust("tests.acceptance.user_app", "worker"), environ=extra).ready()

    def seen() -> dict[str, int]:
        code, body = worker.get("/mine")
        return dict(json.loads(body)) if code == 200 else {}

    worker.until(lambda: seen().get("ticks", 0) > 0, WAIT_S, "the timer")
    visits.send(setup.bootstrap, setup.input, map(visits.event, range(200)))
    outputs.inputs(200, worker)
    worker.until(lambda: seen()["predictions"] >= 200, WAIT_S, "the agent to see the predictions")
    worker.until(lambda: seen()["channel"] >= 200, WAIT_S, "the channel's agent to see them too")
    worker.terminate()
    assert 0 == worker.end(60), worker.tail()

    command = _faust("tests.acceptance.user_app", "greet")
    environ = {**extra, "STREAM_CONFIG": str(setup.folder / "worker.toml")}
    with Process("greet", command, setup.folder, environ) as greet:
        assert 0 == greet.end(), greet.tail()
        assert "hello from the user's command" in greet.output()


@pytest.mark.slow
def test_channel_agent_works_without_any_topic(setup: Setup, workers: Workers) -> None:
    """A channel's agent is served though Faust's own consumer is not started."""
    worker = workers(setup, command=_faust("tests.acceptance.user_channel", "worker")).ready()

    worker.until(lambda: json.loads(worker.get("/mine")[1])["channel"] > 2, WAIT_S, "the channel's agent")
