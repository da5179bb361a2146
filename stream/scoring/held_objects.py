"""Every object that an estimator holds, however deep: its attributes, and what is in its lists, mappings and arrays."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from functools import partial
from types import BuiltinFunctionType, FunctionType, MappingProxyType, MethodType, ModuleType

import numpy as np

__all__ = ["held_objects"]

_PLAIN = (str, bytes, bytearray, int, float, complex, bool, type(None), np.generic, np.dtype, range, slice)
"""Hold nothing."""

_CODE = (type, ModuleType, FunctionType, BuiltinFunctionType)
"""Lead out of the estimator, into whole libraries."""

_SEVERAL = (list, tuple, set, frozenset, deque)


def held_objects(estimator: object) -> Iterator[object]:
    """
    Args:
        estimator: anything; none of its code is called.
    Returns: itself and what it holds, each object once; numbers, texts, functions and classes left out; a bound method
        and a `partial` hold what they were made of. What an object of an extension module keeps outside its attributes
        is not seen, nor what the code of a function refers to.
    """
    seen: set[int] = set()
    kept: list[object] = [estimator]  # an address is an object's own only as long as the object lives
    for item in kept:
        if id(item) in seen:
            continue
        seen.add(id(item))
        yield item
        kept += [each for each in _inside(item) if not isinstance(each, (*_PLAIN, *_CODE))]


def _inside(item: object) -> list[object]:
    """What an object holds itself."""
    found: list[object] = []
    if isinstance(item, _SEVERAL):
        found += item
    elif isinstance(item, dict | MappingProxyType):
        found += [*item.keys(), *item.values()]
    elif isinstance(item, np.ndarray) and item.dtype.kind == "O":
        found += item.ravel().tolist()
    elif isinstance(item, np.ndarray) and item.dtype.hasobject:
        found += [item[name] for name in item.dtype.names or ()]
    elif isinstance(item, MethodType):
        found.append(item.__self__)
    elif isinstance(item, partial):
        found += [item.func, item.args, item.keywords]
    slots = [vars(kind).get("__slots__", ()) for kind in type(item).__mro__]
    names = [name for each in slots for name in ((each,) if isinstance(each, str) else each)]
    found += [getattr(item, name) for name in names if name != "__dict__" and hasattr(item, name)]
    return [*found, *getattr(item, "__dict__", {}).values()]
