"""What the worker may come to take ↔ what this container, or machine, lets it take."""

from __future__ import annotations

from math import inf

from stream.doctor.case import Case
from stream.doctor.diagnosis import Diagnosis, ok, warn

__all__ = ["memory"]

_MIB = 1024**2


def memory(case: Case) -> Diagnosis:
    """Is there room for the longest backlog?"""
    # Imported only here, as in the model's checks: it takes a second, which the network need not wait for.
    from stream.tasks import MEMORY_HINT, MemoryNeeds, allowed_memory, memory_bound

    layout = case.cluster.layout(case.settings.input.topic)
    partitions = 0 if layout is None else len(layout)
    needs = MemoryNeeds(case.package.size_bytes, partitions, max(1, len(case.cluster.brokers)))
    bound = memory_bound(case.settings, needs)
    limit = allowed_memory()
    about = f"{partitions:,} partitions, batches of {case.settings.batching.max_bytes // _MIB:,} MiB"
    found = f"a worker takes at most {bound // _MIB:,} MiB"
    if limit < bound:
        return warn(about, f"{found}, and may take {limit / _MIB:,.0f} MiB here", MEMORY_HINT)
    return ok(
        about,
        f"{found}, of {limit / _MIB:,.0f} MiB here" if limit < inf else f"{found}; no limit is known here",
    )
