"""Where a key is written."""

from __future__ import annotations

import pytest

from stream.transport import partition_of_key
from tests.acceptance.reader import murmur2


@pytest.mark.parametrize(
    ("key", "hashed"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_key_has_the_partition_that_java_gives_it(key: bytes, hashed: int) -> None:
    """Source: Apache Kafka, UtilsTest.testMurmur2."""
    assert [(hashed & 0x7FFFFFFF) % count for count in (1, 4, 12)] == [
        partition_of_key(key, count) for count in (1, 4, 12)
    ]


@pytest.mark.parametrize("length", range(10))
def test_keys_of_every_length_have_the_partition_of_another_reader(length: int) -> None:
    """Bytes beyond 127 and the rest of up to three bytes too; an empty key is a key."""
    key = bytes(range(250 - length, 250))

    assert (murmur2(key) & 0x7FFFFFFF) % 7 == partition_of_key(key, 7)
