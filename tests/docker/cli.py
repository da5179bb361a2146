"""The real command line, asked whether it understands a command; nothing is run."""

from __future__ import annotations

from collections.abc import Sequence

import click

from stream.cli.main import cli

__all__ = ["parse"]


def parse(arguments: Sequence[str]) -> click.Context:
    """
    Parse a command.

    Args:
        arguments: without `stream`.
    Raises: click.UsageError when there is no such command, option, argument or value.
    """
    with cli.make_context("stream", list(arguments)) as context:
        name, command, rest = cli.resolve_command(context, list(arguments))
        assert command is not None
        return command.make_context(name, rest, parent=context)
