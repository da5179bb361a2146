"""What every process of a run is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from stream.batch.input_files import Input
from stream.store import Package

__all__ = ["Job", "Opener"]

Opener: TypeAlias = Callable[[], Package]
"""Opens the model's version in the process that calls it; can be pickled."""


@dataclass(frozen=True, slots=True)
class Job:
    """
    What every process of a run is told; can be pickled.

    Attributes:
        opener: for the model.
        inputs: the files, by their numbers in the spans.
        folder: of the parts; a path that every process can write.
        format: the name of the parts' format.
        base: the folder that relative paths of inputs count from; empty for the process's own.
    """

    opener: Opener
    inputs: tuple[Input, ...]
    folder: str
    format: str
    base: str = ""
