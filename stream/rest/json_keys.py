"""How many keys the largest object of some JSON has: counted in its bytes, before any object is made of it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from stream.rest.allowance import Allowance

__all__ = ["most_keys"]

_OTHERS = bytes(set(range(256)) - set(b"{}:"))
_STEPS = bytes.maketrans(b"{}:", b"\x01\xff\x00")


def most_keys(slices: Iterable[bytes], mine: Allowance) -> int:
    """
    Count keys, object by object, wherever other objects stand between them.

    Args:
        slices: of some JSON, with or without its texts; a colon in a text counts as a key.
        mine: the request's; its clock is looked at between slices.
    Returns: the keys of the object that has most.
    """
    begun: dict[int, int] = {}  # level → keys so far of the object that is open there
    level = most = 0
    for piece in slices:
        mine.check()
        steps = np.frombuffer(piece.translate(_STEPS, _OTHERS), dtype=np.int8)
        if not steps.size:
            continue
        levels = np.cumsum(steps, dtype=np.int32) + level
        level = int(levels[-1])
        stays = steps >= 0
        most = max(most, _count(levels[stays], steps[stays] > 0, begun))
    return most


def _count(levels: npt.NDArray[np.int32], opens: npt.NDArray[np.bool_], begun: dict[int, int]) -> int:
    """
    The keys of the object that has most, in one slice.

    Args:
        levels: (n,), of beginnings of objects and of keys, in order.
        opens: (n,), which are beginnings.
        begun: what the slices before left open; changed to what this one leaves open.
    """
    if not levels.size:
        return 0
    order = np.argsort(levels, kind="stable")  # level by level; in each an object's keys follow its beginning
    levels, opens = levels[order], opens[order]
    first = np.append(True, np.diff(levels) != 0)
    objects = np.cumsum(opens | first) - 1
    keys = np.bincount(objects, weights=~opens).astype(np.int64)
    for start in np.flatnonzero(first & ~opens):
        keys[objects[start]] += begun.get(int(levels[start]), 0)
    for end in np.flatnonzero(np.append(first[1:], True)):
        begun[int(levels[end])] = int(keys[objects[end]])
    return int(keys.max())
