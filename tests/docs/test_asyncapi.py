"""What AsyncAPI's own parser says of the documents that `stream export --to asyncapi` writes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unit.export.asyncapi_cases import CASES, PLAIN, document_of

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]

TOOL = ROOT / ".cache" / "asyncapi"
"""Where scripts/tools puts it."""

_ALLOWED = ("info asyncapi-latest-version",)
"""Said of every document that is not of the newest minor version, which few tools read yet."""


def parsed(documents: list[str]) -> list[list[str]]:
    """What the official parser says of each, but for what is allowed."""
    if shutil.which("node") is None or not (TOOL / "node_modules").is_dir():
        why = "AsyncAPI's parser is not there: run scripts/tools"
        if os.environ.get("STREAM_REQUIRE_TOOLS") == "1":
            pytest.fail(why, pytrace=False)
        pytest.skip(why)
    script = shutil.copy(ROOT / "tests" / "asyncapi" / "validate.mjs", TOOL)
    done = subprocess.run(
        ["node", script], input=json.dumps(documents), capture_output=True, text=True, check=True, timeout=100
    )
    return [[each for each in said if not each.startswith(_ALLOWED)] for said in json.loads(done.stdout)]


def test_documents_are_valid_and_a_wrong_one_is_not() -> None:
    """Every kind of configuration and schema, at once; the last has a channel that is not there."""
    documents = [document_of(settings) for settings in CASES.values()]
    documents += [document_of(CASES["defaults"], PLAIN, task="regressor", score=None)]
    wrong = document_of(CASES["defaults"]).replace("#/channels/events", "#/channels/nothing")

    *said, of_wrong = parsed([*documents, wrong])

    assert [[]] * len(documents) == said
    assert of_wrong != []
