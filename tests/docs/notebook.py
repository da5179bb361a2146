"""
Running a notebook's cells, as Jupyter does: in one namespace, the last expression's value shown.

`python -m tests.docs.notebook docs/python.ipynb` writes what the cells show into the notebook.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

__all__ = ["cells", "run", "text_of"]

HTML = "_repr_html_"
"""The method that Jupyter asks for a value's HTML."""


def cells(path: Path) -> list[dict[str, Any]]:
    """A notebook's code cells."""
    found: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["cells"]
    return [cell for cell in found if cell["cell_type"] == "code"]


def text_of(output: dict[str, Any]) -> str:
    """An output as text: what was printed, or the value's text beside its HTML."""
    lines = output["text"] if output["output_type"] == "stream" else output["data"]["text/plain"]
    return "".join(lines)


def run(path: Path) -> list[list[dict[str, Any]]]:
    """
    Run the cells in the notebook's folder.

    Returns: for each code cell what it shows, as the notebook's format has it.
    Raises: what a cell raises.
    """
    space: dict[str, Any] = {"__name__": "__main__"}
    with contextlib.chdir(path.parent):
        return [_outputs("".join(cell["source"]), space, i) for i, cell in enumerate(cells(path), 1)]


def _outputs(source: str, space: dict[str, Any], number: int) -> list[dict[str, Any]]:
    body = ast.parse(source).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    printed, value = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        exec(compile(ast.Module(body, []), f"cell {number}", "exec"), space)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), f"cell {number}", "eval"), space)
    outputs: list[dict[str, Any]] = []
    if printed.getvalue():
        outputs.append({"output_type": "stream", "name": "stdout", "text": _lines(printed.getvalue())})
    if value is not None:
        shown = {"text/plain": _lines(repr(value))}
        if hasattr(value, HTML):
            shown["text/html"] = _lines(getattr(value, HTML)())
        outputs.append(
            {"output_type": "execute_result", "execution_count": number, "data": shown, "metadata": {}}
        )
    return outputs


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def _write(path: Path) -> None:
    """What each cell shows, into the notebook."""
    shown = iter(run(path))
    whole = json.loads(path.read_text("utf-8"))
    for number, cell in enumerate((one for one in whole["cells"] if one["cell_type"] == "code"), 1):
        cell["outputs"], cell["execution_count"] = next(shown), number
    path.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    os.environ["COLUMNS"] = "100"
    _write(Path(sys.argv[1]).absolute())
