"""Carried fields by name: the path that each has in the events' schema."""

from __future__ import annotations

from collections.abc import Sequence

from stream.codec import RecordSchema
from stream.scoring import carried_names

__all__ = ["carried_paths"]


def carried_paths(events: RecordSchema, carry: Sequence[str]) -> tuple[str, ...]:
    """
    Find carried fields, as a model's columns are found: by the original name (`feature`) or the Avro name.

    Args:
        events: their schema.
        carry: a name each; nested fields by dotted path.
    Returns: their paths, in the same order.
    Raises: SchemaError when there is no such field or it can't be a column; PackageError if two would have the same
        name in a prediction, or one of ours.
    """
    originals = {leaf.feature: leaf.path for leaf in events.leaves() if leaf.feature} if carry else {}
    paths = tuple(events.leaf(originals.get(name, name)).path for name in carry)
    carried_names(paths)
    return paths
