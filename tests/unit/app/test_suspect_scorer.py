"""The worker's end of the process for suspects."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stream.app.suspect_scorer import SuspectScorer
from stream.errors import Stopped
from stream.settings import Settings
from stream.testing import batch_of


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EAGAIN, errno.ENOMEM])
def test_process_that_cannot_be_started_is_an_end_with_a_reason(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a bug's traceback; its pipe is closed again."""

    def full(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(subprocess, "Popen", full)
    first = os.dup(0)
    os.close(first)

    with pytest.raises(Stopped, match=os.strerror(number)):
        SuspectScorer(Settings(), lambda: None)

    again = os.dup(0)
    os.close(again)
    assert first == again


ECHO = """
import os, pickle, sys
answer = pickle.load(sys.stdin.buffer)
os.write(int(sys.argv[1]), pickle.dumps(answer))
"""


def test_child_is_told_where_the_worker_looks_for_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First of all: a model's own module may be in the folder that the worker was started in, or on its path."""
    monkeypatch.setattr(
        "stream.app.suspect_scorer.child_command", lambda _, fd: [sys.executable, "-S", "-c", ECHO, fd]
    )
    monkeypatch.syspath_prepend(tmp_path)
    expected = list(sys.path)

    scorer = SuspectScorer(Settings(), lambda: None)
    found: object = scorer.process(batch_of([b"x"]))
    scorer.close()

    assert expected == found
