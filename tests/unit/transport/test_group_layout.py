"""What other members of a group say of themselves."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from stream.transport import group_layout
from stream.transport.group_layout import assigned

WHOLE = (
    struct.pack(">hi", 1, 2)
    + b"\x00\x01t"
    + struct.pack(">iii", 2, 0, 3)
    + b"\x00\x01u"
    + struct.pack(">ii", 1, 7)
)


@pytest.mark.parametrize(
    ("assignment", "found"),
    [
        (b"", []),
        (struct.pack(">hii", 0, 0, -1), []),
        (WHOLE, [("t", 0), ("t", 3), ("u", 7)]),
        (WHOLE + struct.pack(">i", 4) + b"data", [("t", 0), ("t", 3), ("u", 7)]),
    ],
)
def test_assignment_is_read(assignment: bytes, found: list[tuple[str, int]]) -> None:
    """Of each topic all partitions; what the assignor added is left alone."""
    assert found == assigned(assignment)


@pytest.mark.parametrize(
    "assignment",
    [
        *(WHOLE[:end] for end in range(1, len(WHOLE))),
        struct.pack(">hi", 1, 2**31 - 1),
        struct.pack(">hih", 1, 1, -1),
        struct.pack(">hih", 1, 1, 0) + struct.pack(">i", -1),
        struct.pack(">hih", 1, 1, 0) + struct.pack(">i", 2**31 - 1),
        struct.pack(">hih", 1, 1, 2) + b"\xff\xfe" + struct.pack(">i", 0),
    ],
)
def test_assignment_of_another_kind_is_refused(assignment: bytes) -> None:
    """Whatever a foreign member wrote: an error that is caught, and no memory for what is not there."""
    with pytest.raises(ValueError, match=r"."):
        assigned(assignment)


@pytest.mark.parametrize("request_name", ["describe_consumer_groups", "list_consumer_group_offsets"])
def test_what_may_end_the_process_is_not_asked_while_a_worker_runs(request_name: str) -> None:
    """librdkafka's assertion fails when a coordinator's connection is lost during such a request of an admin client."""
    assert f".{request_name}(" not in Path(group_layout.__file__).read_text("utf-8")
