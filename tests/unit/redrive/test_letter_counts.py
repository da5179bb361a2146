"""Letters counted, and gathered in chunks."""

from __future__ import annotations

from stream.redrive import count_letters
from stream.redrive.letter_chunks import CHUNK_BYTES, chunks_of
from tests.unit.redrive.letters import stored


def test_counts_name_topics_groups_and_pointers() -> None:
    """Who shares the topic, and how many letters hold no original."""
    letters = [
        stored(0, group="g"),
        stored(1, topic="elsewhere"),
        stored(2, None, copied=False, writer="share-group"),
    ]

    counts = count_letters(letters, "single-object")

    assert {"in": 2, "elsewhere": 1} == counts.by_topic
    assert {"g": 1, "unknown": 2} == counts.by_group
    assert 1 == counts.pointers


def test_name_of_any_length_is_counted_by_its_beginning() -> None:
    """A header may have megabytes, in each of a million letters."""
    counts = count_letters([stored(0, reason="x" * 10_000), stored(1, reason="y" * 200)], "single-object")

    assert {"x" * 200 + "…": 1, "y" * 200: 1} == counts.by_reason


def test_large_headers_and_keys_fill_a_chunk_as_values_do() -> None:
    """What a transaction holds in memory is bounded, wherever a record is large."""
    half = bytes(CHUNK_BYTES // 2)
    letters = [
        stored(0, b"", headers=(("h", half),)),
        stored(1, b"", key=half),
        stored(2, half),
        stored(3, half),
        stored(4),
    ]

    assert [[0, 1], [2, 3], [4]] == [[each.offset for each in chunk] for chunk in chunks_of(letters, 1_000)]
