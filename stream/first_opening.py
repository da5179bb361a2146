"""
A child process that opens a version of a model before this process does; this end is the parent's.

Not everything that a model holds can be checked before it is asked. One that ends the process that opens it, never
comes back, or takes all memory, does so in the child (`stream.store.opening_child`), and is refused:

    parent                                child
    ask: what to open, as JSON     ──→    limits its memory; opens the version, step by step
    imports what it needs besides  ←──    {"passed": "hash", …}: says which steps it has passed
    check: waits for the verdict   ←──    {"refused": null}: ends
    opens the version itself

At the start of a process, which has no threads yet, the child is a copy of it: what a model needs is imported once, and
opening the version costs what it takes alone. Later, when a version is reloaded and nobody waits, and where a process
can't be copied, it is a new interpreter, whose imports take a second; `begin` starts that one beforehand. Nothing that
a child says is unpickled.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TypeAlias

from stream.child_python import (
    Child,
    ForkedCopy,
    NewInterpreter,
    can_be_forked,
    child_command,
    child_environ,
    how_it_ended,
)
from stream.child_verdict import Verdict, hear
from stream.errors import PackageError, Retriable

__all__ = ["Asked", "FirstOpening"]

_STOPPED = "the process is about to end: nothing is opened any more"

_GRACE_S = 5.0
"""For a child that has closed its end to end by itself; the system may need a moment for a large one."""

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
        engine: what is to answer for few rows: `auto` or `sklearn`.
    """

    folder: str
    sha256: str
    types: tuple[str, ...]
    max_bytes: int
    memory_bytes: int
    timeout_s: float
    engine: str = "sklearn"


Opener: TypeAlias = Callable[[bytes, int], object]
"""What a copy of this process does with its line of JSON, and the number of the file to answer to."""


class FirstOpening:
    """The children of one process, one at a time. All but `stop` are called by one thread, `stop` by any."""

    def __init__(self, command: Sequence[str] = ()) -> None:
        """
        Args:
            command: of every child; the number of the file to write to is added. Ours, where there is none.
        """
        self._command = command
        self._child: Child | None = None
        self._asked: Asked | None = None
        self._deadline = 0.0
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

    @property
    def copies(self) -> bool:
        """Whether the next child is a copy of this process: what it imports before is imported once."""
        return self._child is None and not self._command and can_be_forked()

    def begin(self) -> None:
        """
        Start a child, unless it will be a copy: its imports take as long as this process's own. Calling it is optional.

        Raises: Retriable when the system can't start one.
        """
        if self._child is None and not self.copies:
            self._start(self._interpreter)

    def ask(self, asked: Asked, opener: Opener) -> None:
        """
        Let a child open a version, which goes on while this process does; `check` says what came of it.

        Args:
            asked: which.
            opener: what the child does where it is a copy of this process.
        Raises: Retriable when no child could be started.
        """
        line = json.dumps(asdict(asked) | {"path": sys.path}).encode() + b"\n"
        if self._asked is not None:
            self._end()
        if self.copies:
            self._start(lambda says: ForkedCopy(opener, line, says))
        else:
            if self._child is None:
                self._start(self._interpreter)
            assert isinstance(self._child, NewInterpreter)
            self._child.tell(line)
        self._asked, self._deadline = asked, time.monotonic() + asked.timeout_s

    def check(self, asked: Asked, opener: Opener, witness: Callable[[str, str], None]) -> None:
        """
        Let a child open a version, or wait for the one that was asked to, and hear what came of it.

        Args:
            asked: which.
            opener: as `ask` has it.
            witness: where it is refused, called with each step that it has passed in the child.
        Raises: PackageError with the step that failed, or at which the child ended, and an OSError as its cause where
            the system could not read the version; Retriable when no child could be started, or `stop` ended it.
        Blocks until it has ended, `timeout_s` at most.
        """
        self._checking = True
        try:
            if self._asked != asked:
                self.ask(asked, opener)
            child = self._child
            assert child is not None  # since `ask`
            verdict = hear(self._said, self._deadline, lambda: child.wait(0.0) is not None)
            if verdict.sound:
                return
            said_all = verdict.late or verdict.refused is not None
            code = _code_of(child, 0.0 if said_all else _GRACE_S)
        finally:
            self._end()
            self._checking = False
        if self._stopped:
            raise Retriable(_STOPPED)
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

    def _interpreter(self, says: int) -> Child:
        command = self._command or child_command("stream.store.opening_child")
        return NewInterpreter(command, says, child_environ(os.environ) | dict.fromkeys(_THREADS, "1"))

    def _start(self, start: Callable[[int], Child]) -> None:
        with self._lock:
            if self._stopped:
                raise Retriable(_STOPPED)
            self._said, theirs = os.pipe()
            try:
                self._child = start(theirs)
            except OSError as error:
                os.close(self._said)
                raise Retriable(
                    f"can't start the process that opens a version first: {error.strerror}",
                    hint='let this one have another process and its memory, or set [model] open_timeout to "off"',
                ) from error
            finally:
                os.close(theirs)

    def _end(self) -> None:
        with self._lock:
            child, self._child, self._asked = self._child, None, None
        if child is None:
            return
        os.close(self._said)
        child.kill()
        child.wait()
        child.close()


def _code_of(child: Child, grace_s: float) -> int:
    """How a child ended that says no more; one that does not end by itself is ended."""
    code = child.wait(grace_s)
    if code is None:
        child.kill()
        code = child.wait()
    assert code is not None
    return code


def _ended(asked: Asked, verdict: Verdict, code: int) -> PackageError:
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
    return PackageError(
        f"{asked.folder}: the process that opened it first ended with {how_it_ended(code)}, and so would this one",
        step=verdict.at,
        hint="it is damaged, or was made to do harm: pack the model again where it was trained",
    )
