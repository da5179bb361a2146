"""The image without Docker: the Dockerfile's own steps, run in a folder that stands for the root of the image."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.docker.compose import ROOT
from tests.docker.dockerfile import Instruction, Stage, context, stage, target

__all__ = ["Image"]

_STEP_S = 900
"""The longest step downloads and compiles some 500 MB of libraries."""

_INSIDE = ("/opt/stream", "/build", "/app")
"""Absolute paths of the image that the files here may name; everything else belongs to the base image."""

_KEPT = ("LANG", "SSL_CERT_FILE", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy")
"""Of this machine's environment: what a build needs to reach a package index."""


class Image:
    """
    A folder with what the image holds.

    It is not the image: the Python is this machine's and not the base image's, users are not made, nothing is taken
    out, and nothing is isolated. Paths of the image are written with the folder before them. `scripts/image` builds
    and runs the real ones.
    """

    def __init__(self, root: Path) -> None:
        """
        Args:
            root: an empty folder.
        """
        self.root = root
        self._python = root / "base"
        self.environment: dict[str, str] = {}
        self.folder = root
        self.settings: dict[str, Instruction] = {}

    def build(self) -> None:
        """
        Run the stages of the worker's libraries, and of the worker; blocks for a minute or so.

        Raises: AssertionError with the output when a RUN fails.
        """
        # The base image's Python: one with pip, and nothing else installed.
        self._run([sys.executable, "-m", "venv", str(self._python)], os.environ)
        self._build(stage("build"))
        self._build(target("worker"))

    def path(self, text: str) -> str:
        """A text of Dockerfile or docker-compose.yml, its absolute paths those of this machine."""
        for inside in _INSIDE:
            text = text.replace(inside, str(self.root) + inside)
        return text

    def entrypoint(self) -> list[str]:
        """The program that containers run."""
        return self.settings["ENTRYPOINT"].words

    def command(self) -> list[str]:
        """Its default arguments."""
        return self.settings["CMD"].words

    def _build(self, stage: Stage) -> None:
        self.environment = {"PATH": os.pathsep.join([str(self._python / "bin"), "/usr/bin", "/bin"])}
        self.environment |= {name: os.environ[name] for name in _KEPT if name in os.environ}
        # pip and uv may keep what they download on this machine; in the image they must not.
        self.environment |= {"HOME": os.environ.get("HOME", "/")}
        for step in stage.instructions:
            match step.name:
                case "ENV" | "ARG":
                    self._set(step.variables)
                case "WORKDIR":
                    self.folder = Path(self.path(step.text))
                    self.folder.mkdir(parents=True, exist_ok=True)
                case "COPY":
                    self._copy(step.words)
                case "RUN" if step.text.startswith("apt-get"):
                    continue  # for slim.py, which makes the image smaller and nothing else
                case "RUN":
                    self._run(["sh", "-c", self.path(step.text)], self.environment | _cached())
                case other:
                    self.settings[other] = step

    def _set(self, variables: Mapping[str, str]) -> None:
        for name, value in variables.items():
            self.environment[name] = self.path(value.replace("$PATH", self.environment["PATH"]))

    def _copy(self, words: list[str]) -> None:
        if words[0].startswith("--from="):
            return  # both stages are in one folder here
        *sources, target = words
        for source in sources:
            to = self.folder / self.path(target)
            if target.endswith("/"):
                to = to / Path(source).name
            for name in context(source):
                at = to / Path(name).relative_to(source) if name != source else to
                at.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, at)

    def _run(self, command: list[str], environment: Mapping[str, str]) -> None:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_STEP_S,
            check=False,
        )
        if done.returncode:
            raise AssertionError(f"{' '.join(command)}\nexit code {done.returncode}\n{done.stdout}")


def _cached() -> dict[str, str]:
    """Downloads are kept on this machine: the step is tried, not the line to the index."""
    return {"UV_NO_CACHE": "0", "PIP_NO_CACHE_DIR": "0"}
