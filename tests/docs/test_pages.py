"""What the pages name is there, and every page is found from the README."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from stream.deadletter import HEADERS
from stream.telemetry import TABLE
from stream.tracing import ATTRIBUTES, own_name
from stream.training import RUN_TAGS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

PAGES = (
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
    ROOT / "scripts" / "README.md",
    *sorted(DOCS.glob("*.md")),
)

PAST = {"CHANGELOG.md"}
"""Pages that may name what has gone."""

_LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)")
_CODE = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(r"(?:stream|tests|docs|benchmarks|scripts)/[\w./-]*\w")
_DOTTED = re.compile(r"stream(?:\.[A-Za-z_]\w*)+")

page_of_each = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def _links(page: Path) -> Iterator[tuple[Path, str]]:
    """The files of this repository that a page links to, with the headings."""
    for target, heading in _LINK.findall(page.read_text("utf-8")):
        if "://" not in target:
            yield (page.parent / target).resolve() if target else page, heading


def _headings(page: Path) -> set[str]:
    """The anchors that GitHub gives a page's headings."""
    titles = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def _codes(page: Path) -> Iterator[str]:
    """What a page sets as code within its sentences and tables."""
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    yield from _CODE.findall(text)


def _is_there(dotted: str) -> bool:
    """Whether a dotted name is a module, or a name that a module has."""
    parts = dotted.split(".")
    for end in range(len(parts), 0, -1):
        stem = ROOT.joinpath(*parts[:end])
        found = next(
            (each for each in (stem.with_suffix(".py"), stem / "__init__.py") if each.is_file()), None
        )
        if found is not None:
            return end == len(parts) or parts[end] in _names(found)
    return False


def _names(module: Path) -> set[str]:
    """What a module defines or imports, without running it."""
    found: set[str] = {"__all__"}
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name == "__getattr__":  # made when they are asked for
            found |= {str(each.value) for each in ast.walk(node) if isinstance(each, ast.Constant)}
        elif isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {one.asname or one.name for one in node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return found


@page_of_each
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link names a file that is there, and a heading that it has."""
    for file, heading in _links(page):
        assert file.exists(), file
        assert not heading or heading in _headings(file), f"{file}#{heading}"


def test_each_page_is_two_clicks_from_the_readme() -> None:
    """The README links to a page, or to one that links to it."""
    first = {file for file, _ in _links(ROOT / "README.md")}
    second = {file for page in first if page.suffix == ".md" for file, _ in _links(page)}

    assert [] == sorted(str(page) for page in set(PAGES) - {ROOT / "README.md"} - first - second)


@page_of_each
def test_paths_that_a_page_names_are_there(page: Path) -> None:
    """Nobody is sent to a file that has moved."""
    if page.name in PAST:
        return
    named = {path for code in _codes(page) for path in _PATH.findall(code) if code.startswith(path)}

    assert [] == sorted(path for path in named if not (ROOT / path).exists())


@page_of_each
def test_python_names_on_a_page_are_there(page: Path) -> None:
    """A dotted name in `stream` is a module, or what a module has."""
    if page.name in PAST:
        return
    named = {code for code in _codes(page) if _DOTTED.fullmatch(code)}
    collected = {*ATTRIBUTES, *(own_name(metric.name)[0] for metric in TABLE)}
    others = {"stream.toml", *HEADERS, *RUN_TAGS, *collected}

    assert [] == sorted(name for name in named - others if not _is_there(name))


def test_file_names_in_the_map_are_those_of_the_code() -> None:
    """A file that is named without its folder in the table of places is a module of `stream`."""
    named = {code for code in _codes(DOCS / "architecture.md") if re.fullmatch(r"\w+\.py", code)}
    there = {path.name for path in (ROOT / "stream").rglob("*.py")}

    assert len(named) > 5
    assert [] == sorted(named - there)


def test_floors_are_those_that_are_checked() -> None:
    """The page's table has the rooms of pyproject.toml, floor by floor, and no others."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = next(each["layers"] for each in contracts if each["name"] == "Floors")
    table = (DOCS / "architecture.md").read_text("utf-8").partition("\n## Floors\n")[2].partition("\n## ")[0]
    rows = [row.split("|")[2] for row in table.splitlines() if re.match(r"\| \d+ \|", row)]

    assert [sorted(re.findall(r"\w+", layer)) for layer in layers] == [
        sorted(_CODE.findall(row)) for row in rows
    ]


def test_name_that_is_not_there_is_seen() -> None:
    """The search can fail."""
    assert [True, True, True, False, False] == [
        _is_there(name)
        for name in (
            "stream.sql",
            "stream.sql.connect",
            "stream.reasons.TABLE",
            "stream.nowhere",
            "stream.sql.nothing",
        )
    ]


def test_scripts_that_the_pages_name_are_there() -> None:
    """Nobody is sent to a script that has gone."""
    named = {
        word
        for page in PAGES
        for word in page.read_text("utf-8").replace("`", " ").split()
        if word.startswith("scripts/") and "." not in word
    }

    assert [] == sorted(word for word in named if not (ROOT / word.rstrip(",;:)")).exists())


def test_each_script_has_its_line() -> None:
    """The scripts' README explains every script, and none that has gone."""
    rows = re.findall(r"^\| `(\w+)` \|", (ROOT / "scripts" / "README.md").read_text("utf-8"), re.MULTILINE)
    there = [path.name for path in (ROOT / "scripts").iterdir() if path.is_file() and not path.suffix]

    assert sorted(there) == sorted(rows)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_pip_is_told_to_install_can_be_had(page: Path) -> None:
    """We are on no package index: outside Install, which says so, a page sends the reader there."""
    lines = [
        line
        for line in page.read_text().splitlines()
        if "pip install" in line and "prediction-stream" in line
    ]
    assert lines == [] or (page.name == "operations.md" and "on no package index" in page.read_text())
