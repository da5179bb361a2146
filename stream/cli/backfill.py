"""`stream backfill`."""

from __future__ import annotations

import functools
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stream.cli.backfill_shown import counts, say_done, say_forecast, say_scene
from stream.cli.options import RATE, config_option, json_option, model_settings, opening_early, settings_of
from stream.cli.terminal import progress_bar, say
from stream.errors import InputError, StreamError

if TYPE_CHECKING:
    from stream.backfill import BackfillWish, Bound, Scene
    from stream.settings import Settings

__all__ = ["backfill"]

NICE = 10
"""How much this process gives way to others on the machine: the live worker comes first."""

INTERRUPTED = 130


class _End(click.ParamType):
    """One end of the range."""

    name = "OFFSET|TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Bound:
        """As `read_bound` takes it."""
        import datetime as dt

        from stream.backfill import read_bound

        try:
            return read_bound(str(value), dt.datetime.now(dt.UTC))
        except InputError as error:
            self.fail("; ".join(each for each in (error.message, error.hint) if each), param, ctx)


_OPTIONS = (
    click.option("--from", "start", type=_End(), required=True, help="The first record."),
    click.option(
        "--to", "end", type=_End(), required=True, help="The one after the last; not in the future."
    ),
    click.option(
        "--output",
        metavar="TOPIC",
        help="Where predictions go (default: the output topic's name and `.backfill`).",
    ),
    click.option(
        "--rate",
        type=RATE,
        metavar="R",
        help="Records a second, of this process (default: no limit).",
    ),
)


def _wish_options(command: Callable[..., int]) -> Callable[..., int]:
    """Give the command the options of `BackfillWish`; it gets it as `wish`."""

    @functools.wraps(command)
    def with_wish(*, start: Bound, end: Bound, output: str | None, rate: float | None, **others: Any) -> int:
        from stream.backfill import BackfillWish

        return command(wish=BackfillWish(start, end, output, rate), **others)

    chosen: Callable[..., int] = with_wish
    for option in reversed(_OPTIONS):
        chosen = option(chosen)
    return chosen


@click.command()
@_wish_options
@click.option(
    "--model",
    metavar="URI",
    help="Model package, or one version of it: a folder, or a URI of MLflow (default: [model] uri).",
)
@click.option(
    "--dry-run", is_flag=True, help="Say what would be done, and try the first records; change nothing."
)
@config_option
@json_option
def backfill(
    wish: BackfillWish, model: str | None, dry_run: bool, config: Path | None, json_out: bool
) -> int:
    """
    Score a range of the input topic again, exactly once, beside the live group.

    --from and --to are an offset of every partition (1200), one each for some (0:1200,3:900), or an instant
    (2026-11-27T03:00:00Z). The range's offsets are decided when the command is run first. Killed or stopped, and run
    again with the same words, it goes on; run several times at once, on any machines, the processes share the work.
    Each ends when all of it is done. The live group, its offsets and its topics are left alone. Page: docs/backfill.md.

    Exit 1 when it was stopped before its end.

    \b
    Example:
      stream backfill --from 2026-11-01 --to 2026-11-08 --model models/flights/versions/3 --dry-run
    """
    given = settings_of(config, None if model is None else Path(model))
    settings = model_settings(config, None if model is None else Path(model))
    opening = opening_early(settings)
    from stream.app import set_up_logging
    from stream.backfill import foresee, look_at

    quiet = settings.logging.level if settings.logging.level != "info" else "warning"
    set_up_logging(replace(settings.logging, level=quiet))
    wish = replace(wish, named_version=_is_version(given))
    scene = look_at(settings, wish, opening, dry=dry_run)
    if dry_run:
        say_scene(scene)
        say_forecast(scene, foresee(scene), json_out=json_out)
        return 0
    if scene.finished_ms is not None:
        say_done(scene, None, json_out=json_out)
        return 0
    say_scene(scene)
    return _run(scene, json_out=json_out)


def _run(scene: Scene, *, json_out: bool) -> int:
    from stream.backfill import opened_backfill

    os.nice(NICE)
    found = opened_backfill(scene)
    try:
        with _stopped_by(found.stop) as caught, progress_bar("offsets", found.plan.offsets) as progress:
            done = found.run(progress)
    except StreamError:
        say(f"{counts(found)}; the same command goes on where this one stopped")
        raise
    if done:
        say_done(scene, found, json_out=json_out)
        return 0
    say(f"stopped: {counts(found)}; the same command goes on where this one stopped")
    return INTERRUPTED if signal.SIGINT in caught else 1


def _is_version(settings: Settings) -> bool:
    """Whether [model] uri names a version, and not a package or an alias whose current version may change."""
    from stream.mlflow import parse

    uri = parse(settings.model.uri)
    if uri is not None:
        return uri.kind != "alias"
    place = settings.path(settings.model.uri)
    return place.parent.name == "versions" or (place / "manifest.json").exists()


@contextmanager
def _stopped_by(stop: Callable[[], None]) -> Iterator[list[int]]:
    """In this context, Ctrl-C and SIGTERM ask for a clean end; a second Ctrl-C ends at once. Yields those that came."""
    caught: list[int] = []

    def handle(number: int, _: object) -> None:
        caught.append(number)
        stop()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
