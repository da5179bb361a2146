"""`stream doctor`."""

from __future__ import annotations

import logging
import os
import socket
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stream.child_python import child_command
from stream.cli.options import config_option, json_option
from stream.cli.terminal import as_json, print_data, print_line, say
from stream.first_opening import FirstOpening

if TYPE_CHECKING:
    from stream.doctor import Case, Diagnosis

__all__ = ["doctor"]

STATES = ("ok", "warn", "fail")


@click.command()
@config_option
@click.option(
    "--bundle",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.zip",
    help="Also write one zip for a bug report: no secrets, no records.",
)
@click.option(
    "--log",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="A worker's log, whose last lines go into the bundle.",
)
@json_option
def doctor(config: Path | None, bundle: Path | None, log: Path | None, json_out: bool) -> int:
    """
    Can this machine really run this stream.toml?

    Looks at broker, login, rights, transactions, topics, group, registry, model, disk, port and clock, within 10 s:
    a line each, ok, warn or fail, with the next step. Where one thing is wrong, what depends on it is not looked at.
    It creates no topic, reads and writes no record and moves no offset; it takes a transactional id of its own.
    Exit 1 with a fail, or where a line did not finish; 2 without a configuration that can be read.

    \b
    Example:
      stream doctor --bundle report.zip
    """
    if bundle is not None and not bundle.absolute().parent.is_dir():
        raise click.BadParameter(f"there is no folder {bundle.absolute().parent}", param_hint="--bundle")
    case, found = _examined(config)
    _show(found, json_out)
    counts = Counter(each.state if each.looked else "not looked at" for each in found)
    say(
        ", ".join(
            f"{counts[state]} {state}"
            for state in (*STATES, "not looked at")
            if state in STATES or counts[state]
        )
    )
    if bundle is not None:
        from stream.doctor import write_bundle

        write_bundle(bundle, case, config, found, log)
        say(f"wrote {bundle}")
    unknown = any(
        not each.looked and not each.waits_for for each in found
    )  # what did not finish may be wrong
    return 2 if case is None else 1 if counts["fail"] or unknown else 0


def _examined(config: Path | None) -> tuple[Case | None, list[Diagnosis]]:
    """What was examined, where the configuration can be read, and a line for each check."""
    from stream.configuration import load_settings
    from stream.deadline import Deadline
    from stream.doctor import ALL_S, unreadable
    from stream.errors import SettingsError

    deadline, place = Deadline.after(ALL_S), _place(config)
    try:
        settings = load_settings(config, os.environ)
    except SettingsError as error:
        return None, [unreadable(error)]
    opening = click.get_current_context().with_resource(
        FirstOpening(child_command("stream.store.opening_child"))
    )
    opening.begin()  # it imports while this process does; no copy of this process, which has threads by then
    from stream.doctor import CHECKS, Case, examine

    # What clients log of their connections is in the lines.
    logging.getLogger("stream").addHandler(logging.NullHandler())
    case = Case(settings, place, socket.gethostname(), deadline, opening)
    return case, examine(case, CHECKS)


def _show(found: Sequence[Diagnosis], json_out: bool) -> None:
    if json_out:
        print_data(as_json([asdict(each) for each in found]))
        return
    for each in found:
        if not each.looked:
            continue
        place = f"{each.looked_at}: " if each.looked_at else ""
        print_line(f"{each.state:<4}  {each.check}: {place}{each.found}")
        if each.next_step:
            print_line(f"      next: {each.next_step}")
    _show_unlooked([each for each in found if not each.looked])


def _show_unlooked(found: Sequence[Diagnosis]) -> None:
    """A line for all that have one cause."""
    for why in dict.fromkeys(each.found for each in found):
        alike = [each for each in found if each.found == why]
        print_line(f"warn  {why}: {', '.join(each.check for each in alike)}")
        if not alike[0].waits_for:
            print_line(f"      next: {alike[0].next_step}")


def _place(config: Path | None) -> str:
    """
    Where the configuration is read from.

    Raises: SettingsError when there is none.
    """
    from stream.errors import SettingsError

    own = [name for name in os.environ if name.startswith("STREAM_") and "__" in name]
    variables = f"{len(own)} STREAM_… variables" if own else ""
    file = config or (Path("stream.toml") if Path("stream.toml").exists() else None)
    if file is None and not own:
        raise SettingsError(
            "no configuration: there is no stream.toml here, and no STREAM_SECTION__KEY in the environment",
            hint="name it with --config FILE, or run the doctor where the worker runs",
        )
    return " and ".join(filter(None, (str(file) if file else "", variables)))
