"""Options that several commands share."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stream.settings import SIGN_PASSWORD, Settings

if TYPE_CHECKING:
    from stream.store import SigningKey

__all__ = [
    "as_json",
    "config_option",
    "delimiter_option",
    "json_option",
    "model_option",
    "print_table",
    "progress_bar",
    "settings_of",
    "short",
    "sign_option",
    "signing_key",
    "steps_shown",
]

LINE_EVERY_S = 2.0
"""Between two lines of progress when stderr is not a terminal."""

config_option = click.option(
    "--config",
    "config",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="STREAM_CONFIG",
    help="Configuration file (default: stream.toml).",
)

sign_option = click.option(
    "--sign",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="KEY",
    help=f"Sign with this ed25519 private key (PEM, PKCS #8); password: {SIGN_PASSWORD}, or asked for.",
)

model_option = click.option(
    "--model",
    type=click.Path(path_type=Path),
    metavar="PACKAGE",
    help="Model package (default: [model] uri).",
)

_WRITTEN = {"\\t": "\t", "tab": "\t"}
"""Ways of typing a character that a shell does not pass on."""

delimiter_option = click.option(
    "--delimiter",
    metavar="C",
    callback=lambda _context, _option, value: _WRITTEN.get(value, value),
    help="What separates a csv's cells: ';', '\\t' … (default: found in the file).",
)

json_option = click.option("--json", "json_out", is_flag=True, help="Print JSON instead of a table.")


def settings_of(config: Path | None, package: Path | None = None) -> Settings:
    """
    The settings for a command.

    Args:
        config: from `--config`; None = `stream.toml` here if there is one, else defaults and environment.
        package: the model package that the command names, instead of [model] uri; None = it names none.
    Raises: SettingsError.
    """
    from stream.configuration import load_settings

    settings = load_settings(config, os.environ)
    if package is None:
        return settings
    return replace(settings, model=replace(settings.model, uri=str(package.absolute())))


def signing_key(path: Path | None) -> SigningKey | None:
    """
    The key of `--sign`.

    Args:
        path: its file; None = do not sign.
    Raises: SettingsError when the key can't sign, or its password is unknown.
    """
    if path is None:
        return None
    from stream.store import SigningKey

    def ask() -> str:
        return str(click.prompt(f"password of {path}", hide_input=True, err=True))

    return SigningKey.of_file(path, f"--sign {path}", ask if sys.stdin.isatty() else None)


def as_json(value: object) -> str:
    """One line of JSON."""
    from stream.types import json_text

    return json_text(value)


def short(value: object) -> str:
    """A value for people: a number to four significant digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def print_table(rows: Sequence[Mapping[str, object]]) -> None:
    """Print rows as an aligned table on stdout; the first row's keys are the columns."""
    from rich.console import Console
    from rich.table import Table

    if not rows:
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in rows[0]:
        table.add_column(
            name, justify="right" if isinstance(rows[0][name], int | float) else "left", no_wrap=True
        )
    for row in rows:
        table.add_row(*("" if v is None else str(v) for v in row.values()))
    console = Console()
    console.width = max(console.width, 120) if not console.is_terminal else console.width
    console.print(table)


@contextmanager
def progress_bar(label: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """
    Show progress on stderr: a bar on a terminal, otherwise a line every few seconds.

    Args:
        label: what is counted.
        total: how many there will be, if known.
    Yields: a function to call with the count so far.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _line_every(label, LINE_EVERY_S)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(label, total=total)
        yield lambda done: bar.update(task, completed=done)


def _line_every(label: str, seconds: float) -> Callable[[int], None]:
    last = [time.monotonic()]

    def say(done: int) -> None:
        if time.monotonic() - last[0] >= seconds:
            last[0] = time.monotonic()
            click.echo(f"{label}: {done}", err=True)

    return say


@contextmanager
def steps_shown(label: str) -> Iterator[Callable[[str], None]]:
    """
    Show on stderr what is being done, once it has taken 2 s: a spinner on a terminal, otherwise a line per step.

    Args:
        label: what the steps are parts of.
    Yields: a function to call at the beginning of each step. Any step may block for as long as it likes.
    """
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        with _lines_of_steps(label) as tell:
            yield tell
        return
    with console.status(label) as status:
        yield lambda step: status.update(f"{label}: {step}")


@contextmanager
def _lines_of_steps(label: str) -> Iterator[Callable[[str], None]]:
    """The step that runs when time is up, and each after it; said by a thread, since a step may be one long call."""
    step, said, over = [""], [""], threading.Event()

    def say() -> None:
        while not over.wait(LINE_EVERY_S):
            if step[0] != said[0]:
                said[0] = step[0]
                click.echo(f"{label}: {said[0]}", err=True)

    speaker = threading.Thread(target=say, name="steps", daemon=True)
    speaker.start()
    try:
        yield lambda now: step.__setitem__(0, now)
    finally:
        over.set()
        speaker.join()
