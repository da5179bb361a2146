"""What docs/compatibility.md promises is what a list under version control says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

import stream
from docs.reference import configuration
from stream import deadletter, reasons, testing
from stream.cli.main import FAILED, INTERRUPTED, REFUSED, cli
from stream.settings import Settings
from stream.telemetry import TABLE

LISTED = Path(__file__).parent / "public_interface.txt"


def _commands(command: click.Command, name: str) -> Iterator[str]:
    """A command with its options, and those below it."""
    for parameter in command.params:
        kind = "argument" if isinstance(parameter, click.Argument) else "option"
        takes = "" if getattr(parameter, "is_flag", False) or kind == "argument" else " VALUE"
        yield from (f"{kind} {name} {spelling}{takes}" for spelling in parameter.opts)
        yield from (f"{kind} {name} {spelling}{takes}" for spelling in parameter.secondary_opts)
    yield f"command {name}"
    if isinstance(command, click.Group):
        context = click.Context(command)
        for each in command.list_commands(context):
            found = command.get_command(context, each)
            assert found is not None
            yield from _commands(found, f"{name} {each}")


def _public() -> Iterator[str]:
    yield from _commands(cli, "stream")
    yield from (f"exit {code}" for code in (0, FAILED, REFUSED, INTERRUPTED))
    settings = Settings()
    for section, key, _ in configuration.each_setting():
        yield f"key [{section}] {key} = {getattr(getattr(settings, section), key)!r}"
    yield from (f"metric {each.name} {each.kind}{{{','.join(each.labels)}}}" for each in TABLE)
    yield from (f"reason {each.name}" for each in reasons.TABLE)
    yield from (f"header {each}" for each in deadletter.HEADERS)
    yield from (f"python stream.{each}" for each in stream.__all__)
    yield from (f"python stream.testing.{each}" for each in testing.__all__)


def test_public_interface_is_as_listed() -> None:
    """
    Nothing goes, is renamed or has another default unless somebody says so.

    After an addition: `python -m tests.unit.test_public_interface > tests/unit/public_interface.txt`. A line that
    goes breaks users: docs/compatibility.md says what it takes.
    """
    assert LISTED.read_text("utf-8").splitlines() == sorted(_public())


if __name__ == "__main__":
    print("\n".join(sorted(_public())))  # noqa: T201  # this is the list
