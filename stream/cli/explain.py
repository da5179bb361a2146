"""`stream explain`: one prediction back to its event and its model, asked for again and compared."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stream.cli.explanation_shown import explanation_entry, explanation_lines
from stream.cli.options import config_option, first_opening, json_option, settings_of
from stream.cli.terminal import as_json, print_data, print_line, print_table, progress_bar

if TYPE_CHECKING:
    from stream.explain import Wanted

__all__ = ["explain"]

NOT_PROVEN = 1

_PLACE = re.compile(r"([0-9]+):([0-9]+)", re.ASCII)

_DIGITS = 9, 18
"""That a partition and an offset may have."""


@click.command()
@click.argument("prediction", metavar="KEY|PARTITION:OFFSET")
@click.option("--key", "is_key", is_flag=True, help="PREDICTION is a key, though it looks like a place.")
@click.option("--hex", "is_hex", is_flag=True, help="PREDICTION is a key, its bytes in hexadecimal.")
@click.option(
    "--all", "every", is_flag=True, help="Look for every prediction with the key: reads the whole topic."
)
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    metavar="PACKAGE",
    help="Where the version is kept, if not in [model] uri.",
)
@config_option
@json_option
def explain(
    prediction: str,
    is_key: bool,
    is_hex: bool,
    every: bool,
    model: Path | None,
    config: Path | None,
    json_out: bool,
) -> int:
    """
    Trace one prediction back: its event, its model, its features; ask for it again, and compare.

    PARTITION:OFFSET is a place on the output topic; KEY stands for the newest prediction with that key. Each claim is
    proven, differs, or can't be shown any more, which says what is gone. Nothing is changed. The values of the event
    are shown. Page: docs/explain.md.

    Exit 0: all is proven; 1: something differs or is unproven; 2: there is no such prediction.

    \b
    Example:
      stream explain 0:12
    """
    from stream.explain import explain as explained

    settings = settings_of(config, model)
    wanted = _wanted(prediction, is_key, is_hex, every)
    with progress_bar("offsets searched", None) as tell:
        found = explained(settings, wanted, first_opening(settings), tell)
    if json_out:
        print_data(as_json(explanation_entry(found)))
    else:
        for each in explanation_lines(found):
            if isinstance(each, list):
                print_table(each)
            else:
                print_line(each)
    return 0 if found.proven else NOT_PROVEN


def _wanted(text: str, is_key: bool, is_hex: bool, every: bool) -> Wanted:
    from stream.explain import Wanted

    if is_hex:
        try:
            return Wanted(key=bytes.fromhex(text), every=every)
        except ValueError as error:
            raise click.BadParameter(f"{text!r} is not hexadecimal: write two digits a byte") from error
    place = None if is_key else _PLACE.fullmatch(text)
    if place is None:
        return Wanted(key=text.encode("utf-8", "surrogateescape"), every=every)
    if every:
        raise click.BadParameter(f"--all looks for a key, and {text} is a place; --key takes it as a key")
    if any(len(part) > most for part, most in zip(place.groups(), _DIGITS, strict=True)):
        raise click.BadParameter(f"{text} is no place on a topic; --key takes it as a key")
    return Wanted(place=(int(place[1]), int(place[2])))
