"""Scoring in children that may die."""

from __future__ import annotations

import os
import pickle
import signal
import sys
from importlib import import_module
from io import BytesIO
from pathlib import Path

import pytest

from stream.app import suspect_child
from stream.records import Batch, DeadLetter, Outcome
from stream.settings import Settings
from stream.store import Package
from stream.testing import batch_of


class Deadly:
    """Dies in its own way over some values."""

    name = "deadly@1"

    def process(self, batch: Batch) -> list[Outcome]:
        """One outcome per record, if it gets there."""
        for value in batch.values:
            if value == b"killed":
                os.kill(os.getpid(), signal.SIGKILL)
            if value == b"exit":
                os._exit(0)
            if value == b"hang":
                signal.pause()
        return list(batch.values)


@pytest.mark.parametrize(("value", "said"), [(b"killed", "SIGKILL"), (b"exit", "exit code 0")])
def test_guilty_record_is_found_among_sound_ones(value: bytes, said: str) -> None:
    """It is a dead letter that says how it ended; all others are scored, in order."""
    values: list[bytes | None] = [b"%d" % i for i in range(20)]
    values[13] = value

    outcomes = suspect_child.score(Deadly(), batch_of(values))

    letter = outcomes.pop(13)
    assert isinstance(letter, DeadLetter)
    assert ("score", "model_crashed") == (letter.stage, letter.reason)
    assert said in letter.message
    assert [v for v in values if v != value] == outcomes


def test_sound_batch_is_scored_at_once() -> None:
    """Without a crash no record is searched for."""
    assert [b"a", b"b"] == suspect_child.score(Deadly(), batch_of([b"a", b"b"]))


def test_record_that_hangs_is_guilty_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a supervisor would kill worker after worker over the same record."""
    monkeypatch.setattr(suspect_child, "ALONE_S", 0.3)

    outcomes = suspect_child.score(Deadly(), batch_of([b"a", b"hang"]))

    assert b"a" == outcomes[0]
    assert isinstance(outcomes[1], DeadLetter)
    assert "no answer" in outcomes[1].message


def test_model_whose_module_only_the_worker_finds_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The child looks where the worker does, before it opens anything."""
    (tmp_path / "only_the_workers.py").write_text("found = True")
    here = list(sys.path)
    monkeypatch.setattr(sys, "path", here)
    seen: list[object] = []

    def open_it(settings: Settings) -> Package:
        seen.append(import_module("only_the_workers").found)
        raise StopIteration

    monkeypatch.setattr(suspect_child, "open_configured", open_it)
    told = pickle.dumps([*here, str(tmp_path)]) + pickle.dumps(Settings())

    with pytest.raises(StopIteration):
        suspect_child.main(-1, BytesIO(told))

    assert [True] == seen
