"""The worker's end of the process for suspects."""

from __future__ import annotations

import errno
import os
import subprocess

import pytest

from stream.app.suspect_scorer import SuspectScorer
from stream.errors import Stopped
from stream.settings import Settings


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
