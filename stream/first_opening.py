"""
A child process that opens a version of a model before this process does; this end is the parent's.

Not everything that a model holds can be checked before it is asked. One that ends the process that opens it, never
comes back, or takes all memory, does so in the child (`stream.store.opening_child`), and is refused:

    parent                                child
    begin: starts it                      imports what every model needs, beside the parent's own imports
    check: what to open, as JSON   ──→    limits its memory; opens the version, step by step
           {"passed": "hash", …}   ←──    says which steps it has passed
           {"refused": null}       ←──    ends
    opens the version itself

The child is a new interpreter, never a fork: this process has threads. Nothing that it says is unpickled.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from errno import errorcode

from stream.child_python import child_command, child_environ, says_something
from stream.errors import PackageError, Retriable

__all__ = ["Asked", "FirstOpening"]

_STEPS = ("manifest", "signature", "hash", "load", "golden")
"""As in `stream.store`, which this module does not wait for."""

_STDERR = 2
"""What a model prints while it is opened is no data; `sys.stderr` may be something that is no file."""

_GRACE_S = 5.0
"""For a child that has closed its end to end by itself; the system may need a moment for a large one."""

_SAID_BYTES = 64 * 1024
"""All that a child says; more is not from ours."""

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""A model is asked with one thread; a stack for each core of a large machine would count as its memory."""


@dataclass(frozen=True, slots=True)
class Asked:
    """
    What a child is to open.

    Attributes:
        folder: of the version.
        sha256: of its manifest, which its signature was checked with.
        types: that a `.skops` file may hold.
        max_bytes: of its files together.
        memory_bytes: that opening it may take.
        timeout_s: that opening it may take.
    """

    folder: str
    sha256: str
    types: tuple[str, ...]
    max_bytes: int
    memory_bytes: int
    timeout_s: float


class FirstOpening:
    """The children of one process, one at a time. `begin` and `check` are called by one thread, `stop` by any."""

    def __init__(self, command: Sequence[str] = ()) -> None:
        """
        Args:
            command: of the child; the number of the file to write to is added. Ours, where there is none.
        """
        self._command = command or child_command("stream.store.opening_child")
        self._child: subprocess.Popen[bytes] | None = None
        self._said = -1
        self._lock = threading.Lock()
        self._stopped = self._checking = False

    def __enter__(self) -> FirstOpening:
        return self

    def __exit__(self, *_: object) -> None:
        """No child is left behind: not one that runs, nor one that was never asked anything."""
        self.stop()
        if not self._checking:
            self._end()

    @property
    def stopped(self) -> bool:
        """Whether nothing is opened any more."""
        return self._stopped

    def begin(self) -> None:
        """
        Start a child, whose imports take as long as this process's own. Calling it is optional.

        Raises: Retriable when the system can't start one.
        """
        with self._lock:
            if self._stopped:
                raise Retriable("the process is about to end: nothing is opened any more")
            if self._child is not None:
                return
            self._said, theirs = os.pipe()
            try:
                self._child = subprocess.Popen(
                    [*self._command, str(theirs)],
                    bufsize=0,
                    stdin=subprocess.PIPE,
                    stdout=_STDERR,
                    pass_fds=[theirs],
                    env=child_environ(os.environ) | dict.fromkeys(_THREADS, "1"),
                )
            except OSError as error:
                os.close(self._said)
                raise Retriable(
                    f"can't start the process that opens a version first: {error.strerror}",
                    hint='let this one have another process and its memory, or set [model] open_timeout to "off"',
                ) from error
            finally:
                os.close(theirs)

    def check(
        self,
        asked: Asked,
        witness: Callable[[str, str], None],
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        """
        Let a child open a version.

        Args:
            asked: which.
            witness: where it is refused, called with each step that it has passed in the child.
            meanwhile: called once the child is at work.
        Raises: PackageError with the step that failed, or at which the child ended, and an OSError as its cause where
            the system could not read the version; Retriable when no child could be started, or `stop` ended it.
        Blocks until it has ended, `timeout_s` at most.
        """
        self._checking = True
        try:
            self.begin()
            assert self._child is not None
            deadline = time.monotonic() + asked.timeout_s
            _ask(self._child, asked)
            meanwhile()
            verdict = _verdict(self._said, deadline)
            if verdict.sound:
                return
            said_all = verdict.late or verdict.refused is not None
            code = _code_of(self._child, 0.0 if said_all else _GRACE_S)
        finally:
            self._end()
            self._checking = False
        if self._stopped:
            raise Retriable("the process is about to end: nothing is opened any more")
        for step, found in verdict.passed.items():
            witness(step, found)
        if verdict.refused is not None:
            cause = None if verdict.errno is None else OSError(verdict.errno, os.strerror(verdict.errno))
            raise verdict.refused from cause
        raise _ended(asked, verdict, code)

    def stop(self) -> None:
        """End a child that runs, and start none any more. Idempotent."""
        with self._lock:
            self._stopped = True
            if self._child is not None:
                self._child.kill()

    def _end(self) -> None:
        with self._lock:
            child, self._child = self._child, None
        if child is None:
            return
        os.close(self._said)
        child.kill()
        child.wait()
        if child.stdin is not None:
            child.stdin.close()


def _ask(child: subprocess.Popen[bytes], asked: Asked) -> None:
    """Its input stays open for as long as this process lives: the child ends with it."""
    assert child.stdin is not None
    request = asdict(asked) | {"path": sys.path}
    left = memoryview(json.dumps(request).encode() + b"\n")
    try:
        while left:
            left = left[child.stdin.write(left) :]
    except BrokenPipeError:
        return  # how it ended is seen by whoever waits for its answer


@dataclass(slots=True)
class _Verdict:
    """
    What a child has said.

    Attributes:
        passed: what it found, by step.
        refused: its refusal.
        errno: the system's number of what that comes from; None where it comes from the version.
        sound: whether it came to its end without one.
        late: whether its time ran out before.
    """

    passed: dict[str, str] = field(default_factory=dict)
    refused: PackageError | None = None
    errno: int | None = None
    sound: bool = False
    late: bool = False

    @property
    def at(self) -> str:
        """The step that it did not come to the end of."""
        return next((step for step in _STEPS if step not in self.passed), _STEPS[-1])


def _verdict(said: int, deadline: float) -> _Verdict:
    verdict = _Verdict()
    for line in _lines(said, deadline):
        match _word(line):
            case {"passed": str(step), "found": str(found)}:
                verdict.passed[step] = found
            case {"refused": None}:
                verdict.sound = True
                return verdict
            case {"refused": {"message": str(message), "step": str(step), "hint": str(hint)}, **rest}:
                number = rest.get("errno")
                verdict.refused = PackageError(message, step=step, hint=hint)
                verdict.errno = number if isinstance(number, int) and number in errorcode else None
                return verdict
            case _:
                return verdict  # not from ours: a model wrote it
    verdict.late = time.monotonic() >= deadline
    return verdict


def _word(line: bytes) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _lines(said: int, deadline: float) -> Iterator[bytes]:
    """Until the child ends, says too much, or time runs out."""
    rest, left = b"", _SAID_BYTES
    while left > 0 and says_something(said, max(0.0, deadline - time.monotonic())):
        part = os.read(said, left)
        if not part:
            return
        left -= len(part)
        *lines, rest = (rest + part).split(b"\n")
        yield from lines


def _code_of(child: subprocess.Popen[bytes], grace_s: float) -> int:
    """How a child ended that says no more; one that does not end by itself is ended."""
    try:
        return child.wait(grace_s)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait()


def _ended(asked: Asked, verdict: _Verdict, code: int) -> PackageError:
    if verdict.late:
        return PackageError(
            f"{asked.folder}: opening it did not come to an end within {asked.timeout_s:g} s",
            step=verdict.at,
            hint="if it needs longer, raise [model] open_timeout",
        )
    if code == -signal.SIGKILL:
        return PackageError(
            f"{asked.folder}: the process that opened it first was killed, probably for the memory that it took",
            step=verdict.at,
            hint="look at what the model holds, or give the machine more memory",
        )
    how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    return PackageError(
        f"{asked.folder}: the process that opened it first ended with {how}, and so would this one",
        step=verdict.at,
        hint="it is damaged, or was made to do harm: pack the model again where it was trained",
    )
