"""
Writer schemas by the ids that values carry, kept once they are known.

Looking them up is I/O and may fail for a while, so it is done *before* a batch is decoded (`prepare`); the
decoder then asks only what is kept. An id for which there is no schema is remembered for a while too, and new
ones of that kind are asked about at a limited rate: a producer's mistake must not become a flood of calls.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stream.codec import RecordSchema, confluent_prefixes
from stream.errors import RecordError, Retriable, SchemaError
from stream.records import Headers
from stream.registry.calls import Denied
from stream.registry.client import Client, Registered

__all__ = ["RegistryWriters"]

REMEMBERED_S = 30.0
"""How long an id counts as bad before the registry is asked again; a producer may register late."""

KEPT = 1_000
"""Schemas kept at most between two batches; ids beyond that are looked up again."""

MISSES, MISS_EVERY_S = 100, 1.0
"""Bad ids asked about at once, and how often another one after that. Each costs one or two calls."""

PREPARE_S = 5.0
"""For one round of look-ups; the engine counts as stuck after 20 s without a round."""

LARGEST_ID = 2**31 - 1
"""Ids are Java's ints; beyond that a registry answers as for an unknown page."""


@dataclass(frozen=True, slots=True)
class _Miss:
    """An id without a schema, and until when that is believed."""

    why: RecordError
    until: float


class RegistryWriters:
    """The writer schemas of one topic. Used by one thread, the engine's."""

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
        self._good: dict[bytes, RecordSchema] = {}
        self._bad: dict[bytes, _Miss] = {}
        self._misses, self._counted_at = float(MISSES), clock()

    @property
    def kept(self) -> int:
        """How many schemas are held, by their ids."""
        return len(self._good)

    def prepare(self, values: Sequence[bytes | None], headers: Sequence[Headers | None] | None) -> None:
        """
        Look up every id of a batch that is not known yet.

        Args:
            values: n values as they came.
            headers: n headers, where any record has some.
        Raises: Retriable when the registry does not answer, or not in time for all of them (try the batch
            again: what was found is kept); BrokerRefused and SettingsError as `Client`.
        """
        wanted = confluent_prefixes(values, headers)
        if not wanted <= self._good.keys():
            self._look_up(wanted)

    def close(self) -> None:
        """Close the connection to the registry."""
        self._client.close()

    def by_fingerprint(self, fingerprint: bytes) -> RecordSchema | None:
        """A registry does not know fingerprints."""
        return None

    def by_id(self, schema_id: int) -> RecordSchema | RecordError:
        """The schema of an id, as far as `prepare` has found it; or why there is none."""
        return self._kept(b"\x00" + schema_id.to_bytes(4, "big"))

    def by_guid(self, guid: bytes) -> RecordSchema | RecordError:
        """The schema of a GUID, as far as `prepare` has found it; or why there is none."""
        return self._kept(b"\x01" + guid)

    def _kept(self, prefix: bytes) -> RecordSchema | RecordError:
        found = self._good.get(prefix)
        if found is not None:
            return found
        miss = self._bad.get(prefix)
        return miss.why if miss is not None else _not_looked_up(prefix)

    def _look_up(self, wanted: set[bytes]) -> None:
        started = self._clock()
        self._forget(wanted, started)
        missing = sorted(wanted - self._good.keys() - self._bad.keys())
        for done, prefix in enumerate(missing):
            if self._misses < 1:
                return
            if self._clock() - started > PREPARE_S:
                raise Retriable(
                    f"{self._client.url} answers slowly: {done} of {len(missing)} schema ids looked up so far"
                )
            found = self._ask(prefix)
            if isinstance(found, RecordSchema):
                self._good[prefix] = found
                continue
            self._misses -= 1
            self._bad[prefix] = _Miss(found, self._clock() + REMEMBERED_S)

    def _forget(self, wanted: set[bytes], now: float) -> None:
        """Make room, without what this batch needs; let misses run out, and the right to new ones grow."""
        self._misses = min(MISSES, self._misses + (now - self._counted_at) / MISS_EVERY_S)
        self._counted_at = now
        self._bad = {prefix: miss for prefix, miss in self._bad.items() if miss.until > now}
        surplus = len(self._good) - KEPT
        for prefix in [p for p in self._good if p not in wanted][: max(0, surplus)]:
            del self._good[prefix]

    def _ask(self, prefix: bytes) -> RecordSchema | RecordError:
        """What the registry says of an id."""
        try:
            registered = self._fetch(prefix)
            if registered is None:
                return _unknown(prefix)
            schema = RecordSchema(registered.text)
            subject = self._allowed(schema)
            if self._is_under(subject, registered):
                return schema
            known_as = sorted(self._client.subjects_of(registered.id)) if registered.id is not None else []
        except (SchemaError, RecursionError) as error:
            return RecordError(
                f"the registry's schema of {_named(prefix)} can't be used: {str(error).splitlines()[0]}",
                reason="unusable_schema",
            )
        except Denied as error:
            return RecordError(
                f"the registry does not show us the schema of {_named(prefix)}: {error.message}",
                reason="schema_not_allowed",
            )
        return RecordError(
            f"{schema.name}, {_named(prefix)}, is not registered under {subject}"
            f"{f', but under {_listed(known_as)}' if known_as else ''}",
            reason="schema_not_allowed",
        )

    def _fetch(self, prefix: bytes) -> Registered | None:
        if prefix[0] == 1:
            return self._client.by_guid(str(uuid.UUID(bytes=prefix[1:])))
        schema_id = int.from_bytes(prefix[1:], "big")
        return self._client.by_id(schema_id) if schema_id <= LARGEST_ID else None

    def _is_under(self, subject: str, registered: Registered) -> bool:
        if registered.id is not None:
            return subject in self._client.subjects_of(registered.id)
        return self._client.holds(subject, registered)


def _named(prefix: bytes) -> str:
    if prefix[0] == 0:
        return f"id {int.from_bytes(prefix[1:], 'big')}"
    return f"GUID {uuid.UUID(bytes=prefix[1:])}"


def _listed(subjects: Sequence[str]) -> str:
    shown = ", ".join(subjects[:3])
    return shown if len(subjects) <= 3 else f"{shown} and {len(subjects) - 3} more"


def _unknown(prefix: bytes) -> RecordError:
    return RecordError(f"the registry has no schema of {_named(prefix)}", reason="unknown_schema")


def _not_looked_up(prefix: bytes) -> RecordError:
    return RecordError(
        f"the schema of {_named(prefix)} was not looked up: too many ids without a usable schema came before",
        reason="schema_not_looked_up",
    )
