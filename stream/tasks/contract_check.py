"""Is a model's contract sound, and does it fit the schemas and topics of a configuration? Every finding."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from functools import partial

from stream.codec import RecordSchema, compare
from stream.errors import (
    BrokerRefused,
    PackageError,
    Refused,
    Retriable,
    SchemaError,
    SettingsError,
    Stopped,
    StreamError,
)
from stream.first_opening import FirstOpening
from stream.records import Batch
from stream.registry import Client
from stream.resources import open_configured, package_folder, read_schema, registry_client, subject_of
from stream.settings import Settings
from stream.store import Package, current_version, resolve, versions
from stream.tasks.findings import Finding, Severity, compared
from stream.tasks.memory_needs import too_little_memory
from stream.tasks.registry_check import EDGE_RECORDS, registered
from stream.tasks.writers_check import unregistered
from stream.transport import Cluster, first_and_last

__all__ = ["check_contract", "topics_there"]

ANSWER_S = 5.0
"""Time for the broker to list its topics; a person is waiting."""


def topics_there(settings: Settings) -> Collection[str]:
    """The broker's topics. Raises: Retriable when it does not answer, BrokerRefused when it refuses us."""
    return Cluster(settings.kafka).topics(ANSWER_S)


def edge_records(settings: Settings) -> Batch:
    """The input topic's first and last records. Raises: Stopped when no broker answers or it refuses."""
    return first_and_last(settings.kafka, settings.input.topic, EDGE_RECORDS)


def check_contract(
    settings: Settings,
    look: Callable[[Settings], Collection[str]] = topics_there,
    read: Callable[[Settings], Batch] = edge_records,
    opening: FirstOpening | None = None,
) -> list[Finding]:
    """
    Look at everything: package, writer schemas, prediction schema, downstream, memory, topics.

    Args:
        settings: the configuration.
        look: which topics there are.
        read: reads the input topic's first and last records.
        opening: starts the child process that opens the package first; None = it is opened here at once.
    Returns: all findings, worst first; empty = nothing found.
    """
    there = _there(settings, look)
    try:
        package = open_configured(settings, opening=opening)
    except PackageError as error:
        step = f" (step {error.step})" if error.step else ""
        found = [Finding("error", f"package{step}", error.message, error.hint)]
    else:
        found = [Finding("info", "package", note) for note in package.notes]
        if settings.model.engine == "auto" and package.engine.startswith("sklearn"):
            message = f"few rows at a time are answered by {package.engine}"
            found.append(Finding("info", "[model] engine", message))
        found += _input(settings, package, partial(_records, settings, read, there))
        found += _output(settings, package)
        found += too_little_memory(settings, package.manifest)
    found += _topics(settings, there)
    return sorted(found, key=lambda one: ("error", "warning", "info").index(one.severity))


def _there(settings: Settings, look: Callable[[Settings], Collection[str]]) -> Collection[str] | StreamError:
    """The broker's topics, or why they can't be listed."""
    try:
        return look(settings)
    except (Retriable, Stopped, SettingsError) as error:
        return error


def _records(
    settings: Settings, read: Callable[[Settings], Batch], there: Collection[str] | StreamError
) -> Batch:
    """The input topic's first and last records; a broker that has not answered is not waited for again."""
    if isinstance(there, Retriable):
        raise Stopped(there.message)
    return read(settings)


def _topics(settings: Settings, there: Collection[str] | StreamError) -> Iterator[Finding]:
    """The configuration's topics ↔ the broker's. One that does not answer proves nothing: the worker waits."""
    where = f"[kafka] bootstrap_servers {settings.kafka.bootstrap_servers}"
    if isinstance(there, Retriable):
        message = f"no broker answers, so the topics were not checked: {there.message}"
        yield Finding("info", where, message, there.hint or "start the broker, or correct `[kafka]`")
        return
    if isinstance(there, StreamError):
        yield Finding("error", where, f"the topics can't be listed: {there.message}", there.hint)
        return
    wanted = {
        "[input] topic": settings.input.topic,
        "[output] topic": settings.output.topic,
        "[dead_letters] topic": settings.dead_letters.topic,
    }
    for key, topic in wanted.items():
        if topic not in there:
            message = f"the topic is not at {settings.kafka.bootstrap_servers}, or this user may not see it"
            yield Finding("warning", f"{key} {topic}", message, "create it with `stream topics --create`")


def _input(settings: Settings, package: Package, read: Callable[[], Batch]) -> Iterator[Finding]:
    """Model ↔ every schema that events may be written with."""
    features = RecordSchema(package.features)
    if settings.input.schema is not None:
        where = f"[input] schema {settings.input.schema}"
        try:
            writer = read_schema(settings.path(settings.input.schema))
        except SchemaError as error:
            yield Finding("error", where, error.message, error.hint)
        else:
            yield from compared(where, writer, features, package.manifest)
    if settings.framing("input") == "confluent" and settings.schema_registry.url:
        yield from _asked(
            settings, lambda client: registered(settings, client, features, package.manifest, read)
        )
    else:
        yield from unregistered(settings, package, read)


def _output(settings: Settings, package: Package) -> Iterator[Finding]:
    """Prediction schema ↔ what downstream reads today."""
    prediction = RecordSchema(package.prediction)
    if settings.framing("output") == "confluent":
        yield from _asked(settings, lambda client: _against_subject(settings, client, prediction))
    yield from _against_version_before(settings, package, prediction)


def _against_subject(settings: Settings, client: Client, prediction: RecordSchema) -> Iterator[Finding]:
    subject = subject_of(settings, "output", prediction)
    if client.id_of(subject, prediction.text) is not None:
        return
    hint = "carry and publish what the registered version has, or change the subject's compatibility level"
    reasons = client.incompatibilities(subject, prediction.text)
    for reason in reasons:
        yield Finding("error", subject, f"prediction.avsc does not fit the latest version: {reason}", hint)
    if not reasons:
        severity: Severity = "info" if settings.schema_registry.register else "error"
        message = f"{prediction.name} is not registered; it is compatible with what is"
        yield Finding(severity, subject, message, "register it with `stream topics --create`")


def _against_version_before(
    settings: Settings, package: Package, prediction: RecordSchema
) -> Iterator[Finding]:
    """Downstream may still read with the version before: can it read the new predictions?"""
    folder = package_folder(settings)
    earlier = [n for n in versions(folder) if n < package.manifest.version]
    if not earlier or resolve(folder) != package.path or current_version(folder) != package.manifest.version:
        return
    before = read_schema(folder / "versions" / str(earlier[-1]) / "prediction.avsc")
    where = f"prediction.avsc of versions {earlier[-1]} and {package.manifest.version}"
    for difference in compare(prediction, before, [leaf.path for leaf in before.leaves()]):
        severity: Severity = "info" if difference.kind == "promoted" else "warning"
        hint = "tell its consumers before this version serves, or pack it with the same carried fields and options"
        yield Finding(severity, where, difference.message, hint)


def _asked(settings: Settings, ask: Callable[[Client], Iterator[Finding]]) -> Iterator[Finding]:
    """Findings that need the registry; a registry that does not answer is a finding too."""
    client = registry_client(settings)
    if client is None:
        return
    try:
        with client:
            yield from ask(client)
    except (Retriable, BrokerRefused, Refused) as error:
        yield Finding("error", settings.schema_registry.url, error.message, error.hint)
