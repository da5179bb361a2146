"""What a process sets for itself while an engine works in it: garbage, threads, memory."""

from __future__ import annotations

import ctypes
import gc
import sys

__all__ = ["set_up_process"]

GARBAGE_AFTER = 200_000
"""
New objects before a garbage collection; Python's default of 700 means three collections a batch. Outcomes are
freed by reference counting: only what refers to itself, a few objects a batch, waits for the collector.
"""

SWITCH_S = 0.0005
"""
How long a thread keeps the interpreter while another waits for it; Python's default is 5 ms. The thread that ends
transactions needs it after every answer of a broker, and the loop waits for that thread; the event loop answers
sooner, too.
"""

OWN_MAPPING_BYTES = 1024**2
"""
What is as large as that gets pages of its own, which go back to the system when it is freed. A broker's answers have
up to 16 MiB; glibc would learn from them to keep such memory in its heaps, where a small neighbour that stays on
keeps all of it: with values of 100 kB on 64 partitions 570 MiB after three minutes, and 490 so.
"""

KEPT_FREE_BYTES = 16 * 1024**2
"""Free at the end of a heap before it shrinks; glibc's default, once the other is set, is 128 kB."""

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
"""Of glibc's malloc.h."""


def set_up_process() -> None:
    """Once what the engine needs is loaded, and before it begins."""
    _tend_garbage()
    sys.setswitchinterval(SWITCH_S)
    _give_back_memory()


def _tend_garbage() -> None:
    """
    Leave what is loaded by now out of every later garbage collection.

    Each batch makes thousands of objects, so full collections are frequent, and each would walk the million
    objects of scikit-learn, pandas and the model, which stay for good: a fifth of the engine's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER)


def _give_back_memory() -> None:
    """Of glibc; other C libraries have neither the function nor the habit, another allocator takes no notice."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, OWN_MAPPING_BYTES)
        mallopt(_M_TRIM_THRESHOLD, KEPT_FREE_BYTES)
