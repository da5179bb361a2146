"""The schemas that events may be written with, as far as the configuration and its package say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from stream.codec import RecordSchema
from stream.errors import RecordError
from stream.store import EVENTS_FILE

__all__ = ["KnownWriters"]


class KnownWriters:
    """
    Writers' schemas by fingerprint (`WriterSchemas`).

    Attributes:
        default: of values that name none: `[input] schema`, else the events' schema as the model was packed with it,
            else the features'.
        named: each of them by the file that it is from, for people; not its folder, since a dead letter says it too.
    """

    __slots__ = ("_by_fingerprint", "default", "named")

    def __init__(
        self, features: RecordSchema, events: RecordSchema | None, chosen: tuple[Path, RecordSchema] | None
    ) -> None:
        """
        Args:
            features: the package's `features.avsc`.
            events: its `events.avsc`; None where it has none.
            chosen: `[input] schema`, by its path; None where that is not set.
        """
        named = {"features.avsc": features}
        if events is not None:
            named[EVENTS_FILE] = events
        if chosen is not None:
            named[f"[input] schema {chosen[0].name}"] = chosen[1]
        self.named: Mapping[str, RecordSchema] = named
        self.default = [*named.values()][-1]
        self._by_fingerprint = {schema.fingerprint: schema for schema in named.values()}

    def by_fingerprint(self, fingerprint: bytes) -> RecordSchema | RecordError:
        """The schema with this CRC-64-AVRO, else a reason that names those that are known."""
        return self._by_fingerprint.get(fingerprint) or RecordError(
            f"no schema with the fingerprint {fingerprint.hex()} is known; "
            + ", ".join(f"{name} has {schema.fingerprint.hex()}" for name, schema in self.named.items()),
            reason="unknown_schema",
        )

    def by_id(self, schema_id: int) -> None:
        """Ids are a registry's."""

    def by_guid(self, guid: bytes) -> None:
        """GUIDs are a registry's."""
