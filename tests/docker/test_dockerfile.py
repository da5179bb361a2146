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
from importlib.metadata import distribution

import click
import pytest

from stream.cli.main import cli
from stream.settings import ServeSettings, WebSettings
from tests.docker.cli import parse
from tests.docker.compose import ROOT, services
from tests.docker.dockerfile import TARGETS, Instruction, context, ignored, stage, stages, target

PYTHON, BUILD, RUNTIME = stage("python"), stage("build"), stage("runtime")
WORKER = target("worker")
COPIES = [each for stage in stages() for each in stage.of("COPY") if "--from" not in each.text]
VERSION = (ROOT / ".python-version").read_text("utf-8").strip()

every_target = pytest.mark.parametrize("name", TARGETS)
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


def test_base_image_is_one_pinned_python() -> None:
    """The full version of the Python that is in .python-version; every other stage is made from it, or from nothing."""
    found = re.fullmatch(r"python:(3\.\d+)\.\d+-slim-[a-z]+(@sha256:[0-9a-f]{64})?", PYTHON.image)
    assert found
    assert found[1] == VERSION
    assert f"Programming Language :: Python :: {found[1]}" in PROJECT["project"]["classifiers"]
    named = {each.name for each in stages()}
    assert {PYTHON.image, "scratch"} == {each.image for each in stages()} - named
    assert PYTHON.image.partition("@")[0] in RUNTIME.of("LABEL")[0].text


@pytest.mark.skipif(
    os.environ.get("STREAM_REQUIRE_TOOLS") != "1", reason="it is CI's Python that is compared"
)
def test_python_that_runs_the_tests_is_the_one_that_is_shipped() -> None:
    """CI's interpreter has the minor version of the base image."""
    assert VERSION == f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.mark.parametrize(
    "library", ["numpy", "scipy", "scikit-learn", "pandas", "pyarrow", "skops", "joblib"]
)
def test_lock_has_one_version_of_what_models_are_made_of(library: str) -> None:
    """On every Python the same numbers: a lock that forks by Python's version would ship what nobody has tested."""
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    [line] = re.findall(rf"^{library}==.*$", lock, re.MULTILINE)

    assert re.fullmatch(rf"{library}==[\d.]+ \\", line)
    assert line.split()[0] == f"{library}=={distribution(library).version}"


def test_installs_take_locked_versions_only() -> None:
    """No package comes into the image but by requirements.lock or scripts/uv.lock, builders included."""
    finish = (ROOT / "deploy/docker/finish").read_text("utf-8").replace("\\\n", " ")
    lines = [*(each.text for each in BUILD.of("RUN")), *finish.splitlines()]
    installs = [re.sub(r"\s+", " ", each) for each in lines if "pip install" in each]

    assert len(installs) == 6
    for text in installs:
        assert "--require-hashes -r scripts/uv.lock" in text or (
            "-c requirements.lock --build-constraints requirements.lock" in text
        )


@every_target
def test_target_installs_nothing_and_is_not_root(name: str) -> None:
    """It only takes over what other stages made, and runs as the user that one of them has, by number."""
    final = target(name)
    [made] = [each.text for each in stage("debian").of("RUN")]
    number = final.user.split(":")[0]

    assert [] == final.of("RUN")
    assert f"useradd --uid {number}" in made
    assert int(number) > 0


@every_target
def test_target_runs_its_command(name: str) -> None:
    """`docker run` without arguments does what the target is called; its venv is the one made for it."""
    final = target(name)
    [entrypoint], [command] = final.of("ENTRYPOINT"), final.of("CMD")
    copies = [each.words for each in final.of("COPY")]

    assert entrypoint.words == ["stream"]
    assert "stream" in PROJECT["project"]["scripts"]
    assert command.words[0] == name
    assert name in cli.list_commands(click.Context(cli))
    assert [f"--from=build-{name}", "/opt/stream", "/opt/stream"] in copies
    assert f"finish {name} " in stage(f"build-{name}").of("RUN")[0].text


def test_default_target_is_the_worker() -> None:
    """`docker build .` builds the last stage."""
    assert "worker" == stages()[-1].name
    assert {"worker", "serve", "batch", "train"} == {
        each.name for each in stages() if each.image == "runtime"
    }


@every_target
def test_extras_of_a_target_are_extras(name: str) -> None:
    """An extra that pyproject.toml does not have would be left out by the installer with a warning only."""
    asked = re.findall(r"--extra (\w+)", stage(f"build-{name}").of("RUN")[0].text)

    assert set(asked) <= PROJECT["project"]["optional-dependencies"].keys()


def test_label_has_the_projects_version() -> None:
    """Where no `--build-arg VERSION` says otherwise."""
    [version] = [each for each in RUNTIME.of("ARG") if each.text.startswith("VERSION=")]

    assert PROJECT["project"]["version"] == version.variables["VERSION"]


def test_option_that_is_not_there_is_refused() -> None:
    """The check of commands is one that can refuse."""
    with pytest.raises(click.UsageError):
        parse(["topics", "--make"])


def test_exposed_port_is_the_default() -> None:
    """The port that the image names is the settings' own."""
    assert str(WebSettings().port) == WORKER.of("EXPOSE")[0].text
    assert str(ServeSettings().port) == target("serve").of("EXPOSE")[0].text


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
    [image], [serve] = WORKER.of("HEALTHCHECK"), target("serve").of("HEALTHCHECK")
    found = {"image": (image.words, "STREAM_WEB__PORT"), "serve": (serve.words, "SAGEMAKER_BIND_TO_PORT")}
    for name in ("worker-1", "worker-2", "downstream"):
        variable = "WEB_PORT" if name == "downstream" else "STREAM_WEB__PORT"
        found[name] = (services()[name].health or [], variable)
    return found


@pytest.mark.parametrize("name", ["image", "serve", "worker-1", "downstream"])
@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_health_check_says_what_the_web_says(name: str, status: int, healthy: bool) -> None:
    """200 is healthy, 503 is not; the path is one that is served."""
    command, variable = health_checks()[name]
    with web(status) as (port, asked):
        code = _check(command, variable, port)

    assert healthy == (code == 0)
    pages = {
        "image": "/health/live",
        "serve": "/v2/health/live",
        "worker-1": "/health/ready",
        "downstream": "/health",
    }
    assert asked == [pages[name]]


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
