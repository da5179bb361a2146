"""docs/faults.json, which `scripts/faults` writes from a run → the table of docs/guarantees.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["RUN", "text"]

RUN = Path(__file__).parents[1] / "faults.json"


def text() -> str:
    """When they held, and a line for each row."""
    found = json.loads(RUN.read_text("utf-8"))
    days = sorted({row["held"][:10] for row in found["rows"]})
    runs = "; ".join(
        f"{run['ended'][:10]}, {run['rows']} rows, {run['took_s'] // 60 + 1} minutes" for run in found["runs"]
    )
    head = ["fault", "guarantee", "sent", "predictions", "dead letters", "skipped", "gone", "lost", "doubled"]
    lines = [
        f"{len(found['rows'])} rows, each as it last held on Apache Kafka {found['kafka']} ({', '.join(days)}). Whole"
        f" runs in which every row held: {runs or 'none yet'}.",
        "",
        f"| id | {' | '.join(head)} | recovery s |",
        f"|{'---|' * 3}{'--:|' * (len(head) - 1)}",
    ]
    return "\n".join([*lines, *map(_line, found["rows"])])


def _line(row: dict[str, Any]) -> str:
    recovery = "–" if row["recovery_s"] is None else f"{row['recovery_s']:.1f}"
    numbers = [
        f"{row[name]:,}"
        for name in ("sent", "predictions", "dead_letters", "skipped", "gone", "lost", "doubled")
    ]
    cells = [f"`{row['id']}`", row["fault"], row["guarantee"], *numbers, recovery]
    return f"| {' | '.join(cells)} |"
