"""A client that openapi-python-client makes of `stream serve`'s document, as a stranger would make it."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args, get_type_hints

import httpx
import pytest

from tests.acceptance.server import Server
from tests.unit.rest.models import pack_kinds, pack_line, pack_people

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

TOKEN = "secret"

BINARY = {"text/csv", "application/jsonlines", "application/x-npy"}
"""Content types that the generator has no function for; the same endpoint takes JSON."""


def generate(document: str, folder: Path, name: str) -> str:
    """A package of this name; what the generator says."""
    (folder / "openapi.json").write_text(document)
    programs = Path(sys.executable).parent
    made = subprocess.run(
        [programs / "openapi-python-client", "generate", "--path", "openapi.json", "--output-path", name,
         "--meta", "none"],
        cwd=folder, env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}, check=False,
        capture_output=True, text=True,
    )  # fmt: skip
    assert 0 == made.returncode, made.stdout + made.stderr
    return made.stdout + made.stderr


def body_of(operation: dict[str, Any], module: Any) -> dict[str, Any]:
    """The arguments of a generated function: the document's own example."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return {}
    example = content.get("example") or content["examples"]["one"]["value"]
    hint = get_type_hints(module.sync_detailed)["body"]
    kind = next(one for one in (hint, *get_args(hint)) if hasattr(one, "from_dict"))
    return {"body": kind.from_dict(example)}


def answer_of(operation: dict[str, Any], package: Path, client: Any) -> tuple[int, Any]:
    """What the operation's generated function returns: the status, and the answer as an object."""
    [path] = (package / "api").glob(f"*/{snake(operation['operationId'])}.py")
    module = importlib.import_module(f"{package.name}.api.{path.parent.name}.{path.stem}")
    answer = module.sync_detailed(client=client, **body_of(operation, module))
    return int(answer.status_code), answer.parsed


@pytest.mark.parametrize("pack", [pack_people, pack_line, pack_kinds])
def test_every_endpoint_is_usable_from_a_generated_client(
    pack: Callable[[Path], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has a function, which is answered, and whose answer the client can read."""
    name = f"client_of_{pack.__name__}"
    with Server(tmp_path, pack(tmp_path / "package"), {"token": TOKEN}) as server:
        server.ready()
        headers = {"authorization": f"Bearer {TOKEN}"}
        document = httpx.get(f"{server.url}/openapi.json", headers=headers, timeout=60).text
        said = generate(document, tmp_path, name)
        monkeypatch.syspath_prepend(tmp_path)
        made = importlib.import_module(name)
        with made.AuthenticatedClient(server.url, TOKEN, timeout=60) as client:
            answers = {
                operation["operationId"]: answer_of(operation, tmp_path / name, client)
                for methods in json.loads(document)["paths"].values()
                for operation in methods.values()
            }

    assert BINARY == {line.split()[-1] for line in said.splitlines() if "Unsupported content type" in line}
    assert "will not be generated" not in said
    assert "will be omitted" not in said
    assert {200} == {status for status, _ in answers.values()}
    assert {"ping", "health"} == {operation for operation, (_, parsed) in answers.items() if parsed is None}
    assert "Prediction" == type(answers["predict"][1]).__name__
    assert ["Prediction"] * 2 == [type(one).__name__ for one in answers["callRemoteFunction"][1].replies]


def snake(name: str) -> str:
    """A name in camel case as the generator writes modules' names."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
