"""The command line: one module per command; exit codes are decided here and nowhere else."""

from stream.cli.main import main

__all__ = ["main"]
