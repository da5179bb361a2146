"""Tests reach no private name and borrow nothing from each other; rooms are used through their faces."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

OURS = {"benchmarks", "docs", "stream", "tests"}
"""Packages of this repository; how others name what is theirs (`KafkaError._FENCED`) is their affair."""

PATCHING = {"delattr", "getattr", "hasattr", "patch", "setattr"}
"""Calls that reach a name by its text."""

PLANTED = """
import os
from confluent_kafka import KafkaError
from confluent_kafka.admin._acl import AclBinding
from stream.sql import gathering
from stream.sql.gathering import Gathering, _Request
from stream.sql._private import thing
from tests.unit.sql.test_gathering import Doubling

class Mine:
    def mine(self):
        return self._own, type(self)._own

def test(monkeypatch, rig):
    os._exit(KafkaError._FENCED)
    rig.source._script.append(1)
    monkeypatch.setattr(gathering, "_WAIT_S", 0)
    monkeypatch.setattr("stream.sql.gathering._WAIT_S", 0)
    monkeypatch.setattr(os, "_exit", print)
    Gathering(print)._waiting
    rig().__dict__
"""

FOUND = {
    "_Request of stream.sql.gathering",
    "stream.sql._private",
    "another test module: tests.unit.sql.test_gathering",
    "rig.source._script",
    "_WAIT_S by its text",
    "stream.sql.gathering._WAIT_S by its text",
    "Gathering(print)._waiting",
}


def _modules() -> list[Path]:
    return sorted(path for folder in ("tests", "benchmarks") for path in (ROOT / folder).rglob("*.py"))


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name != "_"


def _origins(tree: ast.Module) -> dict[str, str]:
    """Per imported name, the top package that it is of."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {(one.asname or one.name).split(".")[0]: one.name.split(".")[0] for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {one.asname or one.name: (node.module or "").split(".")[0] for one in node.names}
    return found


def _is_foreign(node: ast.expr, origins: dict[str, str]) -> bool:
    """Whether an expression begins with a name of another package, or is the object's own."""
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("super", "type"):
        return True
    while isinstance(node, ast.Attribute):
        node = node.value
    if not isinstance(node, ast.Name):
        return False
    return node.id in ("self", "cls") or origins.get(node.id, "tests") not in OURS


def _imports(node: ast.ImportFrom) -> Iterator[str]:
    module = node.module or ""
    if module.split(".")[0] not in OURS:
        return
    if any(_is_private(part) for part in module.split(".")):
        yield module
    for one in node.names:
        if _is_private(one.name):
            yield f"{one.name} of {module}"
        if one.name.startswith("test_"):
            yield f"another test module: {module}.{one.name}"
    if any(part.startswith("test_") for part in module.split(".")):
        yield f"another test module: {module}"


def _texts(node: ast.Call, origins: dict[str, str]) -> Iterator[str]:
    """Private names that a call reaches by their text."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name not in PATCHING or not node.args:
        return
    target, *others = node.args
    if isinstance(target, ast.Constant):
        text = target.value
        if (
            isinstance(text, str)
            and text.split(".", maxsplit=1)[0] in OURS
            and any(map(_is_private, text.split(".")))
        ):
            yield f"{text} by its text"
    elif not _is_foreign(target, origins):
        for other in others[:1]:
            if isinstance(other, ast.Constant) and isinstance(other.value, str) and _is_private(other.value):
                yield f"{other.value} by its text"


def _reaches(text: str) -> Iterator[str]:
    """What a module reaches that is not its own to reach."""
    tree = ast.parse(text)
    origins = _origins(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from _imports(node)
        elif isinstance(node, ast.Attribute):
            if _is_private(node.attr) and not _is_foreign(node.value, origins):
                yield ast.unparse(node)
        elif isinstance(node, ast.Call):
            yield from _texts(node, origins)


def test_every_kind_of_reach_is_seen() -> None:
    """The search finds what is planted, and takes neither own names nor other packages' for a reach."""
    assert sorted(FOUND) == sorted(_reaches(PLANTED))


@pytest.mark.parametrize("path", _modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_module_reaches_public_names_only(path: Path) -> None:
    """A private name may change with any commit; what a test needs of it is a seam, public and documented."""
    assert [] == list(_reaches(path.read_text("utf-8")))


def test_public_names_of_the_package_are_sorted_and_there() -> None:
    """`stream.__all__` is what is promised, in order, each name to be had."""
    import stream

    assert sorted(set(stream.__all__)) == list(stream.__all__)
    assert [] == [name for name in stream.__all__ if not hasattr(stream, name)]


def test_rooms_are_used_through_their_faces() -> None:
    """What a room's `__init__` doesn't export is nobody else's."""
    past = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.module}"
        for path in sorted((ROOT / "stream").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom)
        and re.match(r"stream\.\w+\.", node.module or "")
        and (node.module or "").split(".")[1] != path.relative_to(ROOT).parts[1]
    ]

    assert [] == past
