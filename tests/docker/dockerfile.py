"""The Dockerfile and .dockerignore, read as the builder reads them (the parts of their syntax that ours use)."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from tests.docker.compose import ROOT

__all__ = ["TARGETS", "Instruction", "Stage", "context", "ignored", "stage", "stages", "target"]

TARGETS = ("worker", "serve", "batch", "train")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction; its text without line continuations."""

    name: str
    text: str

    @property
    def words(self) -> list[str]:
        """The arguments: of the JSON form, or as a shell would split them."""
        words = json.loads(self.text) if self.text.startswith("[") else shlex.split(self.text)
        return list(words)

    @property
    def variables(self) -> dict[str, str]:
        """The NAME=value pairs of ENV and LABEL."""
        return dict(word.split("=", 1) for word in self.words)


@dataclass(frozen=True, slots=True)
class Stage:
    """A FROM and what follows it."""

    image: str
    name: str | None
    instructions: list[Instruction]

    @property
    def user(self) -> str:
        """`number:number` of the user that it runs as, where no build argument says otherwise."""
        [user] = self.of("USER")
        variables: dict[str, str] = {}
        for each in self.of("ARG"):
            variables |= each.variables
        return variables[user.text.removeprefix("$")]

    def of(self, name: str) -> list[Instruction]:
        """Its instructions of one name, in order."""
        return [each for each in self.instructions if each.name == name]


def stages(file: Path = ROOT / "Dockerfile") -> list[Stage]:
    """The stages of a Dockerfile, in order."""
    lines = [line for line in file.read_text("utf-8").splitlines() if not line.lstrip().startswith("#")]
    found: list[Stage] = []
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if not line.strip():
            continue
        name, text = line.strip().split(None, 1)
        if name == "FROM":
            image, *rest = text.split()
            found.append(Stage(image, rest[1] if rest else None, []))
            continue
        text = re.sub(r"\s+", " ", text) if name == "RUN" else text
        if name == "HEALTHCHECK" and text != "NONE":
            text = text[text.index("CMD") + 3 :].strip()
        found[-1].instructions.append(Instruction(name, text.strip()))
    return found


def stage(name: str) -> Stage:
    """A stage of ours by its name."""
    [found] = [each for each in stages() if each.name == name]
    return found


def target(name: str) -> Stage:
    """A target with what it inherits: the instructions of the stages it is made from, the first first."""
    found = stage(name)
    names = {each.name for each in stages()}
    return Stage(
        found.image,
        found.name,
        (target(found.image).instructions if found.image in names else []) + found.instructions,
    )


def ignored(path: str, file: Path = ROOT / ".dockerignore") -> bool:
    """
    Whether a path stays out of the build.

    Args:
        path: relative to the context's root, with slashes.
        file: the patterns; the last that matches the path, or a folder it is in, decides.
    """
    parts = path.split("/")
    parents = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    out = False
    for line in file.read_text("utf-8").splitlines():
        pattern = line.strip()
        if pattern and not pattern.startswith("#"):
            expression = _expression(pattern.removeprefix("!"))
            if any(expression.fullmatch(each) for each in parents):
                out = not pattern.startswith("!")
    return out


def _expression(pattern: str) -> re.Pattern[str]:
    """A pattern as an expression: `*` stays within a folder, `**/` is any number of folders, none included."""
    text = re.escape(pattern.strip("/")).replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*")
    return re.compile(text)


def context(source: str) -> list[str]:
    """
    The files under a path of the repository that the build sees, relative to its root.

    Raises: FileNotFoundError when there is no such path, as the builder would.
    """
    start = ROOT / source
    start.stat()
    files = [start] if start.is_file() else sorted(each for each in start.rglob("*") if each.is_file())
    names = [each.relative_to(ROOT).as_posix() for each in files]
    return [name for name in names if not ignored(name)]
