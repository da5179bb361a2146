"""Our decoder beside Avro Java itself, on more triples than are committed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.kafka.artifacts import Unavailable
from tests.oracle.java import answers
from tests.oracle.judge import judge, ours
from tests.oracle.nested_triples import nested_triple
from tests.oracle.triples import Triple, triple

SEEDS = range(10_000, 14_000)


@pytest.mark.slow
@pytest.mark.parametrize("make", [triple, nested_triple])
def test_every_triple_is_read_as_avro_java_reads_it_or_differs_on_purpose(
    make: Callable[[int], Triple],
) -> None:
    """What differs is listed in docs/wire-format.md; nothing else may."""
    triples = [make(seed) for seed in SEEDS]
    try:
        java = answers(triples)
    except Unavailable as error:
        pytest.skip(str(error))

    assert [] == [
        seed
        for seed, one, answer in zip(SEEDS, triples, java, strict=True)
        if judge(one, answer, ours(one)) is None
    ]
