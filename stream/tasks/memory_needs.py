"""How much memory a worker takes at most, by its settings, and whether it may take as much here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from stream.manifest import Manifest
from stream.settings import Settings
from stream.tasks.findings import Finding
from stream.telemetry import machine_memory, memory_limit
from stream.transport import fetch_memory
from stream.worker import Timing

__all__ = ["MEMORY_HINT", "MemoryNeeds", "allowed_memory", "memory_bound", "too_little_memory"]

_MIB = 1024**2

_LIBRARIES_BYTES = 240 * _MIB
"""A worker that has nothing to do, with a small model: Python, scikit-learn, pandas, Arrow, Kafka's client."""

_MODELS = 3
"""A new version is opened beside the one that answers, out of its files."""

_BATCHES = 4
"""A batch's values: as the client's messages, as Python's bytes, as columns, and as what becomes of them."""

_PARTITION_BYTES = 64 * 1024
"""What the clients keep for one partition, read and written, beside its records."""

MEMORY_HINT = (
    "raise the limit, or lower `[batching] max_bytes`, and `fetch.max.bytes` and `queued.max.messages.kbytes` of "
    "[kafka.consumer]; docs/operations.md, Memory, says what each does"
)

_SPREAD = 1.75
"""What the allocator keeps of memory that has been given back, measured with values of 100 kB."""


@dataclass(frozen=True, slots=True)
class MemoryNeeds:
    """
    What the bound depends on beside the settings.

    Attributes:
        model_bytes: of the package's files.
        partitions: of the input topic; all of them may come to one worker.
        brokers: of the cluster; each may be sending an answer at the same time.
    """

    model_bytes: int
    partitions: int
    brokers: int


def memory_bound(settings: Settings, needs: MemoryNeeds) -> int:
    """
    The most that a worker takes, in bytes, however long the backlog is.

    It is the libraries and the model, and what holds records: answers that are arriving, those that wait to be read, a
    batch in hand, and the span that is being committed. docs/operations.md, "Memory", explains each term.

    Args:
        settings: the configuration.
        needs: the rest.
    """
    fetched = fetch_memory(settings.kafka)
    records = (
        fetched.queued_bytes
        + fetched.answer_bytes * needs.brokers
        + _BATCHES * settings.batching.max_bytes
        + Timing().span_bytes
    )
    fixed = _LIBRARIES_BYTES + _MODELS * needs.model_bytes + _PARTITION_BYTES * needs.partitions
    return fixed + int(_SPREAD * records)


def allowed_memory() -> float:
    """What this process may take, in bytes: the limit of its control groups, or what the machine has."""
    return min(memory_limit(), machine_memory())


def too_little_memory(settings: Settings, manifest: Manifest) -> Iterator[Finding]:
    """A warning where the limit is less than a worker of one partition and one broker takes: more take more."""
    bound, allowed = memory_bound(settings, MemoryNeeds(manifest.size_bytes, 1, 1)), allowed_memory()
    if allowed < bound:
        message = f"a worker takes up to {bound // _MIB:,} MiB, and may take {allowed / _MIB:,.0f} MiB here"
        yield Finding("warning", "memory", message, MEMORY_HINT)
