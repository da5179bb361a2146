"""Faces that import a module only when one of its names is asked for."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import stream
import stream.api
import stream.app
import stream.demo
import stream.doctor
import stream.registry
import stream.resources
import stream.store
import stream.tasks
import stream.tracing
import stream.training

PACKAGE = Path(__file__).parents[2] / "models" / "flights"


@pytest.mark.parametrize(
    "face",
    [
        stream,
        stream.api,
        stream.app,
        stream.demo,
        stream.doctor,
        stream.registry,
        stream.resources,
        stream.store,
        stream.tasks,
        stream.tracing,
        stream.training,
    ],
    ids=lambda face: face.__name__,
)
def test_every_name_of_a_face_is_found(face: object) -> None:
    """What a face promises in `__all__` it gives, and it is the thing itself, not a module of that name."""
    names: list[str] = face.__all__  # type: ignore[attr-defined]

    assert [] == [name for name in names if type(getattr(face, name)).__name__ == "module"]


def test_a_name_that_a_face_has_not_is_refused() -> None:
    """As any module refuses it."""
    with pytest.raises(AttributeError, match="module 'stream.tasks' has no attribute 'nothing'"):
        import_module("stream.tasks").nothing  # noqa: B018


def test_a_module_is_imported_when_its_name_is_asked_for() -> None:
    """Not before: a face costs nothing."""
    script = """
import sys
from stream import demo
before = "stream.demo.view" in sys.modules
demo.View
sys.exit((before, "stream.demo.view" in sys.modules) != (False, True))
"""

    assert 0 == subprocess.run([sys.executable, "-c", script], check=False).returncode


@pytest.mark.parametrize("library", ["pyarrow", "pandas", "sklearn", "faust", "confluent_kafka", "pydantic"])
def test_help_waits_for_no_large_library(library: str) -> None:
    """`stream --help`, and that of a command, import only what they show."""
    script = f"""
import sys
from stream.cli import main
for asked in (["--help"], ["batch", "--help"], ["check", "--help"], ["export", "--help"], ["sql", "--help"]):
    try:
        main(asked)
    except SystemExit:
        pass
sys.exit({library!r} in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.DEVNULL, check=False)

    assert 0 == done.returncode


@pytest.mark.parametrize("module", ["stream.tasks.topic_setup", "stream.tasks.group_status"])
def test_a_task_that_asks_kafka_alone_does_not_load_arrow(module: str) -> None:
    """`stream topics` and `stream status` start without the codecs, which take a second."""
    script = f"import sys, {module}; sys.exit('pyarrow' in sys.modules)"

    assert 0 == subprocess.run([sys.executable, "-c", script], check=False).returncode


OTHERS = ["stream.mlflow.fetching", "stream.mlflow.pull", "cryptography", "httpx"]

OPENED = """
import sys
from stream.resources import open_configured
from stream.settings import ModelSettings, Settings
open_configured(Settings(model=ModelSettings(uri=sys.argv[1], engine="sklearn")))
"""


@pytest.mark.parametrize(
    ("script", "libraries"),
    [
        pytest.param(OPENED, [*OTHERS, "yaml", "pyarrow.parquet"], id="open", marks=pytest.mark.slow),
        pytest.param("import stream.app.host", [*OTHERS, "stream.files"], id="worker"),
        pytest.param(
            "import stream.app.rest_process", [*OTHERS, "stream.files"], id="serve", marks=pytest.mark.slow
        ),
    ],
)
def test_start_waits_for_nothing_that_only_others_need(script: str, libraries: list[str]) -> None:
    """A package of this machine, whose signature nobody asks for, beside no registry."""
    found = f"{script}\nimport sys\nprint([name for name in {libraries} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", found, str(PACKAGE)], capture_output=True, text=True, check=True
    )

    assert "[]" == done.stdout.strip()
