"""Avro Java's answers to made-up triples of writer, reader and bytes, as they were when `tests/oracle` was last run."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.oracle.__main__ import GOLDEN
from tests.oracle.judge import DIFFERENCES, judge, ours
from tests.oracle.triples import Triple

ANSWERS = [
    pytest.param(make, seed, json.loads(line), id=f"{make.__name__}-{seed}")
    for make, (path, _) in GOLDEN.items()
    for seed, line in enumerate(path.read_text("utf-8").splitlines())
]
PAGE = Path(__file__).parents[3] / "docs" / "wire-format.md"


@pytest.mark.parametrize(("make", "seed", "answer"), ANSWERS)
def test_triple_is_read_as_avro_java_reads_it(
    make: Callable[[int], Triple], seed: int, answer: dict[str, Any]
) -> None:
    """Or differs as docs/wire-format.md says. After a change of a generator: `python -m tests.oracle --golden`."""
    one = make(seed)
    mine = ours(one)

    assert judge(one, answer, mine) is not None, (one, answer, mine)


def test_every_deliberate_difference_is_listed() -> None:
    """What the comparison lets pass is what the page says, and no more."""
    table = PAGE.read_text("utf-8").partition("## Where we differ from Avro Java")[2].partition("\n## ")[0]

    assert sorted(DIFFERENCES) == sorted(re.findall(r"^\| \*\*(.+?)\*\* \|", table, re.MULTILINE))
