"""`python -m tests.soak.sender BOOTSTRAP TOPIC RATE`: events stamped now, until SIGTERM; then how many."""

from __future__ import annotations

import signal
import sys
import threading
import time
from dataclasses import replace

from tests.acceptance import visits
from tests.acceptance.feed import Feed
from tests.acceptance.visits import Event

__all__ = ["main"]

KINDS = 1_000
"""Different values, made once: making each anew would be most of the sender's work."""


def main() -> None:
    """Send until told to end."""
    bootstrap, topic, rate = sys.argv[1], sys.argv[2], int(sys.argv[3])
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: over.set())
    made = [visits.event(number) for number in range(KINDS)]

    def event(number: int) -> Event:
        return replace(made[number % KINDS], timestamp_ms=int(time.time() * 1000))

    with Feed(bootstrap, topic, rate, event) as feed:
        over.wait()
        sys.stdout.write(f"{feed.stop()}\n")


if __name__ == "__main__":
    main()
