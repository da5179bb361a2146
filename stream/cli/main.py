"""The `stream` command: finds the subcommand, and turns what it raises into an exit code."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import click
from click.utils import PacifyFlushWrapper

from stream.cli.first_process import leave_first_process
from stream.cli.terminal import OutputClosed, quiet_warnings, say
from stream.errors import Refused, StreamError
from stream.nearest import did_you_mean
from stream.shown import shown_traceback

__all__ = ["COMMANDS", "SECTIONS", "cli", "main"]

SECTIONS = {
    "Begin": {
        "demo": "Replay real flights through a worker and watch the predictions.",
    },
    "A model": {
        "train": "Run a training recipe and pack the best model.",
        "pack": "Make a model package from an estimator file.",
        "check": "Check a model package against the schemas and topics of stream.toml.",
        "models": "Show, verify and change the versions of a model package.",
    },
    "The stream": {
        "topics": "Show the topics that stream.toml needs; create them with --create.",
        "worker": "Run the worker for stream.toml.",
        "produce": "Send a data file's rows as Avro events to the input topic.",
        "watch": "Show predictions as they arrive.",
    },
    "Operations": {
        "doctor": "Can this machine run this stream.toml? Broker, rights, topics, model, disk, clock.",
        "status": "Show lag, rate, model and dead letters of a running group.",
        "deadletters": "List, show, count and send back what could not be scored.",
        "backfill": "Score a range of the input topic again, exactly once, beside the live group.",
        "explain": "Trace one prediction back to its event and model, and ask for it again.",
    },
    "Other doors": {
        "batch": "Score files: csv, parquet, jsonl or avro in, predictions out.",
        "serve": "Serve predictions over REST.",
        "sql": "Query in SQL: predict(f) is a function of DuckDB.",
        "export": "Write the files that BigQuery, AsyncAPI or another system needs for a model's predictions.",
    },
}
"""The commands as `--help` and the documentation group them."""

COMMANDS = {name: line for commands in SECTIONS.values() for name, line in commands.items()}
"""Each lives in the module of its name, or in that of `_MODULES`; it is imported only when it is asked for."""

_MODULES = {"export": "export_command"}
"""`python -m stream.demo.export` is typed by people, and two modules of one name can't be told apart."""

FAILED, REFUSED, INTERRUPTED = 1, 2, 130


class Commands(click.Group):
    """Finds subcommands by module name, so that `--help` need not import pandas."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names, in the order of the documentation."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or None."""
        if cmd_name not in COMMANDS:
            return None
        found = getattr(importlib.import_module(f"stream.cli.{_MODULES.get(cmd_name, cmd_name)}"), cmd_name)
        assert isinstance(found, click.Command)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is asked for; an unknown one is refused with the nearest that there is."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            hint = did_you_mean(args[0], COMMANDS) or f"known commands: {', '.join(COMMANDS)}"
            raise click.UsageError(f"unknown command `{args[0]}`: {hint}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. A connection that broke is an error with words: click takes it for a closed output."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise ConnectionError(f"a connection was closed at its other end: {error}") from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Their one-line descriptions, without importing any."""
        width = max(map(len, COMMANDS))
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), line) for name, line in commands.items()])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="prediction-stream", prog_name="stream")
@click.option("--debug", is_flag=True, help="Show tracebacks of errors.")
def cli(debug: bool) -> None:
    """A scikit-learn model's answers on a Kafka stream."""


def main(arguments: Sequence[str] | None = None) -> None:
    """
    Run the command line and exit: 0 done, 1 the work failed, 2 bad usage, config, schema or model.

    Args:
        arguments: without the program's name; default: the process's own.
    """
    leave_first_process()
    sys.exit(_run(list(sys.argv[1:] if arguments is None else arguments)))


def _run(arguments: list[str]) -> int:
    debug = "--debug" in arguments
    quiet_warnings()
    if "" not in sys.path:
        sys.path.append("")  # the working folder, where a model's own modules may be; last: they hide nothing
    try:
        # --debug may stand anywhere on the line: people add it to the end of one that just failed.
        result = cli.main([a for a in arguments if a != "--debug"], "stream", standalone_mode=False)
    except click.exceptions.Exit as asked:
        return asked.exit_code
    except click.ClickException as error:
        _show_usage(error)
        return REFUSED
    except (KeyboardInterrupt, click.Abort):
        say("interrupted")
        return INTERRUPTED
    except OutputClosed:
        return _silenced()
    except SystemExit:
        if isinstance(sys.stdout, PacifyFlushWrapper):  # click's own, where the reader of its help has gone
            return _silenced()
        raise
    except (StreamError, OSError) as error:
        # The system's message about a full disk, or a folder that can't be written, names the file and says enough.
        _report(error.lines if isinstance(error, StreamError) else [str(error)], error, debug)
        return REFUSED if isinstance(error, Refused) else FAILED
    except Exception as error:  # noqa: BLE001 - the outermost place: a bug, which must not look like the user's fault
        hint = "this is a bug: --debug shows where it is; please report it"
        _report([f"{type(error).__name__}: {error}", f"  try: {hint}"], error, debug)
        return FAILED
    return result if isinstance(result, int) else 0


def _silenced() -> int:
    """Not an error; but what is still to be written would be one, at the very end of the process."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # a test's stream has no file
            stream.flush()
            continue
        with suppress(OSError, ValueError):
            os.dup2(nowhere, stream.fileno())
    return 0


def _report(lines: Sequence[str], error: Exception, debug: bool) -> None:
    say(*(shown_traceback(error) if debug else ()), f"error: {lines[0]}", *lines[1:])


def _show_usage(error: click.ClickException) -> None:
    """As click does it, but for what the message quotes of the command line."""
    if isinstance(error, click.UsageError) and error.ctx is not None:
        say(*error.ctx.get_usage().splitlines())
        if error.ctx.command.get_help_option(error.ctx) is not None:
            say(f"Try '{error.ctx.command_path} {error.ctx.help_option_names[0]}' for help.", "")
    say(f"Error: {error.format_message()}")
