"""
`python -m stream.demo.export FILE`: the flights that the demo replays, as a file for `stream produce`.

For whoever wants the demo's events on a Kafka of their own: the producer of docker-compose.yml, or a person at
a prompt. Every event is sound; it is the demo that spoils some.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from stream.demo.flights import load_flights, split
from stream.errors import Refused, SampleError
from stream.shown import shown

__all__ = ["export", "main"]

_WRITERS: dict[str, Callable[[pd.DataFrame, Path], object]] = {
    ".csv": lambda frame, path: frame.to_csv(path, index=False),
    ".parquet": lambda frame, path: frame.to_parquet(path, index=False),
}


def export(path: Path, count: int | None = None) -> int:
    """
    Write the held-out flights, in the order of their departures.

    Args:
        path: `.csv` or `.parquet`; replaced when it is there. Columns: the fields of `schemas/flight.avsc`, then
            `late`, the known outcome, which is part of no event.
        count: how many, from the first; None for all.
    Returns: how many rows were written.
    Raises: SampleError for another kind of file, a path that can't be written, or when the flights are not
        installed.
    """
    if path.suffix not in _WRITERS:
        raise SampleError(f"{path}: expected a .csv or .parquet file", hint="name it flights.csv")
    held_out = split(load_flights())[1]
    rows = held_out if count is None else held_out.head(count)
    try:
        _WRITERS[path.suffix](rows, path)
    except OSError as error:
        raise SampleError(
            f"{path}: can't be written: {error.strerror or error}",
            hint="name a file in a folder that is yours",
        ) from error
    return len(rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run the command; returns its exit code: 0, or 2 with a message.

    Args:
        arguments: without the program's name; default: the process's own.
    """
    parser = argparse.ArgumentParser(
        prog="python -m stream.demo.export",
        description="Write the flights that the demo replays to a file for `stream produce`.",
        epilog="Example: python -m stream.demo.export flights.csv --events 5000",
    )
    parser.add_argument("file", type=Path, help=".csv or .parquet")
    parser.add_argument("--events", type=_positive, metavar="N", help="the first N only (default: all)")
    given = parser.parse_args(arguments)
    try:
        count = export(given.file, given.events)
    except Refused as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    sys.stderr.write(shown(f"{count} flights written to {given.file}") + "\n")
    return 0


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, found {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
