"""The schemas that events may be written with where no registry says ↔ what the topic's records really carry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from stream.codec import Decoder, RecordSchema
from stream.errors import SchemaError, Stopped
from stream.records import Batch
from stream.resources import KnownWriters, chosen_schema
from stream.settings import Settings
from stream.store import Package, events_of
from stream.tasks.findings import Finding

__all__ = ["unregistered"]


def unregistered(settings: Settings, package: Package, read: Callable[[], Batch]) -> Iterator[Finding]:
    """
    Findings about writers' schemas of a configuration without a registry.

    Args:
        settings: the configuration.
        package: its model.
        read: reads the topic's first and last records; raises Stopped when no broker answers.
    Yields: `info` with the schemas that are known, where there are several; a `warning` for each reason for which
        records could not be read.
    """
    try:
        chosen = chosen_schema(settings)
    except SchemaError:
        return  # found where `[input] schema` is compared
    features = RecordSchema(package.features)
    known = KnownWriters(features, events_of(package), chosen)
    named = settings.framing("input") == "single-object"
    if len({schema.fingerprint for schema in known.named.values()}) > 1:
        yield Finding("info", "writers' schemas", _about(known, named=named))
    try:
        batch = read()
    except Stopped:
        return  # found where the topics are looked for
    values = [value for value in batch.values if value is not None]
    decoder = Decoder(features, package.manifest.needed, settings.framing("input"), known.default, known)
    faults = decoder.decode(values).faults.values()
    wrong = Counter(fault.reason for fault in faults if fault.stage == "decode")
    for reason, count in sorted(wrong.items()):
        first = next(fault for fault in faults if fault.reason == reason)
        message = f"{count} of the {len(values)} records looked at ({reason}): {first.message}"
        yield Finding("warning", settings.input.topic, message, _hint(reason))


def _about(known: KnownWriters, *, named: bool) -> str:
    if not named:
        return f"values name no schema; they are read as written with {[*known.named][-1]}"
    each = ", ".join(f"{name} ({schema.fingerprint.hex()})" for name, schema in known.named.items())
    return f"values that carry the fingerprint of one of these are read: {each}"


def _hint(reason: str) -> str:
    if reason in ("not_framed", "wrong_framing"):
        return "correct `[input] framing`, or the producer's serialiser"
    return "give the producer's schema as `[input] schema`, or pack the model with it (`--schema`)"
