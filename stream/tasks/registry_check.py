"""Model ↔ the schemas that a registry has for the input, and those that its topic's records really carry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from stream.codec import RecordSchema, confluent_prefixes
from stream.errors import RecordError, SchemaError, Stopped
from stream.manifest import Manifest
from stream.records import Batch
from stream.registry import Client, RegistryWriters
from stream.resources import subject_of
from stream.settings import Settings
from stream.tasks.findings import Finding, compared

__all__ = ["EDGE_RECORDS", "registered"]

EDGE_RECORDS = 200
"""Records read at each end of each partition: the oldest schemas are at one end, the newest at the other."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """
    What the topic's first and last records say.

    Attributes:
        schemas: text of the schemas that they carry.
        findings: what is wrong with what they carry.
        looked: whether there was any record to look at.
    """

    schemas: frozenset[str]
    findings: tuple[Finding, ...]
    looked: bool


def registered(
    settings: Settings,
    client: Client,
    features: RecordSchema,
    manifest: Manifest,
    look: Callable[[], Batch],
) -> Iterator[Finding]:
    """
    Findings about every version of the input's subject, and about the ids on the topic.

    Args:
        settings: the configuration, with framing `confluent`.
        client: the registry.
        features: what the model needs.
        manifest: of its package.
        look: reads the topic's first and last records; raises Stopped when no broker answers.
    Yields: nothing worse than `warning`: a wrong schema does not stop the worker, only its records. A version
        older than every one that was seen on the topic is information only.
    Raises: as `Client`.
    """
    subject = subject_of(settings, "input", features)
    versions = _versions(client, subject)
    if not versions:
        hint = "register it with `stream produce --register`, or let the producer do it"
        yield Finding("warning", subject, "the registry has no schema for the input", hint)
    known = {text for text in versions.values() if isinstance(text, str)}
    seen = _seen(settings, client, features, manifest, look, known)
    yield from seen.findings
    oldest = min((number for number, text in versions.items() if text in seen.schemas), default=0)
    for number, text in versions.items():
        for finding in _about(f"{subject} version {number}", text, features, manifest):
            gone = number < oldest and text not in seen.schemas
            unseen = " (on none of the topic's first and last records)"
            shown = finding.message + (unseen if seen.looked and text not in seen.schemas else "")
            yield replace(finding, message=shown, severity="info" if gone else finding.severity)


def _versions(client: Client, subject: str) -> dict[int, str | SchemaError]:
    """The text of each version, ascending; or why it can't be used."""
    found: dict[int, str | SchemaError] = {}
    for number in client.versions(subject):
        try:
            version = client.version(subject, number)
        except SchemaError as error:
            found[number] = error
        else:
            if version is not None:
                found[number] = version.text
    return found


def _about(
    where: str, text: str | SchemaError, features: RecordSchema, manifest: Manifest
) -> Iterator[Finding]:
    if isinstance(text, SchemaError):
        yield Finding("warning", where, text.message, "correct the schema in the registry")
        return
    try:
        writer = RecordSchema(text)
    except SchemaError as error:
        yield Finding("warning", where, error.message, error.hint)
        return
    for finding in compared(where, writer, features, manifest):
        yield replace(finding, severity="warning") if finding.severity == "error" else finding


def _seen(
    settings: Settings,
    client: Client,
    features: RecordSchema,
    manifest: Manifest,
    look: Callable[[], Batch],
    known: set[str],
) -> _Seen:
    topic = settings.input.topic
    try:
        batch = look()
    except Stopped as error:
        hint = "start the broker, and check again"
        note = Finding("info", topic, f"its records were not looked at: {error.message}", hint)
        return _Seen(frozenset(), (note,), looked=False)
    writers = RegistryWriters(client, lambda found: subject_of(settings, "input", found))
    writers.prepare(batch.values, batch.headers)
    schemas: set[str] = set()
    findings: list[Finding] = []
    for prefix, count in sorted(_prefixes(batch).items()):
        answer = _answer(writers, prefix)
        if isinstance(answer, RecordSchema):
            if answer.text not in schemas | known:
                findings += _about(f"{topic}, id {prefix[1:].hex()}", answer.text, features, manifest)
            schemas.add(answer.text)
        else:
            message = f"{count} of the {len(batch)} records looked at: {answer.message}"
            findings.append(
                Finding("warning", topic, message, "they become dead letters: see docs/schema-registry.md")
            )
    return _Seen(frozenset(schemas), tuple(findings), looked=len(batch) > 0)


def _prefixes(batch: Batch) -> Counter[bytes]:
    """How many records carry each id; b"" for those that carry none."""
    found: Counter[bytes] = Counter()
    for value, headers in zip(batch.values, batch.headers, strict=True):
        if value is not None:
            found.update(confluent_prefixes([value], [headers]) or {b""})
    return found


def _answer(writers: RegistryWriters, prefix: bytes) -> RecordSchema | RecordError:
    if not prefix:
        return RecordError("they do not carry a schema's id", reason="not_framed")
    if prefix[0] == 0:
        return writers.by_id(int.from_bytes(prefix[1:], "big"))
    return writers.by_guid(prefix[1:])
