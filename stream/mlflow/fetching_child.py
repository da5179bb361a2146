"""
A model is fetched in a process of its own, which has a time and a size: a server that sends a byte at a time, or never
stops, ends that process and nothing else.

1. The child is told what to do on its standard input, which stays open: when this process ends, however, it reads the
   end of it, and ends as well.
2. It may write no file that is longer than the server said; the parent looks how much there is altogether.
3. Its answer is a file: what has arrived, or the refusal.

The child's end: `python -m stream.mlflow.fetching_child ANSWER`.
"""

from __future__ import annotations

import contextlib
import math
import os
import pickle
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar, cast

from stream.child_python import child_command, child_environ, how_it_ended
from stream.errors import PackageError, Retriable, StreamError
from stream.mlflow.fetching import Bound, Wanted
from stream.mlflow.fetching_children import CHILDREN

__all__ = ["fetched_apart", "main"]

T = TypeVar("T")

_LOOK_S = 1.0
"""Between two looks at how much has arrived."""

_GRACE_S = 10
"""After its time a child ends by itself, should nobody have ended it."""

_LAST_CHARS = 500
"""Of what a child said that ended without an answer."""

_ANSWER_BYTES = 65_536
"""Room for the answer, which is a page at most."""

_SPARE_BYTES = 1024**3
"""Of memory, beside the largest file: MLflow, and the lists of files that a server sends."""


def fetched_apart(work: Callable[[Wanted, Bound], T], wanted: Wanted) -> T:
    """
    Fetch a model in a child process.

    Args:
        work: `fetch_model` or `fetch_files`.
        wanted: which model, and the folder that it is fetched to; beside it there is room for the answer.
    Returns: what `work` returns.
    Raises: what `work` raises; Retriable when it took longer than `[mlflow] download_timeout`, or the child ended by
        itself; PackageError when there is more than `[model] max_size`; OSError when no process can be started.
    Blocks for that time at most. However it ends, the child has ended then.
    """
    answer, said = wanted.into.with_name("answer"), wanted.into.with_name("said")
    answer.write_bytes(bytes(_ANSWER_BYTES))  # should the disk be full later, it can be told
    with said.open("wb") as errors:
        child = subprocess.Popen(
            child_command("stream.mlflow.fetching_child", str(answer)),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env=child_environ(os.environ),
            start_new_session=True,  # what it starts ends with it
        )
    assert child.stdin is not None
    CHILDREN.add(child)
    try:
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(pickle.dumps((sys.path, work, wanted)))
            child.stdin.flush()
        code = _ended(child, wanted)
    finally:
        CHILDREN.discard(child)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        with contextlib.suppress(BrokenPipeError):
            child.stdin.close()
    if code:
        last = said.read_text(errors="replace").strip()[-_LAST_CHARS:].rpartition("\n")[2]
        raise Retriable(
            f"{_named(wanted)}: the process that fetched it ended: {how_it_ended(code)}{last and f': {last}'}"
        )
    # The child runs this very package, and nothing of the model.
    result, error, cause = pickle.loads(answer.read_bytes())
    if error is not None:
        raise error from cause
    return cast(T, result)


def _named(wanted: Wanted) -> str:
    return str(getattr(wanted.source, "uri", wanted.source))


def _ended(child: subprocess.Popen[bytes], wanted: Wanted) -> int:
    """Its exit code, once it has ended within its time, and with no more than may arrive."""
    limit_s, most_bytes = float(wanted.settings.mlflow.download_timeout), wanted.terms.trust.max_bytes
    deadline = time.monotonic() + limit_s
    while (left := deadline - time.monotonic()) > 0:
        try:
            return child.wait(min(_LOOK_S, left))
        except subprocess.TimeoutExpired:
            if _arrived_bytes(wanted.into) > most_bytes:
                raise PackageError(
                    f"{_named(wanted)}: its files have more than {most_bytes:,} bytes",
                    step="manifest",
                    hint="if it has to be that large, raise [model] max_size",
                ) from None
    raise Retriable(
        f"{_named(wanted)}: fetching it took more than {limit_s:g} s",
        hint="see to the MLflow server and the line to it; if it has to take so long, raise [mlflow] download_timeout",
    )


def _arrived_bytes(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):  # one that is renamed just now
                total += (Path(place) / name).lstat().st_size
    return total


def main(answer: Path) -> None:
    """Fetch what the input says; a refusal is an answer."""
    sys.path[:], work, wanted = pickle.load(sys.stdin.buffer)  # of the process that started this one
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _limit(wanted)
    result = error = cause = None
    try:
        result = work(wanted, _written_at_most)
    except (StreamError, OSError) as raised:
        error = raised
        cause = raised.__cause__ if isinstance(raised.__cause__, OSError) else None
    with answer.open("r+b") as place:
        place.write(pickle.dumps((result, error, cause)))


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.killpg(0, signal.SIGKILL)  # with what MLflow has started


def _limit(wanted: Wanted) -> None:
    """Its time, in case that nobody is there to end it; its memory; and that it is the first to go without memory."""
    signal.alarm(math.ceil(wanted.settings.mlflow.download_timeout) + _GRACE_S)
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    most = wanted.terms.trust.max_bytes + _SPARE_BYTES
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard == resource.RLIM_INFINITY or hard > most:
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))


@contextlib.contextmanager
def _written_at_most(most_bytes: int) -> Iterator[None]:
    """No file of this process, or of one that it starts, gets longer."""
    before, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    lower = most_bytes if hard == resource.RLIM_INFINITY else min(most_bytes, hard)
    resource.setrlimit(resource.RLIMIT_FSIZE, (lower, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, hard))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    sys.stderr.flush()
    os._exit(0)  # MLflow's threads are not waited for
