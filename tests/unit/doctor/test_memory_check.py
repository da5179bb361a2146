"""Whether there is room for the longest backlog."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from stream.doctor.memory_check import memory
from tests.unit.doctor.examined import FakeSurvey, case_of, layout, settings

MIB = 1024**2


@pytest.mark.parametrize(
    ("allowed", "state"), [(256 * MIB, "warn"), (4_096 * MIB, "ok"), (float("inf"), "ok")]
)
def test_bound_is_held_against_what_the_container_allows(
    allowed: float, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both numbers are said; where it is too little, what to lower."""
    for name in ("memory_limit", "machine_memory"):
        monkeypatch.setattr(f"stream.tasks.memory_needs.{name}", lambda: allowed)
    case = case_of(settings(), FakeSurvey({"in": layout(64)}))
    case.head = cast(Any, SimpleNamespace(manifest=SimpleNamespace(size_bytes=MIB)))
    line = memory(case)

    assert state == line.state
    assert "64 partitions" in line.looked_at
    assert "a worker takes at most 4" in line.found
    assert ("max_bytes" in line.next_step) is (state == "warn")
