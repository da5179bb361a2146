"""What a person sees while it runs: a live panel on a terminal, a plain line every two seconds elsewhere."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from stream.app import Rate
from stream.demo.ledger import LATEST, Ledger, Sighting, percentile_ms
from stream.shown import VALUE_CHARS, shown

__all__ = ["Facts", "View"]

LINE_EVERY_S = 2.0
"""Between two lines when stdout is not a terminal."""

FRAMES_PER_S = 4

WIDTH = 80
"""The panel's width at most; a wider terminal leaves the rest free."""

RECENT_LATENCIES = 5_000
"""The percentiles shown while it runs are those of this many predictions, the last."""


@dataclass(frozen=True, slots=True)
class Facts:
    """
    What does not change during a run.

    Attributes:
        model: `name@version`.
        where: which broker, and what is promised on it.
        url: the worker's web.
    """

    model: str
    where: str
    url: str


@dataclass(slots=True)
class View:
    """
    Writes to one console, which is stderr: stdout is for the result.

    Attributes:
        console: where to.
    """

    console: Console = field(default_factory=lambda: Console(stderr=True, highlight=False))
    _rate: Rate = field(default_factory=lambda: Rate(5.0))
    _shown: deque[Sighting] = field(default_factory=lambda: deque(maxlen=LATEST))
    _said: float = 0.0

    def say(self, text: str = "", style: str = "") -> None:
        """One message."""
        self.console.print(Text(shown(text), style=style), soft_wrap=not self.console.is_terminal)

    @contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """Say what is being waited for: with a spinner on a terminal, else once."""
        if not self.console.is_terminal:
            self.say(text)
            yield
            return
        with self.console.status(Text(shown(text))):
            yield

    @contextmanager
    def watching(self, ledger: Ledger, facts: Facts) -> Iterator[None]:
        """Show a run as it goes; `tick` must be called now and then."""
        self._said = time.monotonic()
        self._rate(self._said, 0)
        if not self.console.is_terminal:
            yield
            self.say(_line(ledger, self._rate(time.monotonic(), len(ledger.sightings))))
            return
        with Live(
            get_renderable=lambda: self._panel(ledger, facts),
            console=self.console,
            refresh_per_second=FRAMES_PER_S,
        ):
            yield

    def tick(self, ledger: Ledger) -> None:
        """Without a terminal: a line, when two seconds have passed since the last."""
        now = time.monotonic()
        if not self.console.is_terminal and now - self._said >= LINE_EVERY_S:
            self._said = now
            self.say(_line(ledger, self._rate(now, len(ledger.sightings))))

    def conclude(self, ledger: Ledger) -> None:
        """The result for people: the figures, and what the dead letters say."""
        summary = ledger.summary()
        auc = "undefined: only one outcome occurred" if summary.auc is None else f"{summary.auc:.3f}"
        self.say(
            f"{summary.events:,} events → {summary.predictions:,} predictions + {summary.dead_letters:,} dead"
            f" letters; {summary.duplicates} twice, {len(ledger.missing())} missing",
            "bold",
        )
        self.say(
            f"AUC {auc} · {summary.events_per_second:,.0f} events/s · produce → prediction"
            f" p50 {_ms(summary.p50_ms)}, p99 {_ms(summary.p99_ms)}"
        )
        if ledger.letters:
            self.say()
            self.say(
                f"{len(ledger.feed.spoiled)} events were spoiled on purpose. What their dead letters say:"
            )
            self.console.print(_letters(ledger))

    def _panel(self, ledger: Ledger, facts: Facts) -> RenderableType:
        """One frame. A row of the latest predictions at most is new in each, so that they can be read."""
        if ledger.latest and (not self._shown or self._shown[-1] is not ledger.latest[-1]):
            self._shown.append(ledger.latest[-1])
        parts = [
            _progress(ledger),
            _figures(ledger, self._rate(time.monotonic(), len(ledger.sightings))),
            Text(),
            _sightings(self._shown),
            Text(),
            _last_letter(ledger),
        ]
        return Panel(
            Group(*parts),
            title=Text(shown(f"{facts.model} on {facts.where}"), "bold"),
            subtitle=Text(f"live page: {facts.url}/"),
            width=min(WIDTH, self.console.width),
            border_style="cyan",
        )


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f} ms"


def _latency(ledger: Ledger) -> tuple[str, str]:
    recent = ledger.latencies_s[-RECENT_LATENCIES:]
    return _ms(percentile_ms(recent, 50)), _ms(percentile_ms(recent, 99))


def _line(ledger: Ledger, rate: float) -> str:
    p50, p99 = _latency(ledger)
    return (
        f"sent {ledger.sent:,} of {ledger.events:,} · predictions {len(ledger.sightings):,} ({rate:,.0f}/s)"
        f" · lag {ledger.lag:,} · dead letters {len(ledger.letters):,} · p50 {p50}, p99 {p99}"
    )


def _progress(ledger: Ledger) -> RenderableType:
    grid = Table.grid(padding=(0, 2), expand=True)
    grid.add_column(no_wrap=True)
    grid.add_column(ratio=1)
    grid.add_row(
        f"events sent [bold]{ledger.sent:,}[/] of {ledger.events:,}",
        ProgressBar(total=ledger.events, completed=ledger.answered),
    )
    return grid


def _figures(ledger: Ledger, rate: float) -> RenderableType:
    p50, p99 = _latency(ledger)
    grid = Table.grid(padding=(0, 2), expand=True)
    for ratio in (4, 3, 4, 3):
        grid.add_column(ratio=ratio, no_wrap=True)
    grid.add_row(
        f"[bold green]{rate:,.0f}[/] predicted/s",
        f"lag [bold]{ledger.lag:,}[/]",
        f"p50 [bold]{p50}[/]",
        f"p99 [bold]{p99}[/]",
    )
    right = f"{ledger.right / ledger.judged:.1%}" if ledger.judged else "–"
    grid.add_row(
        f"[bold]{len(ledger.sightings):,}[/] predictions",
        f"[bold]{right}[/] right",
        f"[bold red]{len(ledger.letters):,}[/] dead letters",
        f"{ledger.duplicates:,} twice",
    )
    return grid


def _sightings(latest: deque[Sighting]) -> RenderableType:
    table = Table(box=None, pad_edge=False, expand=True, header_style="dim")
    for name in ("flight", "route"):
        table.add_column(name, no_wrap=True)
    for name in ("left", "P(late)"):
        table.add_column(name, no_wrap=True, justify="right")
    for name in ("predicted", "truth", ""):
        table.add_column(name, no_wrap=True)
    rows = list(latest)
    for s in rows:
        who = Text(shown(s.flight_id)), Text(shown(s.route))
        table.add_row(*who, _delay(s.delay_min), f"{s.score:.2f}", _named(s.label), *_truth(s))
    for _ in range(LATEST - len(rows)):
        table.add_row()
    return table


def _delay(minutes: float) -> str:
    return "on time" if minutes == 0 else f"{minutes:+.0f} min"


def _named(late: bool) -> str:
    return "late" if late else "on time"


def _truth(sighting: Sighting) -> tuple[str, str]:
    if sighting.late is None:
        return "diverted", "[dim]–[/]"
    right = sighting.label == sighting.late
    return _named(sighting.late), "[green]✓[/]" if right else "[red]✗[/]"


def _last_letter(ledger: Ledger) -> RenderableType:
    by_reason = "  ".join(f"{reason} {n}" for reason, n in ledger.reasons.most_common())
    text = Text("dead letters  ", style="dim", no_wrap=True, overflow="ellipsis")
    text.append(shown(by_reason) or "none yet", style="red" if by_reason else "dim")
    last = next(reversed(ledger.letters.items()), None)
    newest = Text(no_wrap=True, overflow="ellipsis", style="dim")
    if last is not None:
        newest.append(f"the last      {last[0]}: {shown(last[1].message, VALUE_CHARS)}")
    return Group(text, newest)


def _letters(ledger: Ledger) -> RenderableType:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("n", justify="right")
    table.add_column("stage", no_wrap=True)
    table.add_column("reason", no_wrap=True)
    table.add_column("message of the first")
    for reason, n in ledger.reasons.most_common():
        first = next(letter for letter in ledger.letters.values() if letter.reason == reason)
        said = Text(shown(first.message, VALUE_CHARS))
        table.add_row(str(n), Text(shown(first.stage)), Text(shown(reason), "red"), said)
    return table
