"""Every command's `--help` → docs/cli.md."""

from __future__ import annotations

import click

from stream.cli.main import COMMANDS, cli

__all__ = ["text"]

_WIDTH = 100


def text() -> str:
    """The command's own help, then that of each subcommand."""
    root = click.Context(cli, info_name="stream", terminal_width=_WIDTH)
    parts = [_block(cli.get_help(root))]
    for name in COMMANDS:
        command = cli.get_command(root, name)
        assert command is not None
        context = click.Context(command, root, name, terminal_width=_WIDTH)
        parts.append(f"## `stream {name}`\n\n{_block(command.get_help(context))}")
    return "\n\n".join(parts)


def _block(text: str) -> str:
    return f"```text\n{text.strip()}\n```"
