"""A contestant's name, and what it says: which program, with which settings, on how many partitions, how many times."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["PARTITIONS", "Entry", "entry_of", "is_worker"]

PARTITIONS = 4
"""Of a topic whose contestant's name says nothing else."""

_NAME = re.compile(
    r"(?:(?P<worker>worker)(?:-(?P<batch>[1-9][0-9]*))?(?P<alo>-alo)?|(?P<program>loop-transactions|loop-plain|loop|copy|hop|faust-take|faust))"
    r"(?:-p(?P<partitions>[1-9][0-9]*))?(?:-x(?P<processes>[1-9]))?"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """
    One contestant.

    Attributes:
        program: worker, loop, loop-transactions, loop-plain, copy, hop, faust or faust-take.
        batch: `[batching] max_records`; None = the default. The worker's alone.
        at_least_once: the worker's guarantee, where it is not exactly-once.
        partitions: of its input and of its output topic.
        processes: how many of it share the input, in one group.
    """

    program: str
    batch: int | None = None
    at_least_once: bool = False
    partitions: int = PARTITIONS
    processes: int = 1

    @property
    def is_worker(self) -> bool:
        """Whether it is `stream worker`."""
        return self.program == "worker"


def entry_of(name: str) -> Entry:
    """
    What a name says.

    Args:
        name: worker, worker-alo, worker-N, worker-N-alo, or one of the programs; after it `-pN` for topics of N
            partitions, and `-xN` for N processes: worker-p64, worker-alo-x2.
    Raises: ValueError for a name that no contestant has.
    """
    found = _NAME.fullmatch(name)
    if found is None:
        raise ValueError(f"no contestant is called {name!r}")
    return Entry(
        found["worker"] or found["program"],
        int(found["batch"]) if found["batch"] else None,
        found["alo"] is not None,
        int(found["partitions"] or PARTITIONS),
        int(found["processes"] or 1),
    )


def is_worker(name: str) -> bool:
    """Whether a contestant of this name is `stream worker`."""
    found = _NAME.fullmatch(name)
    return found is not None and found["worker"] is not None
