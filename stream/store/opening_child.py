"""
The child's end of `stream.first_opening`: opens a version, and writes how far it came.

Where it is a new interpreter, `python -m stream.store.opening_child FD` reads what to open from stdin.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import sys
import threading
from pathlib import Path
from typing import Any, BinaryIO

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from stream.errors import PackageError
from stream.scoring import raised_by
from stream.store.opening import STEPS, open_package
from stream.store.trust import Trust

__all__ = ["answer", "import_usual", "main"]

_TEXT_CHARS = 8_000
"""Longest message that is handed on."""


def import_usual() -> None:
    """Import what nearly every model needs."""
    import sklearn.compose  # noqa: F401


def main(fd: int, source: BinaryIO) -> None:
    """Open one version, and say how that went."""
    import_usual()
    line = source.readline()
    if not line:
        return
    threading.Thread(target=_end_with_parent, args=(source,), daemon=True).start()
    answer(line, fd)


def answer(line: bytes, fd: int) -> None:
    """
    Open one version, and say how that went.

    Args:
        line: what to open, as JSON.
        fd: the file to say it to.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the parent, and that ends this process
    threadpool_limits(1)  # and a copy has its BLAS threads' stacks back before its memory is measured
    with os.fdopen(fd, "wb", buffering=0) as said:

        def say(**word: object) -> None:
            with contextlib.suppress(
                OSError
            ):  # a model may close the file; the parent takes silence for a refusal
                said.write(json.dumps(word).encode() + b"\n")

        try:
            request = json.loads(line)
            sys.path[:] = request["path"]
            _limit(request)
            _open(request, say)
        except PackageError as error:
            refused = {"step": error.step, "message": error.message[:_TEXT_CHARS], "hint": error.hint}
            say(refused=refused, errno=_errno(error))
        else:
            say(refused=None)


def _errno(error: BaseException | None) -> int | None:
    """The system's number of what a refusal comes from; None where it comes from the version."""
    while error is not None and not isinstance(error, OSError):
        error = error.__cause__
    return None if error is None else error.errno


def _open(request: dict[str, Any], say: Any) -> None:
    passed: list[str] = []

    def witness(step: str, found: str) -> None:
        passed.append(step)
        say(passed=step, found=found[:_TEXT_CHARS])

    trust = Trust(types=tuple(request["types"]), max_bytes=request["max_bytes"])
    try:
        open_package(
            Path(request["folder"]),
            trust=trust,
            witness=witness,
            sha256=request["sha256"],
            engine=request["engine"],
        )
    except MemoryError:
        raise _too_large(request, STEPS[len(passed)]) from None
    except PackageError as error:
        if not isinstance(error.__context__, MemoryError):
            raise
        raise _too_large(request, error.step) from None
    except OSError as error:
        text = f"{request['folder']}: opening it raised {type(error).__name__}: {error}"
        raise PackageError(
            text, step=STEPS[len(passed)], hint="see to its disk, or the limit of open files"
        ) from error
    # SIGINT is ignored here, so that a KeyboardInterrupt is the model's own; and nobody else would escape its text.
    except BaseException as error:  # noqa: BLE001
        raised = raised_by(error)
        raise PackageError(
            f"{request['folder']}: opening it raised {raised.exception}: {raised.message}",
            step=STEPS[len(passed)],
            hint="it is damaged, or was made to do harm: pack the model again where it was trained",
        ) from None


def _too_large(request: dict[str, Any], step: str) -> PackageError:
    return PackageError(
        f"{request['folder']}: opening it takes more than {request['memory_bytes']:,} bytes of memory",
        step=step,
        hint="if it has to be that large, raise [model] open_memory",
    )


def _limit(request: dict[str, Any]) -> None:
    """
    What this process may take. It is the first to go where the machine runs out of memory, leaves no image behind, and
    does not outlive its parent by more than its time.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    seconds = int(request["timeout_s"] + 1) * (os.cpu_count() or 1)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    with contextlib.suppress(OSError):  # no such file but on Linux
        Path("/proc/self/oom_score_adj").write_text("1000")
    if sys.platform == "linux":
        taken = _private_bytes() + request["memory_bytes"]
        resource.setrlimit(resource.RLIMIT_DATA, (taken, taken))


def _private_bytes() -> int:
    """Memory that this process has asked for so far; RLIMIT_DATA counts the same."""
    [line] = [
        line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmData")
    ]
    return int(line.split()[1]) * 1024


def _end_with_parent(source: BinaryIO) -> None:
    while os.read(source.fileno(), 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.stdin.buffer)
    sys.stderr.flush()
    os._exit(0)  # the model's own threads, and what it does at exit, are not waited for
