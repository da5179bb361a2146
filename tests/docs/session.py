"""A page as a session: its files are written, its Python and its commands run, their output compared by shape."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Block", "Step", "blocks", "commands", "missing", "run", "shape"]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"\A# (\S+\.(?:toml|py))\n")
_MARK = "@@@"


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language and text, and the file that its first line names, if any."""

    language: str
    text: str

    @property
    def file(self) -> str | None:
        """The name in a first line such as `# stream.toml`."""
        found = _FILE.match(self.text)
        return found[1] if found else None


@dataclass(slots=True)
class Step:
    """A command, the output that the page shows, and what running it gave."""

    command: str
    shown: list[str] = field(default_factory=list)
    given: list[str] = field(default_factory=list)
    exit_code: int | None = None


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    return [Block(language, text) for language, text in _FENCE.findall(page.read_text("utf-8"))]


def commands(page: Path) -> list[Step]:
    """The commands of a page's console blocks, each with the lines below it."""
    steps: list[Step] = []
    for block in blocks(page):
        if block.language == "console":
            for line in block.text.splitlines():
                if line.startswith("$ "):
                    steps.append(Step(line.removeprefix("$ ")))
                else:
                    steps[-1].shown.append(line)
    return steps


def run(
    steps: list[Step], folder: Path, environment: Mapping[str, str], replacements: Mapping[str, str]
) -> None:
    """
    Run a page's commands in one shell, as a person would; fills in what each gave. The first that fails is the last.

    Args:
        steps: the commands, in order.
        folder: where.
        environment: added to the process's.
        replacements: texts of the page → what they are called in this run, in commands and shown output.
    """
    script = ["set -m", "trap 'kill $(jobs -p) 2>/dev/null' EXIT"]
    for number, step in enumerate(steps):
        step.command = replaced(step.command, replacements)
        step.shown = [replaced(line, replacements) for line in step.shown]
        script += [step.command, f'code=$?; echo; echo "{_MARK} {number} $code"; [ $code = 0 ] || exit']
    process = subprocess.Popen(
        ["bash", "-c", "\n".join(script)],
        cwd=folder,
        env={**os.environ, **environment, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=240)
    except subprocess.TimeoutExpired:
        # SIGTERM to the shell alone: its trap ends the workers, which are process groups of their own.
        process.send_signal(signal.SIGTERM)
        os.killpg(process.pid, signal.SIGTERM)
        output, _ = process.communicate(timeout=60)
    _share_out(output, steps)


def replaced(text: str, replacements: Mapping[str, str]) -> str:
    """The text with every replacement made."""
    for old, new in replacements.items():
        text = text.replace(old, new)
    return text


def _share_out(output: str, steps: list[Step]) -> None:
    parts = re.split(rf"^{_MARK} (\d+) (\d+)$\n?", output, flags=re.MULTILINE)
    for text, number, code in zip(parts[::3], parts[1::3], parts[2::3], strict=False):
        step = steps[int(number)]
        step.given = [line for line in text.splitlines() if line]
        step.exit_code = int(code)
    if len(parts) % 3 == 1 and parts[-1].strip():
        unfinished = next((step for step in steps if step.exit_code is None), steps[-1])
        unfinished.given += parts[-1].splitlines()


def shape(line: str) -> str:
    """A line without what differs from run to run: numbers, values of JSON objects, fingerprints, spaces."""
    if line.startswith("{") and line.endswith("}"):
        return " ".join(["json", *json.loads(line)])
    line = re.sub(r"\bsha256:[0-9a-f]+…?", "sha256:#", line)
    bare = re.sub(r"^worker \S+:", "worker X:", re.sub(r"/\S+/", "/", line))
    return " ".join(re.sub(r"[-+]?\d[\d,.]*", "#", bare).split())


def missing(step: Step) -> list[str]:
    """The shown lines that the output does not have in this order; a line `…` stands for any others."""
    given = iter([shape(line) for line in step.given])
    wanted = [line for line in step.shown if line.strip() and line.strip() != "…"]
    return [line for line in wanted if shape(line) not in given]


def shim(folder: Path, name: str, arguments: str, python: Path = Path(sys.executable)) -> None:
    """A command of that name in the folder's `bin`, which runs this Python or another."""
    path = folder / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'#!/bin/sh\nexec "{python}" {arguments} "$@"\n')
    path.chmod(0o755)
