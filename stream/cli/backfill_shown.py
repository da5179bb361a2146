"""`stream backfill`: what it prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.cli.letter_shown import instant
from stream.cli.terminal import as_json, print_data, print_line, print_table, say, short

if TYPE_CHECKING:
    from stream.backfill import Backfill, Forecast, Scene

__all__ = ["counts", "say_done", "say_forecast", "say_scene"]


def say_scene(scene: Scene) -> None:
    """What should be known before it begins."""
    settings, topic = scene.settings, scene.target.output.topic
    for remark in scene.remarks:
        say(remark)
    if scene.plan is not None:
        say(f"it was begun at {instant(scene.plan.made_ms)}; the range is what it was then")
    if topic == settings.output.topic:
        say(f"{topic} is the live output topic: its readers see these predictions beside the live ones")
    for name in scene.missing:
        say(f"topic {name} is not there: a backfill makes it")


def counts(found: Backfill) -> str:
    """What this process committed."""
    more = f", {found.skips:,} skipped" if found.skips else ""
    return f"{found.predictions:,} predictions and {found.dead_letters:,} dead letters{more} by this process"


def say_done(scene: Scene, found: Backfill | None, *, json_out: bool) -> None:
    """
    The end.

    Args:
        scene: what there was before.
        found: this process's share; None = it was finished before.
        json_out: for programs.
    """
    if json_out:
        extents = scene.extents if found is None else found.plan.extents
        own = {
            "predictions": found.predictions if found else 0,
            "dead_letters": found.dead_letters if found else 0,
            "skips": found.skips if found else 0,
        }
        offsets = {str(index): [each.start, each.end] for index, each in extents.items()}
        print_data(as_json({"finished": True, **_about(scene), "offsets": offsets, **own}))
    elif found is None:
        print_line(f"done, at {instant(scene.finished_ms)}: {_words(scene)}")
    else:
        print_line(f"done: {_words(scene)}")
        print_line(counts(found))
    if found and found.dead_letters:
        say(f"dead letters are on {scene.target.dead_letters.topic}")


def say_forecast(scene: Scene, found: Forecast, *, json_out: bool) -> None:
    """What would be done."""
    rows: list[dict[str, object]] = [
        {"partition": index, "from": extent.start, "to": extent.end, "left": found.left[index]}
        for index, extent in scene.extents.items()
    ]
    if json_out:
        state = {"finished": scene.finished_ms is not None, "begun": scene.plan is not None}
        tried = {"tried": found.tried, "scored": found.scored, "failing": dict(found.failing)}
        speed = {"per_second": round(found.per_second)}
        print_data(as_json({**state, **_about(scene), "partitions": rows, **tried, **speed}))
        return
    print_line(_words(scene))
    print_table(rows)
    print_line(f"at most {found.offsets:,} records: removed ones and ends of transactions have offsets too")
    if found.tried:
        failing = found.failing
        why = "".join(f"; {short(reason)} {number:,}" for reason, number in failing.most_common())
        print_line(f"{found.scored:,} of the first {found.tried:,} would be scored{why}")
        print_line(f"about {found.per_second:,.0f} records a second here, without the broker's part")


def _words(scene: Scene) -> str:
    wish, model = scene.wish, scene.package.manifest.model
    return f"{scene.settings.input.topic} from {wish.start} to {wish.end} by {model} into {scene.target.output.topic}"


def _about(scene: Scene) -> dict[str, object]:
    return {
        "input": scene.settings.input.topic,
        "output": scene.target.output.topic,
        "dead_letters_topic": scene.target.dead_letters.topic,
        "model": scene.package.manifest.model,
    }
