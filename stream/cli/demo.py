"""`stream demo`."""

from __future__ import annotations

import os
import signal
from dataclasses import asdict
from types import FrameType
from typing import NoReturn

import click

from stream.cli.options import RATE
from stream.cli.terminal import as_json, print_data

__all__ = ["demo"]


@click.command()
@click.option(
    "--events",
    type=click.IntRange(min=1),
    default=20_000,
    show_default=True,
    help="Events to send, including those corrupted on purpose.",
)
@click.option(
    "--rate",
    type=RATE,
    default=1_000.0,
    show_default=True,
    help="Events per second.",
)
@click.option(
    "--kafka", metavar="BOOTSTRAP", help="host:port of a real Kafka (default: the embedded broker)."
)
@click.option(
    "--port",
    type=click.IntRange(1, 65_535),
    help="Port of the live page, and of the worker's health, metrics and status (default: 6066, or a free one).",
)
@click.option(
    "--no-browser",
    is_flag=True,
    help="Only print where the live page is, don't open it in a browser.",
)
@click.option(
    "--exit", "leave", is_flag=True, help="Exit when all events have come back; no browser is opened."
)
def demo(
    events: int, rate: float, kafka: str | None, port: int | None, no_browser: bool, leave: bool
) -> None:
    """
    Replay real flights through a worker and watch the predictions.

    It starts a broker inside this process (or uses a real one: --kafka) and a real worker, and replays flights
    that left New York in the last weeks of 2013, evenly sampled, in order of departure. The model has seen none
    of them, and predicts whether each arrives more than 15 minutes late. Some events are corrupted on purpose,
    to show dead letters. On a terminal, the worker's live page is opened in a browser. The last line on stdout is
    one JSON object; the exit code is 1 when an event came back neither as a prediction nor as a dead letter.
    Without --exit the flights then go on for the live page, over and over, until Ctrl-C (with --kafka, the worker
    only waits).

    \b
    Example:
      stream demo --events 5000 --exit
    """
    from stream.demo import DemoOptions, View, run_demo

    signal.signal(signal.SIGTERM, _interrupt)
    request = DemoOptions(events, rate, kafka, port, leave, browser=not no_browser)
    run_demo(request, View(), os.environ, lambda summary: print_data(as_json(asdict(summary))))


def _interrupt(signum: int, frame: FrameType | None) -> NoReturn:
    """SIGTERM acts as Ctrl-C: the worker must not be left running."""
    raise KeyboardInterrupt
