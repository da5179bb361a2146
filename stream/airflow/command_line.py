"""The command that an operator starts: `stream`, its arguments, its environment."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from urllib.parse import unquote

__all__ = [
    "Order",
    "as_text",
    "batch_arguments",
    "passwords",
    "start_of",
    "surroundings",
    "train_arguments",
    "without_passwords",
]

OWN = (sys.executable, "-P", "-m", "stream")
"""`stream` in the environment of Airflow itself; -P: and not what is called so in the folder where it is run."""

_PYTHON_S = ("PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")
"""What tells an interpreter where its libraries are: Airflow's are not those of another environment."""


_USER = re.compile(r"://([^/\s]+)@")
"""User and password in a URL."""


@dataclass(frozen=True, slots=True)
class Order:
    """
    A command to be run.

    Attributes:
        command: the program and its arguments.
        environment: all of its variables.
        folder: where it is run; None for where Airflow runs tasks.
        limit_s: after so many seconds it is ended; None for no limit.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str]
    folder: str | None = None
    limit_s: float | None = None

    def to_json(self) -> str:
        """For another process."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Order:
        """Of what `to_json` wrote."""
        found = json.loads(text)
        return cls(**{**found, "command": tuple(found["command"])})


def start_of(command: str | os.PathLike[str] | Sequence[str] | None, configured: str) -> tuple[str, ...]:
    """
    How `stream` is started.

    Args:
        command: the operator's `stream_command`; a text is split as a shell would, a path is not.
        configured: `[prediction_stream] command` of Airflow's configuration; empty for none.
    Returns: the program and its first arguments.
    """
    given = command or configured or OWN
    if isinstance(given, os.PathLike):
        return (os.fspath(given),)
    return tuple(shlex.split(given)) if isinstance(given, str) else tuple(map(as_text, given))


def surroundings(
    start: Sequence[str], own: Mapping[str, str], more: Mapping[str, object] | None
) -> dict[str, str]:
    """
    The variables of the child.

    Args:
        start: how `stream` is started.
        own: of this process.
        more: the operator's `env`, which goes over them.
    Returns: all; for another interpreter than this one, without those that name this one's libraries.
    """
    dropped = () if start[0] == OWN[0] else _PYTHON_S
    kept = {name: value for name, value in own.items() if name not in dropped}
    return {**kept, **{name: as_text(value) for name, value in (more or {}).items()}}


def train_arguments(
    recipe: str,
    out: str,
    *,
    fixed: Mapping[str, object],
    options: Mapping[str, str | None],
    more: Sequence[object],
) -> tuple[str, ...]:
    """
    The arguments of `stream train`.

    Args:
        recipe: the file.
        out: the package's folder.
        fixed: parameters for `--set`.
        options: others, by their names; None: not given.
        more: arguments as they are.
    """
    fixes = [word for name, value in fixed.items() for word in ("--set", f"{name}={as_text(value)}")]
    return ("train", recipe, "--out", out, *fixes, *_given(options), *map(as_text, more))


def batch_arguments(
    inputs: Sequence[object],
    output: str,
    *,
    replace: bool,
    options: Mapping[str, str | None],
    more: Sequence[object],
) -> tuple[str, ...]:
    """
    The arguments of `stream batch`.

    Args:
        inputs: files, folders and globs.
        output: the folder of all runs.
        replace: whether a run of the same key is replaced.
        options: others, by their names; None: not given.
        more: arguments as they are.
    """
    flags = ("--replace",) if replace else ()
    words = (*_given(options), *map(as_text, more))
    return ("batch", "--output", output, "--json", *flags, *words, "--", *map(as_text, inputs))


def _given(options: Mapping[str, str | None]) -> list[str]:
    return [f"--{name.replace('_', '-')}={value}" for name, value in options.items() if value is not None]


def as_text(value: object) -> str:
    """A word of a command line: a text or a path as it is, all else as JSON."""
    return os.fspath(value) if isinstance(value, (str, os.PathLike)) else json.dumps(value)


def passwords(words: Iterable[str]) -> Iterator[str]:
    """
    What must not be seen of a command.

    Args:
        words: arguments, values of variables.
    Yields: the password, or all before the `@` where there is none, of each URL in them; as it is, and unquoted.
    """
    for word in words:
        for user in _USER.findall(word):
            found = user.partition(":")[2] or user
            yield from {found, unquote(found)}


def without_passwords(word: str) -> str:
    """A word of a command as it may be shown: `passwords` of it are stars."""
    for found in sorted(passwords([word]), key=len, reverse=True):
        word = word.replace(found, "***")
    return word
