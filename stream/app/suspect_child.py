"""
The child's end of `SuspectScorer`: `python -m stream.app.suspect_child FD` reads from stdin where to look for modules,
settings, then batches, and writes outcomes to FD.

It scores nothing itself: a process is forked for each part of a batch, and threads that the model starts belong to
that process.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from typing import BinaryIO

from stream.child_python import how_it_ended, says_something
from stream.errors import RecordError, class_name
from stream.records import Batch, DeadLetter, Outcome
from stream.resources import build_pipeline, open_configured, writers_of
from stream.settings import Settings
from stream.worker import Process

__all__ = ["main", "score"]

ALONE_S = 30.0
"""For one record; a process that takes longer is ended as if it had died. (A worker counts as stuck after 20 s.)"""

EACH_S = 0.02
"""For each further record of a part: a thousand times what is usual."""


def main(fd: int, source: BinaryIO) -> None:
    """Answer batches until the input ends."""
    sys.path[:] = pickle.load(
        source
    )  # the worker's own: a model's modules may be in the folder where it runs
    settings: Settings = pickle.load(source)
    pipeline = build_pipeline(settings, open_configured(settings), writers_of(settings))
    with os.fdopen(fd, "wb") as answers:
        while True:
            try:
                batch: Batch = pickle.load(source)
            except EOFError:
                return
            pickle.dump(score(pipeline, batch), answers)
            answers.flush()


def score(pipeline: Process, batch: Batch) -> list[Outcome]:
    """
    Score a batch in children.

    Args:
        pipeline: scores; has run no thread in this process.
        batch: n ≥ 1 records.
    Returns: n outcomes, in order.
    """
    found = _in_child(pipeline, batch)
    if isinstance(found, list):
        return found
    if len(batch) == 1:
        return [_guilty(found)]
    middle = len(batch) // 2
    rows = range(len(batch))
    return [*score(pipeline, batch.take(rows[:middle])), *score(pipeline, batch.take(rows[middle:]))]


def _guilty(how: str) -> DeadLetter:
    text = f"the process that scored this record alone ended: {how}"
    return DeadLetter("score", "model_crashed", class_name(RecordError), text)


def _in_child(pipeline: Process, batch: Batch) -> list[Outcome] | str:
    """The outcomes; or how the child that was to find them ended."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with os.fdopen(writing, "wb") as answer:
            pickle.dump(pipeline.process(batch), answer)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        content = _read(answer, ALONE_S + EACH_S * len(batch))
    if content is None:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if content is None:
        return f"no answer within {ALONE_S + EACH_S * len(batch):g} s"
    if status == 0 and content:
        outcomes: list[Outcome] = pickle.loads(content)
        return outcomes
    return how_it_ended(os.waitstatus_to_exitcode(status))


def _read(answer: BinaryIO, timeout_s: float) -> bytes | None:
    """Everything until its end; None when nothing comes within the time-out."""
    parts: list[bytes] = []
    while says_something(answer, timeout_s):
        part = os.read(answer.fileno(), 1 << 16)
        if not part:
            return b"".join(parts)
        parts.append(part)
    return None


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.stdin.buffer)
