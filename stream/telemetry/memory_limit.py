"""How much memory this process may use: the tightest limit of the control groups that it is in."""

from __future__ import annotations

import math
from pathlib import Path

__all__ = ["memory_limit"]

_UNLIMITED = 2**60
"""Version 1 has no word for "none": the largest number of whole pages stands for it."""


def memory_limit(root: Path = Path("/")) -> float:
    """
    The limit in bytes; infinite without one, and where there are no control groups.

    Args:
        root: of the file system.
    Source: control-group-v2 (`memory.max`) and cgroup-v1/memory (`memory.limit_in_bytes`) of the Linux kernel.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text("ascii").splitlines()
    except OSError:
        return math.inf
    found = [math.inf]
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            found += _limits(root / "sys/fs/cgroup", path, "memory.max")
        elif "memory" in controllers.split(","):
            found += _limits(root / "sys/fs/cgroup/memory", path, "memory.limit_in_bytes")
    return min(found)


def _limits(mount: Path, path: str, name: str) -> list[float]:
    """The limits of a group and of those that it is in; within a container only the mount's own may be there."""
    group = mount / path.lstrip("/")
    return [_limit(place / name) for place in (group, *group.parents) if place.is_relative_to(mount)]


def _limit(file: Path) -> float:
    try:
        text = file.read_text("ascii").strip()
    except OSError:
        return math.inf
    return float(text) if text.isdecimal() and int(text) < _UNLIMITED else math.inf
