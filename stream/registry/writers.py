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
from stream.errors import BrokerRefused, RecordError, Retriable, SchemaError
from stream.records import Headers
from stream.registry.answers import Denied, NotServed
from stream.registry.client import LARGEST_ID, Client, Registered

__all__ = ["RegistryWriters"]

REMEMBERED_S = 30.0
"""How long an id counts as bad before the registry is asked again; a producer may register late."""

KEPT = 1_000
"""Schemas kept at most between two batches; ids beyond that are looked up again."""

MISSES, MISS_EVERY_S = 100, 1.0
"""Bad ids asked about at once, and how often another one after that. Each costs one or two calls."""

PREPARE_S = 5.0
"""After so long a round of look-ups begins with no further id."""

PROBE_S = 3.0
"""To find out whether the registry answers at all."""

ROUND_S = 10.0
"""For one round of look-ups; the engine counts as stuck after 20 s without a round."""

WAIT_S = 120.0
"""For the registry to answer about an id while it answers otherwise; then the id's values are dead letters. The engine
gives up, and ends, after 240 s."""

PAUSE_S = 60.0
"""A wait that was not taken up again for so long is over."""


@dataclass(frozen=True, slots=True)
class _Miss:
    """An id without a schema, and until when that is believed."""

    why: RecordError
    until: float


class _Patience:
    """How long a batch has been waiting for answers about ids, and the ids for which it will not wait again."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._last = 0.0
        self._hopeless: set[bytes] = set()

    def over(self, prefix: bytes, now: float) -> bool:
        """There was no answer about an id once more: whether it has been waited for long enough."""
        if self._since is None or now - self._last > PAUSE_S:
            self._since = now
        self._last = now
        if now - self._since < WAIT_S and prefix not in self._hopeless:
            return False
        if len(self._hopeless) >= KEPT:
            self._hopeless.clear()
        self._hopeless.add(prefix)
        return True

    def end(self) -> None:
        """A batch has all its answers."""
        self._since = None


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
        self._patience = _Patience()

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
        Raises: Retriable when the registry does not answer, or not as a registry, or not in time for all of them (try
            the batch again: what was found is kept); BrokerRefused when it refuses us.
        """
        wanted = confluent_prefixes(values, headers)
        if not wanted <= self._good.keys():
            with self._client.within(ROUND_S):
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
            found = self._settled(prefix)
            if isinstance(found, RecordSchema):
                self._good[prefix] = found
                continue
            self._misses -= 1
            self._bad[prefix] = _Miss(found, self._clock() + REMEMBERED_S)
        self._patience.end()

    def _forget(self, wanted: set[bytes], now: float) -> None:
        """Make room, without what this batch needs; let misses run out, and the right to new ones grow."""
        self._misses = min(MISSES, self._misses + (now - self._counted_at) / MISS_EVERY_S)
        self._counted_at = now
        self._bad = {prefix: miss for prefix, miss in self._bad.items() if miss.until > now}
        surplus = len(self._good) - KEPT
        for prefix in [p for p in self._good if p not in wanted][: max(0, surplus)]:
            del self._good[prefix]

    def _settled(self, prefix: bytes) -> RecordSchema | RecordError:
        """
        What is to become of an id's values.

        An answer that no registry gives is the registry's fault, or a proxy's, as long as it answers nothing else
        either: then the batch waits. Where it answers otherwise, the fault is with this id, and no restart would help.

        Raises: Retriable while that is not known; BrokerRefused when the registry refuses us.
        """
        try:
            return self._ask(prefix)
        except (BrokerRefused, NotServed) as error:
            if not self._is_well():
                raise Retriable(error.message, hint=error.hint) from error
        except Retriable as error:
            if not self._patience.over(prefix, self._clock()) or not self._is_well():
                raise
            return RecordError(
                f"the registry does not answer about {_named(prefix)}, and does otherwise: {error.message}",
                reason="schema_not_looked_up",
            )
        try:
            return self._ask(prefix)  # a passing fault of a proxy is not to cost records
        except (BrokerRefused, NotServed) as error:
            return RecordError(
                f"the registry's answer about {_named(prefix)} can't be used: {error.message}",
                reason="unusable_schema",
            )

    def _is_well(self) -> bool:
        with self._client.within(PROBE_S):
            return self._client.answers()

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
