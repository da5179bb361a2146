"""`stream deadletters`: what could not be scored, looked at and sent back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from stream.cli.letter_options import LETTER, filter_options
from stream.cli.letter_replay import replay
from stream.cli.letter_shown import (
    count_rows,
    entry,
    line,
    nothing_found,
    tell_hidden,
    view_entry,
    view_lines,
)
from stream.cli.options import config_option, json_option, model_settings, settings_of
from stream.cli.terminal import as_json, print_data, print_line, print_table, say

if TYPE_CHECKING:
    from collections import Counter

    from stream.redrive import LetterFilter

__all__ = ["deadletters"]


@click.group()
def deadletters() -> None:
    """
    List, show, count and send back the letters of the dead-letter topic.

    Letters of Kafka Connect, Kafka Streams, Spring and Kafka's share groups are read too. No group is joined and
    nothing is committed; all commands but replay change nothing. Page: docs/dead-letters.md.

    \b
    Example:
      stream deadletters stats
    """


@deadletters.command("list")
@filter_options
@config_option
@json_option
def list_command(wanted: LetterFilter, config: Path | None, json_out: bool) -> None:
    """
    List letters, by partition and offset: when, why, where from.

    Exit 0 also when there are none. --since and --until compare the record's timestamp, which a letter keeps.

    \b
    Example:
      stream deadletters list --reason wrong_type --limit 20
    """
    from stream.redrive import opened_scan

    with opened_scan(settings_of(config), wanted) as scan:
        number = 0
        if json_out:
            # One array, a letter a line: it can be read as a whole, and while it comes.
            for number, stored in enumerate(scan.letters(), start=1):
                print_data(f"{'[' if number == 1 else ','}{as_json(entry(stored))}")
            print_data("]" if number else "[]")
        else:
            for stored in scan.letters():
                number += 1
                print_line(line(stored))
        if not number:
            say(nothing_found(scan))
        tell_hidden(scan)


@deadletters.command()
@click.argument("letter", type=LETTER, metavar="PARTITION:OFFSET")
@config_option
@json_option
def show(letter: tuple[int, int], config: Path | None, json_out: bool) -> None:
    """
    Show one letter: decoded as far as it goes, the byte or field that failed, the schema beside it.

    The value is read with the schema that it names, then as today's model would; whether the model scores it,
    `stream deadletters replay --dry-run` says. Exit 2 when there is no such letter.

    \b
    Example:
      stream deadletters show 0:12
    """
    from stream.redrive import find_letter, view_letter

    settings = model_settings(config)
    view = view_letter(settings, find_letter(settings, *letter))
    if json_out:
        print_data(as_json(view_entry(view)))
        return
    print_line(f"letter {view.stored.name} of {settings.dead_letters.topic}, written by {view.stored.writer}")
    for each in view_lines(view):
        if isinstance(each, list):
            print_table(each)
        else:
            print_line(each)


@deadletters.command()
@filter_options
@config_option
@json_option
def stats(wanted: LetterFilter, config: Path | None, json_out: bool) -> None:
    """
    Count letters by reason, stage, model, schema, topic and group.

    They are read one by one, so the counts are exact; people see the 20 most frequent of each. --json has the total,
    the counts of all reasons and stages, and `without_original`, where a share group left letters without.

    \b
    Example:
      stream deadletters stats --json
    """
    from stream.redrive import count_letters, opened_scan

    settings = settings_of(config)
    with opened_scan(settings, wanted) as scan:
        counts = count_letters(scan.letters(), settings.framing("input"))
        if json_out:
            by = {"by_reason": _sorted(counts.by_reason), "by_stage": _sorted(counts.by_stage)}
            pointers = {"without_original": counts.pointers} if counts.pointers else {}
            print_data(as_json({"total": counts.total, **by, **pointers}))
        elif counts.total:
            from stream.cli.letter_shown import instant

            print_line(
                f"{counts.total:,} dead letters in {settings.dead_letters.topic}; records of "
                f"{instant(counts.first_ms) or 'no time'} to {instant(counts.last_ms) or 'no time'}"
            )
            if counts.pointers:
                print_line(
                    f"{counts.pointers:,} hold no original, so that no replay can send it: the share group did not "
                    "copy it (errors.deadletterqueue.copy.record.enable); it may still be where `list` says"
                )
            tables = {
                "reason": counts.by_reason,
                "stage": counts.by_stage,
                "model": counts.by_model,
                "schema that the value names": counts.by_schema,
                "topic of the record": counts.by_topic,
                "group": counts.by_group,
                "written by": counts.by_writer,
            }
            for title, found in tables.items():
                print_line()
                print_table(count_rows(title, found))
        else:
            say(nothing_found(scan))
        tell_hidden(scan)


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return dict(counts.most_common())


deadletters.add_command(replay)
