"""What the live page must ask others for: how the group shares its input, and the schemas of dead letters' values."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import count

from stream.app.worker_parts import Parts
from stream.errors import BrokerRefused, Refused, Retriable
from stream.live import Examination, SeenLetter
from stream.resources import ValueSchemas, opened_schemas
from stream.transport import GroupLayout, GroupWatch

__all__ = ["Look"]

EXAMINE_S = 1.0
"""Between two looks at dead letters: as often as the page is told something."""

ASK_EACH = 5
"""The group is asked for at each fifth of them: that takes a broker's time, too."""


class Look:
    """
    Asks in a thread of its own, every few seconds, while somebody looks; a snapshot takes what is known by then.

    Attributes:
        layout: of the group, as of the last look.
        examined: the values of dead letters that were looked at, by letter.
        letters: the newest ones of that moment, oldest first. They are what the page lists: where hundreds come in a
            second, it would always be others than those that were looked at.
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
        self.letters: Sequence[SeenLetter] = ()

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
        self.letters = ()

    def _run(self, over: threading.Event) -> None:
        settings = self._parts.settings
        with closing(GroupWatch(settings.kafka, settings.input.topic)) as group:
            for turn in count():
                if over.is_set():
                    return
                self.examine()
                if turn % ASK_EACH == 0:
                    self._ask(group, over)
                over.wait(EXAMINE_S)

    def _ask(self, group: GroupWatch, over: threading.Event) -> None:
        layout = group.layout()
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
        self.examined, self.letters = known, letters


def _examined(schemas: ValueSchemas, letter: SeenLetter) -> Examination:
    """A letter's value, with the schema that it names."""
    assert letter.value is not None
    found = schemas.examined(letter.value, letter.headers or ())
    return Examination(found.fields, found.byte)
