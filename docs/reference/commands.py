"""Every command's `--help` → docs/cli.md."""

from __future__ import annotations

from collections.abc import Iterator

import click

from stream.cli.main import COMMANDS, cli

__all__ = ["text"]

_WIDTH = 100


def text() -> str:
    """The command's own help, then that of each subcommand."""
    root = click.Context(cli, info_name="stream", terminal_width=_WIDTH, **cli.context_settings)
    parts = [_block(cli.get_help(root))]
    for name in COMMANDS:
        command = cli.get_command(root, name)
        assert command is not None
        parts += _sections(command, root, name, "##")
    return "\n\n".join(parts)


def _sections(command: click.Command, above: click.Context, name: str, mark: str) -> Iterator[str]:
    """A command's help, then that of its own subcommands."""
    context = click.Context(command, above, name, terminal_width=_WIDTH)
    yield f"{mark} `{context.command_path}`\n\n{_block(command.get_help(context))}"
    if isinstance(command, click.Group):
        for inner, found in command.commands.items():
            yield from _sections(found, context, inner, f"{mark}#")


def _block(text: str) -> str:
    return f"```text\n{text.strip()}\n```"
