"""The Dockerfile and .dockerignore against the repository and the code."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import click
import pytest

from stream.settings import WebSettings
from tests.docker.cli import parse
from tests.docker.compose import ROOT, services
from tests.docker.dockerfile import Instruction, context, ignored, stages

BUILD, FINAL = stages()
COPIES = [each for stage in (BUILD, FINAL) for each in stage.of("COPY") if "--from" not in each.text]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


@pytest.mark.parametrize("copy", COPIES, ids=lambda each: each.text)
def test_what_is_copied_is_there(copy: Instruction) -> None:
    """Each source of a COPY exists, and .dockerignore leaves something of it."""
    assert all(context(source) for source in copy.words[:-1])


def test_nothing_else_is_sent_to_the_builder() -> None:
    """All that .dockerignore lets through is copied: no tests, no git history, no venv, no secrets."""
    sources = [source for each in COPIES for source in each.words[:-1]]
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    sent = [name for name in tracked.splitlines() if not ignored(name)]

    assert [] == [name for name in sent if not any(f"{name}/".startswith(f"{each}/") for each in sources)]
    assert all(map(ignored, [".git/config", ".venv/bin/python", "stream/app/__pycache__/web.pyc", ".env"]))


def test_everything_that_the_wheel_holds_is_copied() -> None:
    """The wheel made in the image has the model and the schemas in it, as every wheel has."""
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
    copied = [source for each in BUILD.of("COPY") for source in each.words[:-1]]

    for path in (*wheel, "README.md", "LICENSE"):
        assert any(f"{path}/".startswith(f"{source}/") for source in copied), path
        assert context(path), path


@pytest.mark.parametrize(
    ("path", "out"),
    [("a/b", True), ("kept", False), ("kept/x", False), ("kept/y/z.tmp", True), ("kept/z.tmp", True)],
)
def test_last_pattern_that_matches_decides(
    tmp_path_factory: pytest.TempPathFactory, path: str, out: bool
) -> None:
    """`*` leaves all out, `!kept` lets a folder in, a pattern after it takes some of it out again."""
    patterns = tmp_path_factory.mktemp("ignore") / ".dockerignore"
    patterns.write_text("# all\n*\n!kept\n**/*.tmp\n")

    assert out == ignored(path, patterns)


def test_base_images_are_one_pinned_python() -> None:
    """Both stages have the same full version, a Python that the project supports."""
    assert BUILD.image == FINAL.image
    found = re.fullmatch(r"python:(3\.\d+)\.\d+-slim-[a-z]+(@sha256:[0-9a-f]{64})?", FINAL.image)
    assert found
    assert f"Programming Language :: Python :: {found[1]}" in PROJECT["project"]["classifiers"]


def test_installs_take_locked_versions_only() -> None:
    """No package comes into the image but by requirements.lock or scripts/uv.lock, builders included."""
    installs = [each.text for each in BUILD.of("RUN") if "pip install" in each.text]

    assert len(installs) == 3
    for text in installs:
        assert "--require-hashes -r scripts/uv.lock" in text or (
            "-c requirements.lock --build-constraints requirements.lock" in text
        )


def test_final_stage_installs_nothing_and_is_not_root() -> None:
    """Its only RUN makes the user, whose number it then runs as."""
    [run], [user] = FINAL.of("RUN"), FINAL.of("USER")
    number = user.text.split(":")[0]

    assert run.text.startswith("groupadd")
    assert f"useradd --uid {number}" in run.text
    assert int(number) > 0
    assert ["ENTRYPOINT", "CMD"] == [each.name for each in FINAL.instructions[-2:]]


def test_default_command_is_a_command() -> None:
    """`docker run prediction-stream` runs the worker; without the entry point's program nothing would start."""
    [entrypoint], [command] = FINAL.of("ENTRYPOINT"), FINAL.of("CMD")

    assert entrypoint.words == ["stream"]
    assert "stream" in PROJECT["project"]["scripts"]
    assert parse(command.words).info_name == "worker"


def test_option_that_is_not_there_is_refused() -> None:
    """The check of commands is one that can refuse."""
    with pytest.raises(click.UsageError):
        parse(["topics", "--make"])


def test_exposed_port_is_the_default() -> None:
    """The port that the image names is the settings' own."""
    [port] = FINAL.of("EXPOSE")

    assert WebSettings().port == int(port.text)


@contextmanager
def web(status: int) -> Iterator[tuple[int, list[str]]]:
    """A server that always answers with one status; its port, and the paths it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port, asked
        server.shutdown()


def health_checks() -> dict[str, tuple[list[str], str]]:
    """Each health check that asks a web, with the variable that names the port."""
    [image] = FINAL.of("HEALTHCHECK")
    found = {"image": (image.words, "STREAM_WEB__PORT")}
    for name in ("worker-1", "worker-2", "downstream"):
        variable = "WEB_PORT" if name == "downstream" else "STREAM_WEB__PORT"
        found[name] = (services()[name].health or [], variable)
    return found


@pytest.mark.parametrize("name", ["image", "worker-1", "downstream"])
@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_health_check_says_what_the_web_says(name: str, status: int, healthy: bool) -> None:
    """200 is healthy, 503 is not; the path is one that is served."""
    command, variable = health_checks()[name]
    with web(status) as (port, asked):
        code = _check(command, variable, port)

    assert healthy == (code == 0)
    assert asked == [{"image": "/health/live", "worker-1": "/health/ready", "downstream": "/health"}[name]]


def test_health_check_fails_where_nobody_listens() -> None:
    """A worker that is gone is not healthy."""
    command, variable = health_checks()["image"]
    with web(200) as (port, _):
        pass

    assert _check(command, variable, port) != 0


def _check(command: list[str], variable: str, port: int) -> int:
    assert command[0] == "python"
    done = subprocess.run(
        [sys.executable, *command[1:]],
        env={**os.environ, variable: str(port)},
        capture_output=True,
        timeout=30,
        check=False,
    )
    return done.returncode
