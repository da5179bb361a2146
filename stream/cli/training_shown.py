"""A training's outcome as the command line shows it: lines for people, a JSON object."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from stream.cli.terminal import say

if TYPE_CHECKING:
    from stream.training import Done, Job, Tracked, Trained

__all__ = ["say_training", "training_entry"]


def say_training(job: Job, done: Done) -> None:
    """For people: notes, metrics, the verdict, and where everything is."""
    for message in (
        *done.trained.findings,
        *done.trained.notes,
        *(done.packed.messages if done.packed else ()),
    ):
        say(message)
    for line in _lines(done.trained):
        say(line)
    if done.compared is not None:
        say(done.compared.sentence)
        if done.compared.caveat:
            say(f"note: {done.compared.caveat}")
    elif job.compare:
        say(f"compared with nothing: {job.request.folder} has no version yet")
    if done.packed is not None:
        path = done.packed.package.path
        say(f"packed {done.packed.package.manifest.model} into {path}")
        if done.card is not None:
            say(f"model card: {path / 'card.html'}")


def _lines(trained: Trained) -> Iterator[str]:
    for name, value in trained.figures.items():
        ends = trained.intervals.get(name)
        yield f"{name:>20}  {value:.4f}" + (f"  ({ends[0]:.4f} – {ends[1]:.4f})" if ends else "")
    for name, fact in trained.facts.items():
        yield f"{name:>20}  {fact:.4f}" if isinstance(fact, float) else f"{name:>20}  {fact}"


def training_entry(job: Job, done: Done, run: Tracked | None) -> dict[str, object]:
    """All of it, as JSON has it; docs/training.md lists the keys."""
    package = done.packed.package if done.packed else None
    return {
        "package": str(job.request.folder),
        "name": job.recipe.name,
        "version": package and package.manifest.version,
        "params": {**job.recipe.fixed, **done.trained.params},
        "metrics": done.trained.metrics,
        "intervals": done.trained.intervals,
        "comparison": done.compared and asdict(done.compared),
        "card": str(package.path / "card.html") if package and done.card is not None else None,
        "found": False,
        "run": None if run is None else {**run.facts, "url": run.log.begun.url, "lost": run.lost},
    }
