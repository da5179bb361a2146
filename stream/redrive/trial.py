"""Letters through today's package and schemas, as a worker would score them; nothing is written anywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol

from stream.first_opening import FirstOpening
from stream.records import Batch, DeadLetter, Outcome, Skip
from stream.redrive.header_dialects import StoredLetter
from stream.resources import build_pipeline, open_configured, writers_of
from stream.settings import Settings

__all__ = ["Fallen", "Scores", "Trial", "as_input", "opened_pipeline", "try_letters"]

CRASHED = "model_crashed"
"""The reason of letters that end the process that scores them; they are not tried here."""


class Scores(Protocol):
    """The pipeline of a configuration."""

    def process(self, batch: Batch) -> list[Outcome]:
        """See `stream.pipeline.Pipeline.process`."""


@dataclass(slots=True)
class Fallen:
    """Letters that would fail for one reason: how many, the first, and what is said of it."""

    letters: int
    first: str
    message: str


@dataclass(slots=True)
class Trial:
    """
    What would become of letters today.

    Attributes:
        letters: how many were looked at.
        scored: of those, how many would have a prediction.
        skipped: how many would be skipped, as `[input] null_value` asks.
        failing: the others, by reason.
        untried: how many were not tried: they end the process that scores them.
    """

    letters: int = 0
    scored: int = 0
    skipped: int = 0
    untried: int = 0
    failing: dict[str, Fallen] = field(default_factory=dict)

    def fail(self, stored: StoredLetter, reason: str, message: str) -> None:
        """Take note of a letter that would fail."""
        found = self.failing.setdefault(reason, Fallen(0, stored.name, message))
        found.letters += 1

    @property
    def by_reason(self) -> Counter[str]:
        """How many would fail, by reason."""
        return Counter({reason: found.letters for reason, found in self.failing.items()})


@contextmanager
def opened_pipeline(settings: Settings, opening: FirstOpening | None) -> Iterator[Scores]:
    """
    The configuration's package, opened, and all that a worker does with a record but publishing.

    Args:
        settings: the configuration.
        opening: lets a child process open the package first.
    Raises: Refused; Retriable when the registry does not answer.
    """
    # The prediction's own framing would ask the registry for an id, or register the schema: nobody reads it here.
    quiet = replace(settings, output=replace(settings.output, framing="bare"))
    package = open_configured(settings, opening=opening)
    writers = writers_of(settings)
    try:
        yield build_pipeline(quiet, package, writers)
    finally:
        if writers is not None:
            writers.close()


def as_input(settings: Settings, letters: Sequence[StoredLetter]) -> Batch:
    """Originals as records of the input topic, where they once stood; 0 where that is not known."""
    found = [stored.letter for stored in letters]
    return Batch(
        settings.input.topic,
        [letter.partition or 0 for letter in found],
        [letter.offset or 0 for letter in found],
        [letter.timestamp_ms for letter in found],
        [letter.key for letter in found],
        [letter.value for letter in found],
        [letter.headers for letter in found],
    )


def try_letters(
    settings: Settings, pipeline: Scores, letters: Sequence[StoredLetter], trial: Trial
) -> list[StoredLetter]:
    """
    Score letters together.

    Args:
        settings: the configuration.
        pipeline: its pipeline.
        letters: a worker's batch or less.
        trial: what is found is added to it.
    Returns: those that would not fail.
    Raises: Retriable when the registry does not answer.
    """
    trial.letters += len(letters)
    tried = [stored for stored in letters if stored.letter.reason != CRASHED]
    trial.untried += len(letters) - len(tried)
    sound: list[StoredLetter] = []
    for stored, outcome in zip(tried, pipeline.process(as_input(settings, tried)), strict=True):
        if isinstance(outcome, DeadLetter):
            trial.fail(stored, outcome.reason, outcome.message)
            continue
        sound.append(stored)
        if isinstance(outcome, Skip):
            trial.skipped += 1
        else:
            trial.scored += 1
    return sound
