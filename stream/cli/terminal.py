"""
Where commands print: the only module of the command line that writes to stdout and stderr.

Whatever a line quotes of a manifest, a record or a file, it stays one line of visible characters. Data on stdout is
exact when a program reads it; on a terminal it is shown as everything else is.
"""

from __future__ import annotations

import ctypes
import os
import re
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from typing import TYPE_CHECKING, NoReturn, TextIO

import click

from stream.shown import VALUE_CHARS, json_shown, shown

if TYPE_CHECKING:
    from rich.console import Console

__all__ = [
    "OutputClosed",
    "as_json",
    "data_stream",
    "print_data",
    "print_line",
    "print_table",
    "progress_bar",
    "quiet_warnings",
    "say",
    "short",
    "stdout_kept",
    "steps_shown",
]

_STDOUT, _STDERR = 1, 2

_BLANKS = re.compile(r"\s{3,}")

LINE_EVERY_S = 2.0
"""Between two lines of progress when stderr is not a terminal."""


class OutputClosed(Exception):
    """Whoever read what a command prints has gone (`stream watch | head`)."""


def _echo(line: str | bytes, *, err: bool = False) -> None:
    """
    Print a line.

    Raises: OutputClosed; click would end the process as if something had failed.
    """
    try:
        click.echo(line, None if err or not _kept else _kept[-1], err=err)
    except BrokenPipeError:
        raise OutputClosed from None


def say(*lines: object) -> None:
    """Print messages for people on stderr, a line each. The work goes on when nobody reads them any more."""
    with suppress(OutputClosed):
        for line in lines:
            _echo(shown(line), err=True)


@contextmanager
def stdout_kept() -> Iterator[None]:
    """
    Keep stdout for the command's data, which is what this module prints: what recipes and models print meanwhile goes
    to stderr. Also a decorator, of a whole command.

    That of Python, of libraries that are not Python, and of processes that are started meanwhile.
    """
    if _kept:
        yield
        return
    with suppress(OSError, ValueError, AttributeError):  # closed, or a stream of a test
        sys.stdout.flush()
    try:
        number = os.dup(_STDOUT)
        os.dup2(_STDERR, _STDOUT)
    except OSError:  # one of the two is closed
        with _printing_to(sys.stdout):
            yield
        return
    own = _same_as_stdout(number)
    try:
        with _printing_to(own or sys.stdout):
            yield
    finally:
        ctypes.CDLL(None).fflush(None)  # what a library in C still holds back belongs to stderr, too
        os.dup2(number, _STDOUT)
        if own is not None:
            with suppress(OSError):  # its reader has gone, which is known
                own.close()
        os.close(number)


_kept: list[TextIO] = []
"""Where data goes while stdout is kept for it."""


@contextmanager
def _printing_to(stream: TextIO) -> Iterator[None]:
    _kept.append(stream)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        _kept.pop()


def _same_as_stdout(number: int) -> TextIO | None:
    """Python's stdout on a file of another number; None where it is a stream of a test, which stays itself."""
    try:
        if sys.stdout.fileno() != _STDOUT:
            return None
    except (OSError, ValueError, AttributeError):
        return None
    return open(number, "w", encoding=sys.stdout.encoding, errors=sys.stdout.errors, closefd=False)


def data_stream() -> TextIO:
    """Where data goes."""
    return _kept[-1] if _kept else sys.stdout


def print_line(line: object = "") -> None:
    """Print one line for people on stdout, such as a finding."""
    _echo(shown(line))


def print_data(line: str) -> None:
    """
    Print one line of data on stdout: a path, a JSON object.

    Args:
        line: without its end. A program gets exactly this, a name of a file that is not UTF-8 by its bytes;
            on a terminal it is shown.
    """
    if data_stream().isatty():
        _echo(shown(line, max(len(line), VALUE_CHARS) * 10))  # nothing is left out
    elif line.isascii():
        _echo(line)
    else:
        _echo(line.encode("utf-8", "surrogateescape"))


def as_json(value: object) -> str:
    """One line of JSON, which holds nothing that a terminal obeys."""
    from stream.types import json_text

    return json_shown(json_text(value))


def short(value: object) -> str:
    """
    A value within a line for people: a number to four significant digits, a text shown and not too long.

    Blanks are no padding: with enough of them a terminal would begin a new line where the value's author wants.
    """
    return f"{value:.4g}" if isinstance(value, float) else _BLANKS.sub("  ", shown(value, VALUE_CHARS))


def print_table(rows: Sequence[Mapping[str, object]]) -> None:
    """Print rows as an aligned table on stdout; the first row's keys are the columns."""
    from rich.table import Table
    from rich.text import Text

    if not rows:
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, first in rows[0].items():
        title = shown(name, VALUE_CHARS)
        if isinstance(first, int | float):
            # A number is never cut, however long the text beside it is.
            least = max(len(title), *(len(shown(row[name], VALUE_CHARS)) for row in rows))
            table.add_column(Text(title), justify="right", no_wrap=True, min_width=least)
        else:
            table.add_column(Text(title), no_wrap=True)
    for row in rows:
        # As Text: a cell is not rich's markup, whatever it holds.
        table.add_row(*(Text("" if v is None else shown(v, VALUE_CHARS)) for v in row.values()))
    console = _console()
    console.width = max(console.width, 120) if not console.is_terminal else console.width
    console.print(table)


def _console() -> Console:
    """Rich's stdout; when its reader has gone, it says so as `_echo` does, and does not end the process."""
    from rich.console import Console

    class Stdout(Console):
        def on_broken_pipe(self) -> NoReturn:
            raise OutputClosed

    return Stdout(file=_kept[-1] if _kept else None)


def quiet_warnings() -> None:
    """Let Python's warnings be one shown line each; a library quotes in them what it was given."""

    def one_line(
        message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
    ) -> str:
        return shown(f"{filename}:{lineno}: {category.__name__}: {message}") + "\n"

    warnings.formatwarning = one_line


@contextmanager
def progress_bar(label: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """
    Show progress on stderr: a bar on a terminal, otherwise a line every few seconds.

    The bar is drawn by a thread, which begins with the first call: until then this process can be copied.

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
    described = TextColumn("{task.description}", markup=False)
    columns = (described, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bar = Progress(*columns, console=console, transient=True)
    task = bar.add_task(shown(label, VALUE_CHARS), total=total)

    def tell(done: int) -> None:
        bar.start()  # idempotent
        bar.update(task, completed=done)

    try:
        yield tell
    finally:
        if bar.live.is_started:
            bar.stop()


def _line_every(label: str, seconds: float) -> Callable[[int], None]:
    last = [time.monotonic()]

    def tell(done: int) -> None:
        if time.monotonic() - last[0] >= seconds:
            last[0] = time.monotonic()
            say(f"{label}: {done}")

    return tell


@contextmanager
def steps_shown(label: str) -> Iterator[Callable[[str], None]]:
    """
    Show on stderr what is being done, once it has taken 2 s: a spinner on a terminal, otherwise a line per step.

    Args:
        label: what the steps are parts of.
    Yields: a function to call at the beginning of each step. Any step may block for as long as it likes.
    """
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True)
    if not console.is_terminal:
        with _lines_of_steps(label) as tell:
            yield tell
        return
    with console.status(Text(shown(label, VALUE_CHARS))) as status:
        yield lambda step: status.update(Text(shown(f"{label}: {step}", VALUE_CHARS)))


@contextmanager
def _lines_of_steps(label: str) -> Iterator[Callable[[str], None]]:
    """The step that runs when time is up, and each after it; said by a thread, since a step may be one long call."""
    step, said, over = [""], [""], threading.Event()

    def tell() -> None:
        while not over.wait(LINE_EVERY_S):
            if step[0] != said[0]:
                said[0] = step[0]
                say(f"{label}: {said[0]}")

    speaker = threading.Thread(target=tell, name="steps", daemon=True)
    speaker.start()
    try:
        yield lambda now: step.__setitem__(0, now)
    finally:
        over.set()
        speaker.join()
