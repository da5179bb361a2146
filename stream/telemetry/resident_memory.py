"""How much memory this process takes, and how much the machine has."""

from __future__ import annotations

import math
import os
from pathlib import Path

__all__ = ["machine_memory", "resident_memory"]


def resident_memory(statm: Path = Path("/proc/self/statm")) -> int:
    """
    What this process takes, in bytes; 0 where the system does not say it.

    Args:
        statm: its file.
    Source: Linux' proc_pid_statm(5); the second number is pages.
    """
    try:
        return int(statm.read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def machine_memory() -> float:
    """What the machine has, in bytes; infinite where the system does not say it."""
    if "SC_PHYS_PAGES" not in getattr(os, "sysconf_names", {}):
        return math.inf
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
