"""
Runs that are done once: a key names the work, and an output folder has one run of each key.

A scheduler that starts a command again cannot know whether the first one was killed before or after its run was
published, or whether it is still at work on another machine. The key's lock is held from the look for a finished run
until the new one is published; of two attempts the second waits, and then finds what the first one did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from stream.batch.record import RunRecord, past_runs
from stream.lock_file import key_lock

__all__ = ["key_held", "new_files_held", "run_of_key"]

_NEW_FILES = ""
"""The key of whoever scores what is new: no work is called so."""


def run_of_key(output: Path, key: str) -> RunRecord | None:
    """
    Args:
        output: the folder of all runs; it need not exist.
        key: of the work.
    Returns: the published run of that key, or None.
    Raises: SampleError naming a record that can't be read.
    """
    return next((record for record in reversed(past_runs(output)) if record.key == key), None)


@contextmanager
def key_held(
    output: Path, key: str, waiting: Callable[[], None] = lambda: None
) -> Iterator[RunRecord | None]:
    """
    Keep a key to this process, until the block ends or the process does.

    Args:
        output: the folder of all runs; created if it doesn't exist.
        key: of the work.
        waiting: called once if another process holds the key.
    Yields: the run of that key that is published, or None.
    Raises: SettingsError when no file can be created in the output; SampleError from a record.
    Blocks: while another process holds the key, without limit.
    """
    with key_lock(output, key, f"--output {output}", waiting):
        yield run_of_key(output, key)


@contextmanager
def new_files_held(output: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """
    Keep the choice of files that no run has scored to this process, until its own run is published.

    Two that choose at once would both score the same files.

    Args:
        output: the folder of all runs; created if it doesn't exist.
        waiting: called once if another process has it.
    Raises: SettingsError when no file can be created in the output.
    Blocks: while another process has it, without limit.
    """
    with key_lock(output, _NEW_FILES, f"--output {output}", waiting):
        yield
