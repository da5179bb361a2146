"""`python -m tests.fuzz [--minutes N] [--seed S]`: goes on until the time is over or something does not hold."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from random import Random

from stream.records import DeadLetter
from tests.fuzz.judge import judge, mixed_batch
from tests.fuzz.subjects import SUBJECTS, subject

SLOW_S = 20.0
"""A batch may take so long on a busy machine; a bomb that went off takes far longer."""


def main() -> int:
    """Run; returns 1 when something did not hold, with the seed that shows it again."""
    parser = argparse.ArgumentParser(prog="scripts/fuzz")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 2**32)
    wish = parser.parse_args()
    end = time.monotonic() + wish.minutes * 60
    seed, records, reasons = wish.seed, 0, Counter[str]()
    while time.monotonic() < end:
        seed += 1
        random = Random(seed)
        name = random.choice(list(SUBJECTS))
        values, sound = mixed_batch(subject(name), random, random.choice((1, 2, 7, 50, 500)))
        started = time.monotonic()
        try:
            outcomes = judge(subject(name), values, sound)
        except AssertionError as error:
            sys.stderr.write(f"{name}, --seed {seed - 1}: {error}\n")
            return 1
        if time.monotonic() - started > SLOW_S:
            sys.stderr.write(
                f"{name}, --seed {seed - 1}: {len(values)} records took more than {SLOW_S:g} s\n"
            )
            return 1
        records += len(values)
        reasons.update(o.reason for o in outcomes if isinstance(o, DeadLetter))
    sys.stderr.write(
        f"{records:,} records, every one accounted for; dead letters by reason: {dict(reasons)}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
