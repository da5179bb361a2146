"""
The registry's REST calls, one method each, and the names of its subjects.

Source: Confluent Schema Registry API, v1.
"""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self, TypeGuard
from urllib.parse import quote

from stream.errors import Retriable, SchemaError, SettingsError
from stream.registry.answers import ANSWER_BYTES, Denied, Garbled, NotServed
from stream.registry.references import Json, inlined

if TYPE_CHECKING:
    from stream.registry.calls import Connection

__all__ = ["LARGEST_ID", "Client", "Registered", "subject_name"]

PROBE = "prediction-stream"
"""A subject that hardly any registry has; that it says so is what counts."""

LARGEST_ID = 2**31 - 1
"""Ids are Java's ints; beyond that a registry answers as for an unknown page."""

REFERENCES = 200
"""Schemas that one schema may refer to, directly or through others; more is a loop or an attack."""


@dataclass(frozen=True, slots=True)
class Registered:
    """
    A schema as the registry has it.

    Attributes:
        text: its JSON, with the types that it takes from other schemas put in.
        id: the registry's number; None where the registry does not say.
        given: its JSON as it was registered.
        references: the schemas that it refers to, as they were registered.
    """

    text: str
    id: int | None
    given: str
    references: tuple[Json, ...] = ()


class Client:
    """
    Calls one registry. May be used from several threads.

    Every method raises Retriable when the registry does not answer, BrokerRefused when it refuses, NotServed
    (a SettingsError) when the address is not a registry's, and SchemaError for a schema that is not usable.
    """

    def __init__(self, connection: Connection) -> None:
        """
        Args:
            connection: to the registry; closed with this.
        """
        self._connection = connection

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the kept connections."""
        self._connection.close()

    @property
    def url(self) -> str:
        """The registry's base address."""
        return self._connection.url

    @property
    def skew_s(self) -> float | None:
        """See `Connection.skew_s`."""
        return self._connection.skew_s

    def within(self, seconds: float) -> AbstractContextManager[None]:
        """A limit for all calls together that this thread makes meanwhile."""
        return self._connection.within(seconds)

    def answers(self) -> bool:
        """
        Whether it answers as a registry does, asked about something that any registry can answer.

        Raises: BrokerRefused when it refuses us (401), or its certificate can't be trusted.
        """
        try:
            self._connection.get(f"/subjects/{PROBE}/versions", urgent=True)
        except Denied:
            return True
        except (Retriable, Garbled, NotServed, SchemaError):
            return False
        return True

    def by_id(self, schema_id: int) -> Registered | None:
        """The schema of an id; None when the registry does not know it."""
        found = self._connection.get(f"/schemas/ids/{schema_id}")
        return None if found is None else self._registered(found, schema_id)

    def by_guid(self, guid: str) -> Registered | None:
        """The schema of a GUID (RFC 9562 text); None when the registry does not know it, or knows no GUIDs."""
        try:
            found = self._connection.get(f"/schemas/guids/{_quoted(guid)}")
        except NotServed:
            return None
        return None if found is None else self._registered(found, None)

    def subjects_of(self, schema_id: int) -> frozenset[str]:
        """The subjects under which an id is or was registered; soft-deleted ones count, their data stays."""
        found = self._connection.get(f"/schemas/ids/{schema_id}/versions?deleted=true")
        if not isinstance(found, list):
            return frozenset()
        return frozenset(str(entry.get("subject")) for entry in found if isinstance(entry, dict))

    def holds(self, subject: str, registered: Registered) -> bool:
        """Whether a schema is or was registered under a subject, asked by its content."""
        body = {"schema": registered.given, "references": registered.references}
        return self._connection.post(f"/subjects/{_quoted(subject)}?deleted=true", body) is not None

    def id_of(self, subject: str, text: str) -> int | None:
        """The id that a schema has under a subject; None when it is not registered there."""
        found = self._connection.post(f"/subjects/{_quoted(subject)}", {"schema": text})
        return None if found is None else self._id(found)

    def register(self, subject: str, text: str) -> int:
        """
        Register a schema under a subject; nothing changes when it is there already.

        Returns: its id.
        Raises: SchemaError with the registry's words when it is incompatible with what is registered.
        """
        try:
            found = self._connection.post(f"/subjects/{_quoted(subject)}/versions", {"schema": text})
        except SchemaError as error:
            raise SchemaError(
                f"{subject}: the registry does not take the schema: {error.message}",
                hint="publish what the registered version has, or change the subject's compatibility level",
            ) from error
        if found is None:
            raise SettingsError(
                f"{self.url}: can't register under {subject}", hint="check `[schema_registry] url`"
            )
        return self._id(found)

    def versions(self, subject: str) -> list[int]:
        """The versions of a subject, ascending; none when it is not there."""
        found = self._connection.get(f"/subjects/{_quoted(subject)}/versions")
        if found is None:
            return []
        if not isinstance(found, list) or not all(_is_number(number) for number in found):
            raise self._odd()
        return sorted(found)

    def version(self, subject: str, number: int) -> Registered | None:
        """A version of a subject; None when it is not there."""
        found = self._connection.get(f"/subjects/{_quoted(subject)}/versions/{number}")
        return None if found is None else self._registered(found, _id_in(found))

    def incompatibilities(self, subject: str, text: str) -> list[str]:
        """Why a schema does not fit the subject's latest version; empty when it does, or when there is no version."""
        path = f"/compatibility/subjects/{_quoted(subject)}/versions/latest?verbose=true"
        found = self._connection.post(path, {"schema": text})
        if found is None:
            return []
        if not isinstance(found, dict):
            raise self._odd()
        if found.get("is_compatible", True):
            return []
        # Confluent's list of messages; Apicurio's one reason.
        messages = found.get("messages") or [found.get("reason") or "incompatible"]
        return [str(message) for message in messages] if isinstance(messages, list) else [str(messages)]

    def _id(self, found: Json) -> int:
        number = _id_in(found)
        if number is None:
            raise Garbled(
                f"{self.url}: an answer without the schema's id", hint="check `[schema_registry] url`"
            )
        return number

    def _odd(self) -> Garbled:
        return Garbled(f"{self.url}: an answer of another shape", hint="check `[schema_registry] url`")

    def _registered(self, found: Json, schema_id: int | None) -> Registered:
        given, references = _content(found)
        if not references:
            return Registered(given, schema_id, given)
        others: dict[tuple[str, int], Json] = {}
        self._gather(references, others)
        text = json.dumps(inlined(_document(given), others.values()))
        return Registered(text, schema_id, given, tuple(references))

    def _gather(self, references: list[Json], others: dict[tuple[str, int], Json]) -> None:
        """Fetch what is referred to, and what that refers to, each once."""
        waiting, size = list(references), 0
        while waiting:
            subject, version = _target(waiting.pop(0))
            if (subject, version) in others:
                continue
            found = self._connection.get(f"/subjects/{_quoted(subject)}/versions/{version}?deleted=true")
            if found is None:
                raise SchemaError(f"the schema that it refers to, {subject} version {version}, is not there")
            given, below = _content(found)
            size += len(given)
            if len(others) >= REFERENCES or size > ANSWER_BYTES:
                raise SchemaError(f"it draws in more than {REFERENCES} schemas or {ANSWER_BYTES} bytes")
            others[subject, version] = _document(given)
            waiting += below


def subject_name(strategy: Literal["topic", "record", "topic-record"], topic: str, record: str) -> str:
    """
    The subject of a topic's values.

    Args:
        strategy: TopicNameStrategy, RecordNameStrategy or TopicRecordNameStrategy.
        topic: the topic.
        record: the schema's full name.
    Source: Confluent's subject name strategies.
    """
    return {"topic": f"{topic}-value", "record": record, "topic-record": f"{topic}-{record}"}[strategy]


def _quoted(name: str) -> str:
    return quote(name, safe="")


def _content(found: Any) -> tuple[str, list[Json]]:
    """Text and references of an answer. Raises: SchemaError when it is not an Avro schema."""
    given = found.get("schema") if isinstance(found, dict) else None
    if not isinstance(given, str):
        raise SchemaError("the registry's answer holds no schema")
    kind = found.get("schemaType")
    if kind not in (None, "", "AVRO"):
        raise SchemaError(f"it is a schema of type {kind}, not Avro", hint="produce the values as Avro")
    references = found.get("references") or []
    if not isinstance(references, list):
        raise SchemaError("its references are not a list")
    return given, references


def _document(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SchemaError(f"the schema is not JSON: {error}") from error


def _id_in(found: Any) -> int | None:
    """The schema's id in an answer; None where it has none."""
    number = found.get("id") if isinstance(found, dict) else None
    return number if _is_number(number) and 0 <= number <= LARGEST_ID else None


def _is_number(found: Any) -> TypeGuard[int]:
    return isinstance(found, int) and not isinstance(found, bool)


def _target(reference: Any) -> tuple[str, int]:
    subject = reference.get("subject") if isinstance(reference, dict) else None
    version = reference.get("version") if isinstance(reference, dict) else None
    if not isinstance(subject, str) or not _is_number(version):
        raise SchemaError("a reference without subject or version")
    return subject, version
