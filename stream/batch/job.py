"""What every process of a batch run is told: its job."""

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
        folder: of the run; every process must be able to write to it.
        format: the name of the parts' format.
        base: the folder that relative input paths start from; empty for the process's working directory.
    """

    opener: Opener
    inputs: tuple[Input, ...]
    folder: str
    format: str
    base: str = ""
