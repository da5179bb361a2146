"""
`python -m tests.oracle [--count N] [--seed S] [--golden]`: compares our decoder with Avro Java.

With `--golden` it writes what Java answers to the first triples of each kind into `golden.jsonl` and
`golden_nested.jsonl`, which a unit test compares with ours where there is no Java.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.oracle.java import answers
from tests.oracle.judge import judge, ours
from tests.oracle.nested_triples import nested_triple
from tests.oracle.triples import Triple, triple

GOLDEN: Mapping[Callable[[int], Triple], tuple[Path, int]] = {
    triple: (Path(__file__).with_name("golden.jsonl"), 400),
    nested_triple: (Path(__file__).with_name("golden_nested.jsonl"), 200),
}
"""By generator, where Java's answers are kept, and how many."""


def main() -> int:
    """Run; returns 1 when something differs that must not."""
    parser = argparse.ArgumentParser(prog="python -m tests.oracle")
    parser.add_argument("--count", type=int, default=4_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--golden", action="store_true")
    wish = parser.parse_args()
    wrong = 0
    for make, (path, count) in GOLDEN.items():
        triples = [make(seed) for seed in range(wish.seed, wish.seed + wish.count)]
        java = answers(triples)
        if wish.golden:
            path.write_text("".join(json.dumps(answer) + "\n" for answer in java[:count]), "utf-8")
        wrong += _compare(triples, java, wish.seed)
    return int(wrong > 0)


def _compare(triples: Sequence[Triple], java: Sequence[dict[str, Any]], first: int) -> int:
    """Write what differs; returns how many must not."""
    found: Counter[str | None] = Counter()
    for seed, (one, answer) in enumerate(zip(triples, java, strict=True), first):
        mine = ours(one)
        verdict = judge(one, answer, mine)
        found[verdict] += 1
        if verdict is None:
            sys.stdout.write(f"seed {seed}\n  {one.writer}\n  {one.reader}\n  {one.body.hex()}\n")
            sys.stdout.write(f"  Java: {answer}\n  ours: {mine}\n")
    sys.stdout.write(json.dumps({str(name): count for name, count in found.most_common()}) + "\n")
    return found[None]


if __name__ == "__main__":
    sys.exit(main())
