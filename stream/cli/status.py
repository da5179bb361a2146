"""`stream status`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from stream.cli.options import SECONDS, config_option, json_option, settings_of
from stream.cli.terminal import as_json, print_data, print_line, print_table, say

__all__ = ["status"]


@click.command()
@config_option
@click.option(
    "--worker", "workers", multiple=True, metavar="URL", help="A worker's web address; may be repeated."
)
@click.option(
    "--over",
    type=SECONDS,
    default=1.0,
    show_default=True,
    help="Seconds over which the rate is measured.",
)
@json_option
def status(config: Path | None, workers: tuple[str, ...], over: float, json_out: bool) -> int:
    """
    Show lag per partition, rate, model and dead letters of a running group.

    Lag, rate and the number of dead letters come from the cluster; model, reasons, and what follows about each worker
    (its age of what waits, speed, latency, time per stage, commits) from the workers' webs (default: [web] host and
    port of the configuration). The cluster counts dead letters by offsets. The end of
    each transaction takes an offset too, so under exactly-once the count is an upper bound ("at most"); the
    workers' own counts are exact since they started. Exit 1 when a worker named with --worker does not answer, or
    something else answers in a worker's place.

    \b
    Example:
      stream status --worker http://127.0.0.1:6066 --worker http://127.0.0.1:6067
    """
    from stream.tasks import observe_group, statuses, summary_of

    settings = settings_of(config)
    group = observe_group(settings, over)
    answers, silent = statuses(settings, workers)
    rate = round(group.records_per_second, 1)
    models = sorted({str(answer["model"]) for answer in answers})
    most = "at most " if group.dead_letters else ""
    if json_out:
        print_data(
            as_json(
                {
                    "group": group.group,
                    "lag": group.lag,
                    "consumable_lag": sum(partition.consumable for partition in group.partitions),
                    "records_per_second": rate,
                    "dead_letters": group.dead_letters,
                    "models": models,
                    "partitions": [asdict(p) for p in group.partitions],
                    "workers": answers,
                }
            )
        )
    else:
        print_line(
            f"group {group.group}: lag {group.lag}, {rate:g} records/s, {most}{group.dead_letters} dead letters, "
            f"model {', '.join(models) or 'unknown'}"
        )
        columns = ("partition", "committed", "end", "lag")
        print_table([{name: getattr(partition, name) for name in columns} for partition in group.partitions])
        for answer in answers:
            counts = answer["dead_letters"]["by_reason"].items()
            reasons = ", ".join(f"{count} {reason}" for reason, count in counts) or "none"
            print_line(f"worker {answer['instance']}: {answer['state']}, dead letters by reason: {reasons}")
            for line in summary_of(answer):
                print_line(f"  {line}")
    for note in (note for partition in group.partitions for note in (partition.doubt, partition.held_back)):
        if note:
            say(note)
    for each in silent:
        say(each.reason)
    return 1 if any(workers or each.answered for each in silent) else 0
