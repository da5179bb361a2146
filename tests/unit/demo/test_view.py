"""What people see."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from stream.demo.ledger import Ledger
from stream.demo.view import Facts, View
from tests.unit.demo.accounts import dead_letter, ledger_of, row

FACTS = Facts("flights@1", "the embedded broker, at-least-once", "http://127.0.0.1:6066")


def a_run() -> Ledger:
    """Two predictions, one of them right, and a dead letter whose message looks like markup."""
    ledger = ledger_of(True, False, False)
    ledger.predicted(row("f0", 0.9), 10.1)
    ledger.predicted(row("f1", 0.8), 10.2)
    ledger.dead(dead_letter("f2", "[red]8 bytes expected[/nothing]"), 10.3)
    return ledger


@pytest.mark.parametrize("columns", [80, 120])
def test_a_terminal_sees_figures_predictions_and_truth(columns: int) -> None:
    """The panel holds the figures and the latest prediction beside its truth, and no line is too long."""
    out = io.StringIO()
    view = View(Console(file=out, force_terminal=True, width=columns, color_system=None))
    with view.watching(a_run(), FACTS):
        pass

    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", out.getvalue())  # moves of the cursor
    for expected in ("flights@1", "events sent 3 of 3", "50.0% right", "1 dead letters", "✗", "truncated 1"):
        assert expected in text
    assert "[red]8 bytes expected[/nothing]" in text
    assert max(len(line) for line in text.replace("\r", "\n").splitlines()) <= columns


def test_elsewhere_it_is_plain_lines() -> None:
    """Without a terminal there is one line at the end, without control characters."""
    out = io.StringIO()
    view = View(Console(file=out, width=80))
    with view.watching(a_run(), FACTS):
        pass

    [line] = out.getvalue().splitlines()
    assert line.startswith("sent 3 of 3 · predictions 2 (")
    assert line.endswith("lag 0 · dead letters 1 · p50 150 ms, p99 199 ms")


def test_the_conclusion_says_what_the_dead_letters_say() -> None:
    """Counts, figures, and per reason the first message, as it is."""
    out = io.StringIO()
    View(Console(file=out, width=120)).conclude(a_run())

    text = out.getvalue()
    assert "3 events → 2 predictions + 1 dead letters; 0 twice, 0 missing" in text
    assert "AUC 1.000" in text
    assert "[red]8 bytes expected[/nothing]" in text


def test_what_the_run_quotes_moves_no_cursor() -> None:
    """Ids, reasons and messages come from topics that anybody may write to."""
    out, evil = io.StringIO(), "\x1b]0;x\x07\nforged\u202e"
    view = View(Console(file=out, width=200))
    ledger = a_run()
    ledger.dead(dead_letter("f0", evil), 10.4)
    view.say(evil)
    view.conclude(ledger)
    with view.waiting(evil):
        pass

    text = out.getvalue()
    assert set() == {"\x1b", "\x07", "\u202e"} & {*text}
    assert [] == [line for line in text.splitlines() if line.startswith("forged")]
