"""What the live page must ask others for: how the group shares its input, and the schemas of dead letters' values."""

from __future__ import annotations

import threading
from collections.abc import Callable

from stream.app.worker_parts import Parts
from stream.errors import BrokerRefused, Refused, Retriable
from stream.live import Examination, SeenLetter
from stream.resources import ValueSchemas, opened_schemas
from stream.transport import GroupLayout

__all__ = ["Look"]

LOOK_S = 5.0
"""Between two looks."""


class Look:
    """
    Asks in a thread of its own, every few seconds, while somebody looks; a snapshot takes what is known by then.

    Attributes:
        layout: of the group, as of the last look.
        examined: the values of dead letters that were looked at, by letter.
    """

    def __init__(self, parts: Parts) -> None:
        """
        Args:
            parts: the worker.
        """
        self._parts = parts
        self._end: Callable[[], None] | None = None
        self.layout = GroupLayout()
        self.examined: dict[SeenLetter, Examination] = {}

    def start(self) -> None:
        """Somebody looks. Does not block."""
        over = threading.Event()
        self._end = over.set
        threading.Thread(target=self._run, args=(over,), name="live page's look", daemon=True).start()

    def stop(self) -> None:
        """Nobody looks any longer; an answer that is awaited is not waited for."""
        if self._end is not None:
            self._end()
        self.layout = GroupLayout()

    def _run(self, over: threading.Event) -> None:
        while not over.is_set():
            self.examine()
            self._ask(over)
            over.wait(LOOK_S)

    def _ask(self, over: threading.Event) -> None:
        settings = self._parts.settings
        layout = self._parts.cluster.layout(settings.kafka.group, settings.input.topic)
        if not over.is_set():
            self.layout = layout

    def examine(self) -> None:
        """Decode the dead letters that were not looked at yet, as far as that goes; forget those that are gone."""
        letters = list(self._parts.tally.seen.letters)
        known = {letter: found for letter, found in self.examined.items() if letter in letters}
        new = [letter for letter in letters if letter.is_whole and letter not in known]
        if new:
            try:
                with opened_schemas(self._parts.settings) as schemas:
                    known |= {letter: _examined(schemas, letter) for letter in new}
            except (Refused, Retriable, BrokerRefused):
                pass  # the registry is away, or a version is being put in place: at the next look
        self.examined = known


def _examined(schemas: ValueSchemas, letter: SeenLetter) -> Examination:
    """A letter's value, with the schema that it names."""
    assert letter.value is not None
    found = schemas.examined(letter.value, letter.headers or ())
    return Examination(found.fields, found.byte)
