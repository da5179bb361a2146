"""What all commands of dead letters can be asked for: options, and how instants and places are written."""

from __future__ import annotations

import datetime as dt
import functools
import re
import time
from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

import click

__all__ = ["LETTER", "filter_options"]

R = TypeVar("R")

_AGO = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([smhdw])\s*")
_AGO_WHOLE = re.compile(rf"(?:{_AGO.pattern})+")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 7 * 86_400}


class _Instant(click.ParamType):
    """An instant, in milliseconds since 1970."""

    name = "T"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """ISO 8601, UTC where it names no zone; or how long ago."""
        text = str(value).strip()
        if _AGO_WHOLE.fullmatch(text):
            ago = sum(float(number) * _SECONDS[unit] for number, unit in _AGO.findall(text))
            return int((time.time() - ago) * 1_000)
        try:
            instant = dt.datetime.fromisoformat(text)
        except ValueError:
            self.fail(
                f"{value!r} is no instant: write 2026-11-27T03:00:00Z, 2026-11-27, or how long ago: 30m, 2h30m, 7d",
                param,
                ctx,
            )
        instant = instant if instant.tzinfo is not None else instant.replace(tzinfo=dt.UTC)
        return (instant - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(milliseconds=1)


class _Letter(click.ParamType):
    """Where a letter is on the dead-letter topic."""

    name = "PARTITION:OFFSET"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Two numbers."""
        found = re.fullmatch(r"([0-9]{1,9}):([0-9]{1,18})", str(value))
        if found is None:
            self.fail(
                f"{value!r} is no place: write PARTITION:OFFSET as `stream deadletters list` shows it, such as 0:12",
                param,
                ctx,
            )
        return int(found[1]), int(found[2])


LETTER = _Letter()

_OPTIONS = (
    click.option("--reason", metavar="R", help="Only letters of this reason (docs/wire-format.md)."),
    click.option("--stage", metavar="S", help="Only letters that failed at this stage."),
    click.option(
        "--model", metavar="M", help="Only letters of this model: NAME@VERSION, or NAME for all versions."
    ),
    click.option(
        "--since",
        "since_ms",
        type=_Instant(),
        help="Only records of this time or later: ISO 8601, or how long ago: 2h.",
    ),
    click.option("--until", "until_ms", type=_Instant(), help="Only records before this time."),
    click.option(
        "--partition",
        type=click.IntRange(min=0),
        metavar="P",
        help="Only this partition of the dead-letter topic.",
    ),
    click.option("--topic", metavar="T", help="Only letters whose records were on this topic."),
    click.option("--group", metavar="G", help="Only letters of this consumer group."),
    click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most N letters."),
)


def filter_options(command: Callable[..., R]) -> Callable[..., R]:
    """Give a command the options of `LetterFilter`; it gets the filter as `wanted`."""

    @functools.wraps(command)
    def with_filter(**options: Any) -> R:
        from stream.redrive import LetterFilter

        wanted = LetterFilter(**{field.name: options.pop(field.name) for field in fields(LetterFilter)})
        if wanted.since_ms is not None and wanted.until_ms is not None and wanted.since_ms >= wanted.until_ms:
            raise click.BadParameter("no time is after --since and before --until", param_hint="--until")
        return command(wanted=wanted, **options)

    chosen: Callable[..., R] = with_filter
    for option in reversed(_OPTIONS):
        chosen = option(chosen)
    return chosen
