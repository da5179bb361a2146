"""
Scores records that may kill the interpreter in a child process; this end is the worker's.

The child (`suspect_child`) opens the package again and forks for each part of a batch: a part whose process dies is
halved until the record that kills it stands alone.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable

from stream.child_python import child_command, child_environ, says_something
from stream.errors import Stopped
from stream.records import Batch, Outcome
from stream.settings import Settings

__all__ = ["SuspectScorer"]

BEAT_S = 0.5
"""Between two signs of life while an answer is awaited."""


class SuspectScorer:
    """
    A child process that scores suspects; owned by one thread.

    It starts at once; the first batch waits until the package is open there.
    """

    def __init__(self, settings: Settings, beat: Callable[[], None]) -> None:
        """
        Args:
            settings: the worker's.
            beat: called now and then while an answer is awaited: the loop is alive.
        Raises: Stopped when it can't be started.
        """
        self._beat = beat
        answers, theirs = os.pipe()
        try:
            self._process = subprocess.Popen(
                child_command("stream.app.suspect_child", str(theirs)),
                stdin=subprocess.PIPE,
                stdout=sys.stderr,
                pass_fds=[theirs],
                env=child_environ(os.environ),
            )
        except OSError as error:
            os.close(answers)
            raise Stopped(
                f"the process for suspect records can't be started: {error.strerror or error}",
                hint="look at the limits of open files, processes and memory; a restart tries again",
            ) from error
        finally:
            os.close(theirs)
        self._answers = os.fdopen(answers, "rb")
        self._send(sys.path)
        self._send(settings)

    def process(self, batch: Batch) -> list[Outcome]:
        """
        Score a batch there.

        Returns: one outcome per record, in order; a record that kills its process is a dead letter.
        Raises: Stopped when the other process itself has died.
        Blocks until it has answered: seconds for each guilty record.
        """
        self._send(batch)
        while not says_something(self._answers, BEAT_S):
            self._beat()
        try:
            outcomes: list[Outcome] = pickle.load(self._answers)
        except EOFError:
            raise Stopped(
                f"the process for suspect records has ended with {self._process.wait()}",
                hint="look at its messages above; the records are not lost, a restart tries again",
            ) from None
        return outcomes

    def _send(self, what: object) -> None:
        assert self._process.stdin is not None
        try:
            pickle.dump(what, self._process.stdin)
            self._process.stdin.flush()
        except BrokenPipeError:
            return  # `process` says with which code it ended

    def close(self) -> None:
        """End the other process. Idempotent."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.kill()
            self._process.wait()
            self._process.stdin.close()
            self._answers.close()
