"""What the workers need, sampled."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.acceptance.process import Worker

__all__ = ["Sample", "look", "summary"]


@dataclass(frozen=True)
class Sample:
    """
    Attributes:
        at_s: seconds since the start.
        life_s: the worker's age.
        memory_mb: resident.
        descriptors: open files.
    """

    at_s: float
    life_s: float
    memory_mb: float
    descriptors: int


def look(worker: Worker, at_s: float, life_s: float) -> Sample | None:
    """One worker now; None when it has ended meanwhile."""
    folder = Path(f"/proc/{worker.pid}")
    try:
        status = (folder / "status").read_text()
        descriptors = len(list((folder / "fd").iterdir()))
    except OSError:
        return None
    if "VmRSS:" not in status:
        return None
    return Sample(at_s, life_s, int(status.split("VmRSS:")[1].split()[0]) / 1024, descriptors)


def summary(samples: list[Sample], settled_s: float = 30.0) -> dict[str, Any]:
    """
    Of workers that have settled: memory and descriptors in the first and in the last third of the run.

    Args:
        samples: of all workers.
        settled_s: age from which a worker counts.
    """
    old = [sample for sample in samples if sample.life_s >= settled_s]
    if not old:
        return {}
    end = max(sample.at_s for sample in old)
    first = [sample for sample in old if sample.at_s <= end / 3] or old
    last = [sample for sample in old if sample.at_s >= 2 * end / 3]
    return {
        "memory_mb_first": round(max(sample.memory_mb for sample in first)),
        "memory_mb_last": round(max(sample.memory_mb for sample in last)),
        "descriptors_first": max(sample.descriptors for sample in first),
        "descriptors_last": max(sample.descriptors for sample in last),
    }
