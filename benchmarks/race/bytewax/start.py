"""
Makes Bytewax's recovery store and becomes `python -m bytewax.run`, as its documentation starts a dataflow.

usage: start.py FOLDER
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from bytewax.recovery import init_db_dir

_PARTITIONS = 1
"""Of the store: for one worker."""


def main() -> None:
    """Never returns."""
    folder = Path(sys.argv[1])
    init_db_dir(folder, _PARTITIONS)
    # A snapshot every 5 s, as Kafka's clients commit by default; none is kept longer than it must be.
    flow = ["benchmarks.race.bytewax.dataflow:flow", "-r", str(folder), "-s", "5", "-b", "0"]
    os.execv(sys.executable, [sys.executable, "-m", "bytewax.run", *flow])


if __name__ == "__main__":
    main()
