"""What a process leaves behind when it dies over its records."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream.records import Batch, Outcome
from stream.testing import batch_of
from stream.worker import Guarded, Suspects
from tests.unit.worker.rig import Echo


class Here(Echo):
    """Counts what is scored in this process; dies, as far as the note goes, when asked to."""

    def __init__(self) -> None:
        """Of model m@1."""
        super().__init__()
        self.scored = 0

    def process(self, batch: Batch) -> list[Outcome]:
        """One outcome per record."""
        self.scored += len(batch)
        return super().process(batch)


class Apart:
    """The other process."""

    def __init__(self) -> None:
        """Running."""
        self.scored = 0
        self.closed = False

    def process(self, batch: Batch) -> list[Outcome]:
        """One outcome per record."""
        self.scored += len(batch)
        return [b"apart"] * len(batch)

    def close(self) -> None:
        """Ended."""
        self.closed = True


def die_over(folder: Path, batch: Batch) -> None:
    """A process starts, begins with a batch and is never heard of again."""
    Suspects(folder).enter(batch)


def test_nothing_is_suspected_at_first(tmp_path: Path) -> None:
    """A fresh folder knows no deaths."""
    assert not Suspects(tmp_path / "state").concern(batch_of([b"a"]))


def test_one_death_raises_no_suspicion(tmp_path: Path) -> None:
    """A single death may have been a kill -9, so nothing is suspected yet."""
    die_over(tmp_path, batch_of([b"a"]))

    assert not Suspects(tmp_path).concern(batch_of([b"a"]))


def test_two_deaths_over_the_same_records_are(tmp_path: Path) -> None:
    """Everything up to the last of them, of this partition alone."""
    die_over(tmp_path, batch_of([b"a", b"b"]))
    die_over(tmp_path, batch_of([b"a"]))
    suspects = Suspects(tmp_path)

    assert suspects.concern(batch_of([b"b"], first_offset=1))
    assert not suspects.concern(batch_of([b"c"], first_offset=2))
    assert not suspects.concern(batch_of([b"a"], partition=1))


def test_records_that_were_scored_after_all_are_no_suspects(tmp_path: Path) -> None:
    """Two kills with work done in between are two kills."""
    die_over(tmp_path, batch_of([b"a"]))
    survivor = Suspects(tmp_path)
    survivor.enter(batch_of([b"a"]))
    survivor.leave(batch_of([b"a"]))
    die_over(tmp_path, batch_of([b"b"], first_offset=1))

    assert not Suspects(tmp_path).concern(batch_of([b"b"], first_offset=1))


def test_note_that_was_cut_off_does_not_count(tmp_path: Path) -> None:
    """A half-written note is ignored: the process was killed while writing it, not while it was scoring."""
    die_over(tmp_path, batch_of([b"a"]))
    note = tmp_path / "scoring.note"
    note.write_bytes((9).to_bytes(4, "little") + b'{"scorin' + note.read_bytes()[12:])

    assert not Suspects(tmp_path).concern(batch_of([b"a"]))


def test_note_has_the_disk_s_blocks_from_the_start(tmp_path: Path) -> None:
    """A disk that fills up later kills no worker: the file's blocks are allocated when it is created."""
    note = tmp_path / "scoring.note"
    note.touch()

    Suspects(tmp_path)

    assert note.stat().st_size <= 512 * note.stat().st_blocks


def test_suspects_are_scored_elsewhere_and_the_rest_here(tmp_path: Path) -> None:
    """The other process is started once, and ended when the suspects are through."""
    die_over(tmp_path, batch_of([b"a", b"b"]))
    die_over(tmp_path, batch_of([b"a", b"b"]))
    here, apart = Here(), Apart()
    guarded = Guarded(here, Suspects(tmp_path), lambda: apart, 0.0)

    first = guarded.process(batch_of([b"a"]))
    guarded.process(batch_of([b"b", b"c"], first_offset=1))
    last = guarded.process(batch_of([b"d"], first_offset=3))

    assert ([b"apart"], [b"d"]) == (first, last)
    assert (1, 3, True) == (here.scored, apart.scored, apart.closed)


def test_error_of_the_pipeline_is_not_a_death(tmp_path: Path) -> None:
    """An exception that leaves it takes the note out again."""

    class Raises(Echo):
        def process(self, batch: Batch) -> list[Outcome]:
            raise RuntimeError("a bug")

    for _ in range(3):
        guarded = Guarded(Raises(), Suspects(tmp_path), Apart, 0.0)
        with pytest.raises(RuntimeError):
            guarded.process(batch_of([b"a"]))

    assert not Suspects(tmp_path).concern(batch_of([b"a"]))
