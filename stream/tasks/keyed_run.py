"""A batch run that is done once: whether the run of its key that is there already answers the command."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from stream.batch import Plan, RunRecord, key_held, new_files_held
from stream.errors import SettingsError
from stream.settings import Settings
from stream.tasks.file_scoring import BatchOptions, title_of

__all__ = ["answered", "once"]


@contextmanager
def once(
    request: BatchOptions, waiting: Callable[[str], None], *, new_only: bool = False
) -> Iterator[RunRecord | None]:
    """
    Keep to this process what two commands must not do at once: work of the same key, and the choice of new files.

    Args:
        request: whose key it is, if it has one.
        waiting: called with a line when another process has either.
        new_only: whether files that a run has scored are left out.
    Yields: the run of that key that is there already, or None.
    Raises: SettingsError; SampleError from a record.
    Blocks: while another process has either, without limit.
    """
    by_key = f"another process has the key {request.key}: waiting for its end"
    by_files = f"another process scores what is new in {request.output}: waiting for its end"
    with ExitStack() as held:
        finished = None
        if request.key:
            finished = held.enter_context(key_held(request.output, request.key, lambda: waiting(by_key)))
        if new_only and (finished is None or request.replace):
            held.enter_context(new_files_held(request.output, lambda: waiting(by_files)))
        yield finished


def answered(settings: Settings, finished: RunRecord, plan: Plan | None, request: BatchOptions) -> str:
    """
    What to say if a finished run is the answer, and nothing is to be scored.

    Args:
        settings: name the model.
        finished: the run of the command's key.
        plan: what would be scored; None where it does not matter (`--since last`).
        request: the command's.
    Returns: a line; empty where the run is to be replaced.
    Raises: SettingsError when other inputs or another format are asked for and nothing may be replaced; PackageError.
    """
    title = title_of(settings, request)
    others = []
    if plan is not None and _hashes(finished) != sorted(file.sha256 for file in plan.files):
        others.append("other inputs")
    if finished.format != title.format:
        others.append(f"the format {finished.format}")
    newer = finished.manifest_sha256 != title.manifest_sha256
    if request.replace and (others or newer):
        return ""
    if others:
        raise SettingsError(
            f"--run-key {request.key}: run={finished.run} has this key, and was made of {' and '.join(others)}",
            hint="give --replace to score these in its place, or another key to keep both",
        )
    line = f"run={finished.run} has the key {request.key} and is published: nothing is scored again"
    if newer:
        line += f"; it is by {finished.model}, and {title.model} is not the same: --replace scores it again"
    return line


def _hashes(record: RunRecord) -> list[str]:
    return sorted(each.sha256 for each in record.inputs)
