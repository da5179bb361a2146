"""
A stranger's model is packed in a process of its own: one that crashes its interpreter, or takes for ever, ends that.

The child's end: `python -m stream.mlflow.packing_child` reads what to do from stdin, and writes JSON to a file.
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stream.child_python import child_command, child_environ, how_it_ended
from stream.errors import PackageError, StreamError
from stream.mlflow.environment import without_access
from stream.mlflow.pull import packed_copy
from stream.store import Trust

__all__ = ["Packing", "main", "packed_apart"]

_ANSWER_BYTES = 1_000_000
"""Of what the child says: a refusal, or some sentences."""


@dataclass(frozen=True, slots=True)
class Packing:
    """
    What is to be packed.

    Attributes:
        folder: of the model, as MLflow saves it.
        out: the package's folder.
        name: of the package.
        version: its number.
        trust: what a skops file may hold.
        trusted: whether whoever wrote the folder is trusted like the owner of a pickle.
    """

    folder: Path
    out: Path
    name: str
    version: int
    trust: Trust
    trusted: bool


def packed_apart(wanted: Packing, timeout_s: float | None) -> Sequence[str]:
    """
    Pack a model folder of MLflow as a package.

    Args:
        wanted: what, and where to.
        timeout_s: that it may take; None = no limit.
    Returns: what is worth saying of it, a sentence each.
    Raises: PackageError, with the step that failed.
    Blocks while it is packed, which runs the model.
    """
    answer = wanted.out.with_name("answer.json")
    command = child_command("stream.mlflow.packing_child", str(answer))
    try:
        done = subprocess.run(
            command,
            input=pickle.dumps((sys.path, wanted)),
            stdout=subprocess.DEVNULL,
            env=child_environ(without_access(os.environ)),
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _refused(wanted, f"packing it took more than {timeout_s:g} s ([model] open_timeout)") from error
    if done.returncode or not answer.is_file() or answer.stat().st_size > _ANSWER_BYTES:
        raise _refused(wanted, f"the process that packed it ended: {how_it_ended(done.returncode)}")
    said = json.loads(answer.read_bytes())
    if "error" in said:
        raise PackageError(said["error"], step=said["step"], hint=said["hint"])
    return [str(each) for each in said["messages"]]


def _refused(wanted: Packing, why: str) -> PackageError:
    return PackageError(
        f"{wanted.folder}: {why}", step="load", hint="pack it with `stream pack`, and push that"
    )


def main(answer: Path) -> None:
    """Do what the input says; a refusal is an answer."""
    sys.path[:], wanted = pickle.load(sys.stdin.buffer)  # of the process that started this one
    try:
        pulled = packed_copy(
            wanted.folder,
            wanted.out,
            name=wanted.name,
            version=wanted.version,
            trust=wanted.trust,
            trusted=wanted.trusted,
        )
        said: dict[str, object] = {"messages": pulled.messages}
    except StreamError as error:
        said = {"error": error.message, "step": getattr(error, "step", ""), "hint": error.hint}
    answer.write_text(json.dumps(said))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
