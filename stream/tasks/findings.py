"""What `stream check` finds; how severe a difference between schemas is (checks choose all other severities)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from stream.codec import RecordSchema, compare, why_slow
from stream.manifest import Manifest

__all__ = ["Finding", "Severity", "compared"]

Severity: TypeAlias = Literal["error", "warning", "info"]
"""`error`: the worker would refuse to start. `warning`: it would start, but look into it. `info`: good to know."""

_DIFFERENCES: dict[str, tuple[Severity, str]] = {
    "missing": ("error", "write the field again, or pack a model that does not need it"),
    "retyped": ("error", "write the old type again, or pack the model with the new one"),
    "partly": ("warning", "records with that type there become dead letters; write one type"),
    "nullable": ("warning", "records with a null there become dead letters; pack a model that takes nulls"),
    "default": ("warning", "write the field again, or pack a model that does not need it"),
    "promoted": ("info", ""),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """
    One thing that was found.

    Attributes:
        severity: what it means.
        where: what was looked at.
        message: what was found, by name.
        hint: the next thing to do.
    """

    severity: Severity
    where: str
    message: str
    hint: str = ""


def compared(
    where: str, writer: RecordSchema, features: RecordSchema, manifest: Manifest
) -> Iterator[Finding]:
    """
    What stands between a schema that events are written with and what the model needs.

    Args:
        where: the writer's schema, for people.
        writer: that schema.
        features: the model's.
        manifest: names the fields that the model needs.
    """
    for difference in compare(writer, features, list(manifest.needed)):
        severity, hint = _DIFFERENCES[difference.kind]
        yield Finding(severity, where, difference.message, hint)
    if reason := why_slow(writer, features, list(manifest.needed)):
        message = (
            f"its values are read one by one, which takes some ten times as long as in batches: {reason}"
        )
        yield Finding("info", where, message)
