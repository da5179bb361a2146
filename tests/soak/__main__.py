"""`python -m tests.soak [--minutes 20] [--seed S]`: the soak; a table, and one JSON object as the last line."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from tests.soak.run import Soak

__all__ = ["main"]


def main() -> int:
    """Run it; exit 1 when a record was lost, or doubled with exactly-once."""
    parser = argparse.ArgumentParser(
        prog="scripts/soak", description="Half load with random kills, on a real Kafka."
    )
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--guarantee", choices=["exactly-once", "at-least-once"], default="exactly-once")
    parser.add_argument("--rate", type=int, help="events a second (default: half of what one worker does)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        soak = Soak(
            Path(folder), arguments.minutes, arguments.seed, arguments.guarantee, arguments.rate, _say
        )
        figures = soak.run()
    width = max(map(len, figures))
    for name, value in figures.items():
        sys.stdout.write(f"{name:{width}}  {value}\n")
    sys.stdout.write(f"{json.dumps(figures)}\n")
    wrong = figures["lost"] or (arguments.guarantee == "exactly-once" and figures["doubled"])
    return 1 if wrong else 0


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
