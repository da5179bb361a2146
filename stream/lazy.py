"""
Faces of rooms that import a module only when one of its names is asked for.

A command must not wait for libraries that it does not use: `stream topics` needs Kafka's client but not Arrow, which
takes a second. A face made so names everything that its room gives, and costs nothing itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

__all__ = ["lazy_face"]


def lazy_face(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """
    The `__getattr__` (PEP 562) of a package.

    Args:
        package: its full name.
        homes: each name that it gives → the module of the package that defines it. None may be called like a module:
            the module would be found in its place once it was imported.
    Returns: finds a name. Raises AttributeError for one that is not in `homes`.
    """

    def find(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{homes[name]}"), name)

    return find
