"""The engine's life as one table: which state may follow which. One owner: the engine's thread."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

__all__ = ["MOVES", "Life", "State"]


class State(Enum):
    """Where the engine is in its life."""

    NEW = "new"
    """Built, nothing started."""
    WAITING = "waiting"
    """Looking for the broker and the topics."""
    JOINING = "joining"
    """Subscribed, no partition yet."""
    RUNNING = "running"
    """Reading, scoring, writing."""
    STOPPING = "stopping"
    """Asked to stop: finishes, commits, leaves the group."""
    STOPPED = "stopped"
    """Ended as asked; everything read is committed."""
    FAILED = "failed"
    """Ended by an error; what is not committed is read again by whoever comes next."""


MOVES: Mapping[State, frozenset[State]] = {
    State.NEW: frozenset({State.WAITING}),
    State.WAITING: frozenset({State.JOINING, State.STOPPING, State.FAILED}),
    State.JOINING: frozenset({State.RUNNING, State.STOPPING, State.FAILED}),
    State.RUNNING: frozenset({State.JOINING, State.STOPPING, State.FAILED}),
    State.STOPPING: frozenset({State.STOPPED, State.FAILED}),
    State.STOPPED: frozenset(),
    State.FAILED: frozenset(),
}
"""Per state, the states that may follow; staying is always allowed."""


class Life:
    """Holds the state; refuses a move that the table does not have."""

    def __init__(self) -> None:
        self.state = State.NEW

    def move(self, to: State) -> None:
        """
        Go on to another state.

        Raises: ValueError for a move that is not in MOVES (a bug, never data).
        """
        if to is not self.state and to not in MOVES[self.state]:
            raise ValueError(f"the engine can't go from {self.state.value} to {to.value}")
        self.state = to
