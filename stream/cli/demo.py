"""`stream demo`."""

from __future__ import annotations

import os
import signal
from types import FrameType
from typing import NoReturn

import click

from stream.cli.options import as_json

__all__ = ["demo"]


@click.command()
@click.option(
    "--events",
    type=click.IntRange(min=1),
    default=20_000,
    show_default=True,
    help="How many to send, those spoiled on purpose included.",
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
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
    help="Port of the worker's health, metrics and status (default: 6066, or a free one).",
)
@click.option(
    "--no-browser",
    is_flag=True,
    help="Open no browser. There is no live page yet, so none is opened anyway.",
)
@click.option("--exit", "leave", is_flag=True, help="End when the events are through.")
def demo(
    events: int, rate: float, kafka: str | None, port: int | None, no_browser: bool, leave: bool
) -> None:
    """
    Replay real flights through a worker and watch the predictions.

    A broker inside this process (or a real one: --kafka), the real worker beside it, and the flights that
    left New York in the last weeks of 2013, none of which the model has seen, evenly chosen and in the order
    of their departures: will they arrive more than 15 minutes late? Some events are spoiled on purpose, to
    show dead letters. The last line on stdout is one JSON object; the exit code is 1 when an event came back
    neither as a prediction nor as a dead letter.

    \b
    Example:
      stream demo --events 5000 --exit
    """
    from stream.demo.demo_run import DemoRequest, run_demo
    from stream.demo.view import View

    signal.signal(signal.SIGTERM, _interrupt)
    request = DemoRequest(events, rate, kafka, port, leave)
    run_demo(request, View(), os.environ, lambda summary: click.echo(as_json(summary.as_dict())))


def _interrupt(signum: int, frame: FrameType | None) -> NoReturn:
    """SIGTERM leaves as Ctrl-C does: the worker must not stay behind."""
    raise KeyboardInterrupt
