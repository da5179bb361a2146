"""The transaction's table: every cell of it."""

from __future__ import annotations

import itertools

import pytest

from stream.worker.phases import MOVES, Event, Phase, Phases


@pytest.mark.parametrize(("phase", "event"), list(itertools.product(Phase, Event)))
def test_each_cell_moves_as_the_table_says_or_is_refused(phase: Phase, event: Event) -> None:
    """A pair of the table leads to its phase; any other raises and leaves the phase."""
    phases = Phases()
    phases.now = phase

    if (phase, event) in MOVES:
        assert MOVES[phase, event] is phases.on(event) is phases.now
    else:
        with pytest.raises(ValueError, match=event.name):
            phases.on(event)
        assert phase is phases.now


def test_every_phase_can_be_reached_and_can_end() -> None:
    """From the first phase, events lead everywhere; a stop ends each."""
    reached = {Phase.NEW}
    while new := {to for (at, _), to in MOVES.items() if at in reached} - reached:
        reached |= new

    assert set(Phase) == reached
    assert all((phase, Event.STOPPED) in MOVES for phase in Phase)


def test_nothing_is_sent_while_a_commit_is_under_way_or_unknown() -> None:
    """A transaction opens only where none is open and no outcome is awaited."""
    assert {Phase.READY, Phase.HOLDING} == {at for (at, event) in MOVES if event is Event.OPENED}
