"""
Faces of rooms that import a module only when one of its names is asked for.

A command must not wait for libraries that it does not use: `stream topics` needs Kafka's client but not Arrow, which
takes a second. Such a face is written as any other, except that its imports are under `if TYPE_CHECKING:`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pkgutil import get_data

__all__ = ["lazy_face"]


def lazy_face(package: str) -> Callable[[str], object]:
    """
    The `__getattr__` (PEP 562) of a package, from the imports in its source.

    Args:
        package: its full name; what it imports by `from … import …` is found when it is asked for. No name may be
            called like a module of the package: the module would be found in its place once it was imported.
    Returns: finds a name. Raises AttributeError for one that the package does not import.
    """

    @cache
    def homes() -> dict[str, str]:
        imports = ast.walk(ast.parse(get_data(package, "__init__.py") or b""))
        return {
            each.name: str(node.module)
            for node in imports
            if isinstance(node, ast.ImportFrom)
            for each in node.names
        }

    def find(name: str) -> object:
        if name not in homes():
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(homes()[name]), name)

    return find
