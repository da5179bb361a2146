"""`stream deadletters replay`: what it prints."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stream.cli.letter_options import filter_options
from stream.cli.letter_shown import most, nothing_found, tell_hidden
from stream.cli.options import RATE, config_option, first_opening, model_settings
from stream.cli.terminal import print_line, progress_bar, say, short, stdout_kept
from stream.errors import StreamError

if TYPE_CHECKING:
    from stream.redrive import LetterFilter, Replay

__all__ = ["replay"]

REFUSED_SHOWN = 20
"""Letters that the broker refused, one by one; of more the number is said."""


@click.command()
@filter_options
@click.option(
    "--rate",
    type=RATE,
    metavar="R",
    help="Letters a second (default: no limit).",
)
@click.option("--dry-run", is_flag=True, help="Say what would become of them today; change no topic.")
@click.option(
    "--repair", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="Repair them first, as this TOML file says: rename, drop, default, cast, per reason.",
)  # fmt: skip
@click.option("--again", is_flag=True, help="Send those that came back from a replay and failed again, too.")
@config_option
@stdout_kept()
def replay(
    wanted: LetterFilter,
    rate: float | None,
    dry_run: bool,
    repair: Path | None,
    again: bool,
    config: Path | None,
) -> int:
    """
    Send letters back to the input topic, each once.

    The originals go as they were: key, value, headers, time; to the partition of their key, and without a key to their
    own. What was sent is kept on the topic that is called as the dead-letter topic and `.replayed`, in the same
    transaction: the command may be killed and run again. A letter that came back and failed again is left out unless
    --again is given; those of other topics or groups, unless --topic or --group names them; and those that the input
    topic would delete at once (retention.ms). With --repair only those are sent that today's model scores. The letters
    stay where they are.

    --dry-run reads the letters with today's package and schemas and counts: so many would be scored, so many still
    fail, and why. Exit 1 when the broker refused some, or when not one of those found could be sent.

    \b
    Example:
      stream deadletters replay --reason wrong_type --dry-run
    """
    from stream.redrive import Wish, opened_replay, read_repairs

    settings = model_settings(config)
    repairs = None if repair is None else read_repairs(repair)
    opening = first_opening(settings) if dry_run or repairs is not None else None
    with opened_replay(settings, Wish(wanted, rate, again, repairs), dry=dry_run) as found:
        with progress_bar("letters", found.scan.most) as progress:
            if dry_run:
                found.rehearse(opening, progress)
            else:
                _send(found, lambda: found.send(opening, progress))
        code = _rehearsed(found) if dry_run else _sent(found)
        tell_hidden(found.scan)
        return code


def _send(found: Replay, send: Callable[[], None]) -> None:
    """Where it ends early, say how far it came."""
    try:
        send()
    except (KeyboardInterrupt, StreamError):
        assert found.resending is not None
        done, perhaps = found.resending.sent, found.resending.perhaps
        more = f", and perhaps {perhaps:,} more, whose commit was under way" if perhaps else ""
        say(f"{done:,} letters were sent{more}; run it again to go on: what was sent is not sent twice")
        raise


def _rehearsed(found: Replay) -> int:
    trial = found.trial
    failing = trial.by_reason
    if trial.letters:
        why = ", ".join(f"{reason} {number:,}" for reason, number in failing.most_common())
        still = f"{failing.total():,} still fail: {why}" if failing else "none still fails"
        print_line(f"{trial.scored:,} of {trial.letters:,} would be scored now; {still}")
    elif found.selection.left_out:
        print_line("no letter is left to be sent")
    for line in _others(found):
        print_line(line)
    _failing(found)
    if not trial.letters and not found.selection.left_out:
        say(nothing_found(found.scan))
    return 0


def _sent(found: Replay) -> int:
    assert found.resending is not None
    resending, trial = found.resending, found.trial
    print_line(f"{resending.sent:,} letters sent to {found.settings.input.topic}")
    for line in _others(found):
        print_line(line)
    if failing := trial.by_reason:
        print_line(f"{failing.total():,} can't be made right, and stay where they are")
        _failing(found)
    for name, words in [*resending.refused.items()][:REFUSED_SHOWN]:
        say(f"{name}: the broker refuses it: {words}")
    if len(resending.refused) > REFUSED_SHOWN:
        say(f"{len(resending.refused):,} letters were refused in all")
    nothing = not resending.sent and bool(trial.letters)
    if not resending.sent and not trial.letters and not resending.refused and not found.selection.left_out:
        say(nothing_found(found.scan))
    return 1 if resending.refused or nothing else 0


def _others(found: Replay) -> Iterator[str]:
    from stream.redrive import LEFT_OUT

    trial = found.trial
    if trial.skipped:
        yield f"{trial.skipped:,} have no value, and would be skipped ([input] null_value)"
    if trial.untried:
        yield f"{trial.untried:,} were not tried: they ended the process that scored them (model_crashed)"
    for why, number in found.selection.left_out.items():
        names = found.selection.strangers.get(why)
        yield f"{number:,} left out: {LEFT_OUT[why]}" + (f": {most(names)}" if names else "")
    if found.workshop is not None and (merged := found.workshop.merged):
        yield f"the repair makes {merged:,} different values one and the same: is that meant?"
    if not found.retention.seen:
        yield (
            f"retention.ms of {found.settings.input.topic} may not be seen (DescribeConfigs): originals that are older"
            " are deleted before a worker reads them"
        )


def _failing(found: Replay) -> None:
    """A line for each reason: how many, the first letter, and what is said of it."""
    for reason, fallen in sorted(found.trial.failing.items(), key=lambda one: -one[1].letters):
        print_line(
            f"  {fallen.letters:>9,}  {short(reason)}, such as {fallen.first}: {short(fallen.message)}"
        )
