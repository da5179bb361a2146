"""A matplotlib figure → inline SVG in the page's own text colour, light or dark."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from stream.shown import shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ACCENT", "INK", "MUTED", "SECOND", "draw", "label", "standalone"]

INK = "#1a1a1a"
"""Text and axes; becomes `currentColor` in the SVG, so that they are light on a dark page."""

MUTED = "#8a8f98"
"""Grid and reference lines: visible on white and on black."""

ACCENT = "#2f7ed8"
SECOND = "#d9822b"

_LONGEST = 28
"""Characters of a label; a longer one would squeeze the plot."""

_SETTINGS: Any = {
    "svg.fonttype": "none",  # text stays text: small, sharp, in the page's own font
    "svg.hashsalt": "prediction-stream",  # ids by content, the same in every run
    "font.size": 11.0,
    "font.family": "sans-serif",
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": MUTED,
    "grid.alpha": 0.25,
    "grid.linewidth": 0.8,
    "xtick.color": INK,
    "ytick.color": INK,
    "lines.linewidth": 2.0,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}

_IDS = re.compile(r' id="([^"]+)"')
_STYLE = re.compile(r"<defs>\s*<style.*?</style>\s*</defs>", re.DOTALL)


def draw(plot: Callable[[Axes], object], width: float = 5.0, height: float = 3.6) -> str:
    """
    Args:
        plot: draws on one axes.
        width: in inches; the page scales it.
        height: in inches.
    Returns: an `<svg>` element without ids that nothing refers to.
    """
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_SETTINGS), warnings.catch_warnings():
        # A label may be in a script that matplotlib's font lacks: the browser draws the text.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")
        figure = Figure(figsize=(width, height))
        FigureCanvasSVG(figure)
        plot(figure.add_subplot())
        content = io.StringIO()
        figure.savefig(content, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return _inline(content.getvalue())


def standalone(svg: str) -> str:
    """
    Args:
        svg: as `draw` gives it.
    Returns: a file of its own: dark on white, whatever shows it.
    """
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    assert box is not None  # `draw` gives one
    width, height = box.groups()
    font = "font-family: Helvetica, Arial, sans-serif"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}pt" height="{height}pt" style="color: {INK}; {font}"'
    paper = '<rect width="100%" height="100%" fill="white"/>'
    opening, _, rest = svg.partition(">")
    return f"{opening.replace('<svg', head, 1)}>{paper}{rest}\n"


def label(text: object) -> str:
    """A text as a label: shortened, with no formula in it."""
    plain = shown(text)
    if len(plain) > _LONGEST:
        plain = f"{plain[: _LONGEST - 1]}…"
    return plain.replace("$", r"\$")


def _inline(document: str) -> str:
    svg = document[document.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = _STYLE.sub("", svg)
    svg = re.sub(r"<!--.*?-->\n?", "", svg, flags=re.DOTALL)
    head, _, rest = svg.partition(">")
    head = re.sub(r' (width|height|version|xmlns)="[^"]*"', "", head)
    svg = f"{head}>{rest}".replace(INK, "currentColor")
    svg = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", svg)
    used = set(re.findall(r"#([\w-]+)", svg))
    return _IDS.sub(lambda found: found[0] if found[1] in used else "", svg).strip()
