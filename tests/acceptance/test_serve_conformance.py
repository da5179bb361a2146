"""`stream serve` called as its own OpenAPI document says, and as it says not to: schemathesis finds the requests."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.acceptance.server import Server
from tests.unit.rest.models import pack_kinds, pack_line, pack_people

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

FREE = r"^/(invocations|bigquery|v2/models/[^/]+(/versions/1)?/infer)$"
"""What these take is more than JSON schema can say (csv, shapes, names): their valid requests are our own tests'."""

ACCEPTANCE = "positive_data_acceptance"
"""Of numbers near the largest there are, a model may have no finite answer: a valid request, and rightly a 422."""

UNSAYABLE = f"{ACCEPTANCE},negative_data_rejection"


@pytest.fixture(params=[pack_people, pack_line, pack_kinds])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """A service of each kind of model."""
    pack: Callable[[Path], Path] = request.param
    with ExitStack() as stack:
        yield stack.enter_context(Server(tmp_path, pack(tmp_path / "package"))).ready()


def run(server: Server, *options: str) -> None:
    """Every check of schemathesis on some paths."""
    program = Path(sys.executable).with_name("schemathesis")
    phases = ("--phases", "examples,coverage,fuzzing", "--max-examples", "25", "--seed", "20131020")
    done = subprocess.run(
        [program, "run", f"{server.url}/openapi.json", "--checks", "all", "--no-color", *phases, *options],
        capture_output=True,
        text=True,
        check=False,
        cwd=server.log.parent,
    )
    assert 0 == done.returncode, f"{done.stdout[-8000:]}\n{done.stderr}\n{server.tail()}"


def test_every_endpoint_keeps_to_the_document(server: Server) -> None:
    """Statuses, types and schemas of every answer; what the document forbids is refused, and nothing fails."""
    run(server, "--exclude-path-regex", FREE, "--exclude-checks", ACCEPTANCE)
    run(server, "--include-path-regex", FREE, "--exclude-checks", UNSAYABLE)

    assert server.running
    assert "Traceback" not in server.text()
