"""
Writer schemas by the ids that values carry, kept once they are known.

Looking them up is I/O and may fail for a while, so it is done *before* a batch is decoded (`prepare`); the
decoder then asks only what is kept. An unknown id is remembered for a while too: a producer's mistake must
not become a flood of calls.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stream.codec import RecordSchema
from stream.errors import SchemaError
from stream.records import Headers
from stream.registry.client import Client, Registered

__all__ = ["RegistryWriters"]

UNKNOWN_S = 30.0
"""How long an id counts as unknown before the registry is asked again; a producer may register late."""

KEPT = 1_000
"""Schemas kept at most; ids beyond that are looked up anew."""

_HEADER = "__value_schema_id"


@dataclass(frozen=True, slots=True)
class _Answer:
    """What is known of an id; schema None = nothing, until `until`."""

    schema: RecordSchema | None
    until: float


class RegistryWriters:
    """The writer schemas of one topic. Used by the engine's thread alone."""

    def __init__(
        self,
        client: Client,
        allowed: Callable[[RecordSchema], str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            client: the registry.
            allowed: the subject under which a schema must be registered to be read from this topic.
            clock: monotonic seconds.
        """
        self._client = client
        self._allowed = allowed
        self._clock = clock
        self._known: dict[bytes, _Answer] = {}

    def prepare(self, values: Sequence[bytes | None], headers: Sequence[Headers | None]) -> None:
        """
        Look up every id of a batch that is not known yet.

        Args:
            values: n values as they came.
            headers: n headers.
        Raises: Retriable when the registry does not answer (try the batch again later); BrokerRefused.
        """
        now = self._clock()
        for prefix in {_prefix(value) for value in values if value} | _from_headers(headers):
            if prefix is not None and (prefix not in self._known or self._known[prefix].until <= now):
                if len(self._known) >= KEPT:
                    self._known.pop(next(iter(self._known)))
                self._known[prefix] = self._ask(prefix, now)

    def _ask(self, prefix: bytes, now: float) -> _Answer:
        registered = self._fetch(prefix)
        if registered is None:
            return _Answer(None, now + UNKNOWN_S)
        try:
            schema = RecordSchema(registered.text)
        except SchemaError:
            return _Answer(None, now + UNKNOWN_S)
        known_as = registered.id
        if known_as is not None and self._allowed(schema) not in self._client.subjects_of(known_as):
            return _Answer(None, now + UNKNOWN_S)
        return _Answer(schema, float("inf"))

    def _fetch(self, prefix: bytes) -> Registered | None:
        if prefix[0] == 0:
            return self._client.by_id(int.from_bytes(prefix[1:], "big"))
        return self._client.by_guid(str(uuid.UUID(bytes=prefix[1:])))

    def schema_of(self, prefix: bytes) -> RecordSchema | None:
        """
        The schema behind a value's prefix, asked for if need be.

        Args:
            prefix: 0x00 and 4 bytes of id, or 0x01 and 16 bytes of GUID.
        Returns: None when the registry does not know it, or has it under other subjects only.
        Raises: Retriable when the registry does not answer; BrokerRefused.
        """
        self.prepare([prefix], [None])
        return self._kept(prefix)

    def by_fingerprint(self, fingerprint: bytes) -> RecordSchema | None:
        """A registry does not know fingerprints."""
        return None

    def by_id(self, schema_id: int) -> RecordSchema | None:
        """The schema of an id, as far as `prepare` has found it."""
        return self._kept(b"\x00" + schema_id.to_bytes(4, "big"))

    def by_guid(self, guid: bytes) -> RecordSchema | None:
        """The schema of a GUID, as far as `prepare` has found it."""
        return self._kept(b"\x01" + guid)

    def _kept(self, prefix: bytes) -> RecordSchema | None:
        answer = self._known.get(prefix)
        return None if answer is None else answer.schema


def _prefix(value: bytes) -> bytes | None:
    """The magic byte and id that a value begins with; None where it does not."""
    if value[0] == 0 and len(value) >= 5:
        return value[:5]
    return value[:17] if value[0] == 1 and len(value) >= 17 else None


def _from_headers(headers: Sequence[Headers | None]) -> set[bytes | None]:
    return {
        _prefix(value) for header in headers if header for name, value in header if name == _HEADER and value
    }
