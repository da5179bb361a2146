"""
`python -m tests.oracle [--count N] [--seed S] [--golden]`: compares our decoder with Avro Java.

With `--golden` it writes what Java answers to the first triples into `golden.jsonl`, which a unit test compares with
ours where there is no Java.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

from tests.oracle.java import answers
from tests.oracle.judge import judge, ours
from tests.oracle.triples import triple

GOLDEN = Path(__file__).with_name("golden.jsonl")
GOLDEN_COUNT = 400


def main() -> int:
    """Run; returns 1 when something differs that must not."""
    parser = argparse.ArgumentParser(prog="python -m tests.oracle")
    parser.add_argument("--count", type=int, default=4_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--golden", action="store_true")
    wish = parser.parse_args()
    triples = [triple(seed) for seed in range(wish.seed, wish.seed + wish.count)]
    java = answers(triples)
    if wish.golden:
        GOLDEN.write_text("".join(json.dumps(answer) + "\n" for answer in java[:GOLDEN_COUNT]), "utf-8")
    found: Counter[str | None] = Counter()
    for seed, (one, answer) in enumerate(zip(triples, java, strict=True), wish.seed):
        mine = ours(one)
        verdict = judge(one, answer, mine)
        found[verdict] += 1
        if verdict is None:
            sys.stdout.write(f"seed {seed}\n  {one.writer}\n  {one.reader}\n  {one.body.hex()}\n")
            sys.stdout.write(f"  Java: {answer}\n  ours: {mine}\n")
    sys.stdout.write(json.dumps({str(name): count for name, count in found.most_common()}) + "\n")
    return int(found[None] > 0)


if __name__ == "__main__":
    sys.exit(main())
