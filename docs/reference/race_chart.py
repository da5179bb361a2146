"""docs/images/race.svg: events a second of every contestant, as bars. Legible on light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from docs.reference.pictures import STYLE

__all__ = ["Bar", "svg"]

_LEFT, _WIDTH, _RIGHT = 268, 380, 92
_ROW, _BAR, _TOP, _BOTTOM = 46, 15, 62, 40

_MORE = """
  .title { font-size: 15px; font-weight: 600; }
  .who { font-size: 13px; font-weight: 600; text-anchor: end; }
  .what { font-size: 11px; text-anchor: end; fill: #59636e; }
  .value, .key { font-size: 12px; }
  .light { opacity: 0.55; }
  @media (prefers-color-scheme: dark) { .what { fill: #9198a1; } }
"""


@dataclass(frozen=True, slots=True)
class Bar:
    """
    One contestant.

    Attributes:
        title: its name.
        about: what it promises.
        ours: whether it is the worker.
        rates: events a second, one for each model; None where there is none.
    """

    title: str
    about: str
    ours: bool
    rates: tuple[float | None, ...]


def svg(title: str, models: Sequence[str], bars: Sequence[Bar], foot: str) -> str:
    """
    The chart.

    Args:
        title: what is shown.
        models: names of the models, at most two, in the order of each bar's rates.
        bars: from the top.
        foot: where and when it was measured.
    """
    width, height = _LEFT + _WIDTH + _RIGHT, _TOP + _ROW * len(bars) + _BOTTOM
    most = max((rate for bar in bars for rate in bar.rates if rate is not None), default=1.0)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-label="{escape(title)}">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}{_MORE}</style>",
        f'<rect class="paper" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8"/>',
        f'<text class="title" x="18" y="28">{escape(title)}</text>',
        *(_key(number, model) for number, model in enumerate(models)),
        *(line for number, bar in enumerate(bars) for line in _row(_TOP + number * _ROW, bar, most)),
        f'<text class="key" x="18" y="{height - 14}" style="fill:#818b98">{escape(foot)}</text>',
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _key(number: int, model: str) -> str:
    x = _LEFT + number * 190
    return (
        f'<rect class="yours{" light" * number}" x="{x}" y="40" width="12" height="12"/>'
        f'<text class="key" x="{x + 18}" y="51">{escape(model)}</text>'
    )


def _row(top: int, bar: Bar, most: float) -> list[str]:
    lines = [
        f'<text class="who" x="{_LEFT - 12}" y="{top + 15}">{escape(bar.title)}</text>',
        f'<text class="what" x="{_LEFT - 12}" y="{top + 30}">{escape(bar.about)}</text>',
    ]
    for number, rate in enumerate(bar.rates):
        y = top + number * (_BAR + 3)
        long = 0.0 if rate is None else max(1.0, rate / most * _WIDTH)
        kind = f"{'ours' if bar.ours else 'yours'}{' light' * number}"
        lines.append(f'<rect class="{kind}" x="{_LEFT}" y="{y}" width="{long:.1f}" height="{_BAR}"/>')
        said = "–" if rate is None else f"{rate:,.0f}"
        lines.append(f'<text class="value" x="{_LEFT + long + 6:.1f}" y="{y + 12}">{said}</text>')
    return lines
