"""The most that a worker takes, by its settings, and what `stream check` says of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stream.manifest import Entry, Manifest
from stream.settings import BatchingSettings, Bytes, KafkaSettings, Settings
from stream.tasks import MemoryNeeds, memory_bound
from stream.tasks.memory_needs import too_little_memory
from tests.unit.doctor.examined import settings

MIB = 1024**2

NEEDS = MemoryNeeds(model_bytes=MIB, partitions=64, brokers=1)


def of_consumer(**values: int) -> Settings:
    """Settings with properties of the consumer, `_` for `.`."""
    properties = {name.replace("_", "."): value for name, value in values.items()}
    return replace(settings(), kafka=KafkaSettings("broker-1:9093", "scorer", consumer=properties))


def test_defaults_with_64_partitions_stay_below_512_mib() -> None:
    """As it is promised: docs/operations.md, "Memory"."""
    assert 400 < memory_bound(settings(), NEEDS) / MIB <= 512


@pytest.mark.parametrize(
    ("changed", "needs"),
    [
        (replace(settings(), batching=BatchingSettings(max_bytes=Bytes(32 * MIB))), NEEDS),
        (of_consumer(queued_max_messages_kbytes=64 * 1024), NEEDS),
        (of_consumer(fetch_max_bytes=64 * MIB), NEEDS),
        (
            replace(settings(), kafka=KafkaSettings("b:1", "g", properties={"fetch.max.bytes": "67108864"})),
            NEEDS,
        ),
        (settings(), replace(NEEDS, model_bytes=100 * MIB)),
        (settings(), replace(NEEDS, partitions=1_000)),
        (settings(), replace(NEEDS, brokers=3)),
    ],
    ids=["max_bytes", "queued", "fetch.max.bytes", "of all clients", "model", "partitions", "brokers"],
)
def test_what_holds_more_takes_more(changed: Settings, needs: MemoryNeeds) -> None:
    """Each term of the sum by itself."""
    assert memory_bound(changed, needs) > memory_bound(settings(), NEEDS) + 25 * MIB


@pytest.mark.parametrize(("allowed", "severities"), [(300 * MIB, ["warning"]), (2_000 * MIB, [])])
def test_check_warns_where_a_worker_may_take_less(
    allowed: float, severities: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With both numbers, and what to lower."""
    monkeypatch.setattr("stream.tasks.memory_needs.allowed_memory", lambda: allowed)
    manifest = Manifest(
        name="m", version=1, created="", task="classifier", inputs="frame", features=(), width=0,
        files={"model.joblib": Entry("0" * 64, MIB)},
    )  # fmt: skip
    found = list(too_little_memory(settings(), manifest))

    assert severities == [finding.severity for finding in found]
    assert all("may take 300 MiB here" in one.message and "max_bytes" in one.hint for one in found)
