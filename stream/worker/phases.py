"""
The life of a transaction as one table: what may happen in which phase, and what follows.

One owner: the engine's thread, through `ExactlyOnce`. What is not in the table is a bug, and raises.
`docs/guarantees.md` draws its diagram from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

__all__ = ["MOVES", "Event", "Phase", "Phases"]


class Phase(Enum):
    """Where the producer and its transaction are."""

    NEW = "new"
    """The transactional id is not taken yet."""
    READY = "ready"
    """No transaction is open, nothing waits to be sent again."""
    OPEN = "open"
    """In a transaction: outputs are being sent."""
    COMMITTING = "committing"
    """Outputs, offsets and the commit are awaited in the background; nothing is sent meanwhile."""
    ABORTING = "aborting"
    """The transaction can't be committed, or has records of partitions that are lost."""
    HOLDING = "holding"
    """No transaction is open; records of an aborted one are in hand and wait to be sent again."""
    UNSURE = "unsure"
    """Whether the transaction was committed is not known, or the producer can't be used any longer."""
    FENCED = "fenced"
    """Another worker has this one's transactional id."""
    ENDED = "ended"
    """The worker has stopped; the end of an open transaction is left to the broker or to the next producer."""


class Event(Enum):
    """What happens to it."""

    STARTED = "transactional id taken"
    """Every older producer of it is fenced, its last transaction ended, and the offsets are read."""
    OPENED = "first output"
    ENDING = "span due"
    """Drained, old or large enough: its offsets are added, and its outputs are awaited."""
    COMMITTED = "committed"
    FAILED = "abort required"
    """An output was refused or not delivered in time, the group has moved on, or a call asked for it."""
    LOST = "partitions lost"
    """They belong to others already."""
    ABORTED = "aborted"
    DOUBTED = "outcome unknown"
    """No answer to a commit or an abort, or a fatal error of the client."""
    EMPTIED = "nothing in hand"
    """The records in hand went with their partitions, or the offsets say that they were committed."""
    TWIN = "fenced while young"
    """A newer producer of this transactional id, and not the broker's time-out."""
    STOPPED = "stopped"


MOVES: Mapping[tuple[Phase, Event], Phase] = {
    (Phase.NEW, Event.STARTED): Phase.READY,
    (Phase.READY, Event.OPENED): Phase.OPEN,
    (Phase.READY, Event.LOST): Phase.READY,
    (Phase.READY, Event.DOUBTED): Phase.UNSURE,
    (Phase.OPEN, Event.ENDING): Phase.COMMITTING,
    (Phase.OPEN, Event.FAILED): Phase.ABORTING,
    (Phase.OPEN, Event.LOST): Phase.ABORTING,
    (Phase.OPEN, Event.DOUBTED): Phase.UNSURE,
    (Phase.COMMITTING, Event.COMMITTED): Phase.READY,
    (Phase.COMMITTING, Event.FAILED): Phase.ABORTING,
    (Phase.COMMITTING, Event.DOUBTED): Phase.UNSURE,
    (Phase.ABORTING, Event.ABORTED): Phase.HOLDING,
    (Phase.ABORTING, Event.DOUBTED): Phase.UNSURE,
    (Phase.HOLDING, Event.OPENED): Phase.OPEN,
    (Phase.HOLDING, Event.LOST): Phase.HOLDING,
    (Phase.HOLDING, Event.EMPTIED): Phase.READY,
    (Phase.HOLDING, Event.DOUBTED): Phase.UNSURE,
    (Phase.UNSURE, Event.STARTED): Phase.HOLDING,
    (Phase.UNSURE, Event.LOST): Phase.UNSURE,
    (Phase.UNSURE, Event.DOUBTED): Phase.UNSURE,
    (Phase.UNSURE, Event.TWIN): Phase.FENCED,
    **{(phase, Event.STOPPED): Phase.ENDED for phase in Phase if phase not in (Phase.FENCED, Phase.ENDED)},
    (Phase.FENCED, Event.STOPPED): Phase.FENCED,
    (Phase.ENDED, Event.STOPPED): Phase.ENDED,
}
"""Per phase and event, the phase that follows; a pair that is missing can't happen."""


class Phases:
    """Holds the phase; refuses a move that the table does not have."""

    def __init__(self) -> None:
        self.now = Phase.NEW

    def on(self, event: Event) -> Phase:
        """
        Go on.

        Returns: the phase that follows.
        Raises: ValueError for a pair that is not in MOVES (a bug, never data).
        """
        following = MOVES.get((self.now, event))
        if following is None:
            raise ValueError(f"{event.name} can't happen to a transaction that is {self.now.value}")
        self.now = following
        return following
