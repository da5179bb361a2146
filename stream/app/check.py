"""Is a model's contract sound, and does it fit the schemas and topics of a configuration? Every finding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from stream.app.parts import model_paths
from stream.app.schemas import prefix_of, read_schema, registry_client, subject_of
from stream.codec import RecordSchema
from stream.codec.compatibility import Difference, compare
from stream.errors import BrokerRefused, PackageError, Refused, Retriable, SchemaError, SettingsError
from stream.manifest import Manifest
from stream.registry import Client
from stream.settings import Settings
from stream.store import Package, current_version, versions
from stream.store.folder import resolve

__all__ = ["Finding", "Severity", "check"]

Severity: TypeAlias = Literal["refused", "hand", "note"]
"""`refused`: the worker would not start. `hand`: it would, but somebody should look. `note`: good to know."""

_DIFFERENCES: dict[str, tuple[Severity, str]] = {
    "missing": ("refused", "write the field again, or pack a model that does not need it"),
    "retyped": ("refused", "write the old type again, or pack the model with the new one"),
    "nullable": ("hand", "records with a null there become dead letters; pack a model that takes nulls"),
    "default": ("hand", "write the field again, or pack a model that does not need it"),
    "promoted": ("note", ""),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """
    One thing that was found.

    Attributes:
        severity: what it means.
        where: what was looked at.
        message: what was found, by name.
        mend: the next thing to do.
    """

    severity: Severity
    where: str
    message: str
    mend: str = ""


def check(settings: Settings, open_it: Callable[[], Package]) -> list[Finding]:
    """
    Look at everything: package, writer schemas, prediction schema, downstream.

    Args:
        settings: the configuration.
        open_it: opens the package as the worker would.
    Returns: all findings, worst first; empty = nothing to say.
    """
    try:
        package = open_it()
    except PackageError as error:
        step = f" (step {error.step})" if error.step else ""
        return [Finding("refused", f"package{step}", error.message, error.mend)]
    found = [Finding("note", "package", note) for note in package.notes]
    found += _input(settings, package)
    found += _output(settings, package)
    return sorted(found, key=lambda one: ("refused", "hand", "note").index(one.severity))


def _input(settings: Settings, package: Package) -> Iterator[Finding]:
    """Model ↔ every schema that events may be written with."""
    features = RecordSchema(package.features)
    if settings.input.schema is not None:
        where = f"[input] schema {settings.input.schema}"
        try:
            writer = read_schema(settings.path(settings.input.schema))
        except SchemaError as error:
            yield Finding("refused", where, error.message, error.mend)
        else:
            yield from _compared(where, writer, features, package.manifest)
    yield from _asked(settings, lambda client: _registered(settings, client, features, package.manifest))


def _registered(
    settings: Settings, client: Client, features: RecordSchema, manifest: Manifest
) -> Iterator[Finding]:
    """Every version of the input's subject. One that is wrong does not stop the worker, only its records."""
    subject = subject_of(settings, "input", features)
    numbers = client.versions(subject) if settings.input_framing == "confluent" else []
    if settings.input_framing == "confluent" and not numbers:
        yield Finding(
            "hand", subject, "the registry has no schema for the input", "register it, or produce events"
        )
    for number in numbers:
        registered = client.version(subject, number)
        where = f"{subject} version {number}"
        if registered is None:
            continue
        try:
            writer = RecordSchema(registered.text)
        except SchemaError as error:
            yield Finding("hand", where, error.message, error.mend)
            continue
        for finding in _compared(where, writer, features, manifest):
            severity: Severity = "hand" if finding.severity == "refused" else finding.severity
            yield Finding(severity, where, finding.message, finding.mend)


def _compared(
    where: str, writer: RecordSchema, features: RecordSchema, manifest: Manifest
) -> Iterator[Finding]:
    for difference in compare(writer, features, model_paths(manifest)):
        yield _finding(where, difference)


def _finding(where: str, difference: Difference) -> Finding:
    severity, mend = _DIFFERENCES[difference.kind]
    return Finding(severity, where, difference.message, mend)


def _output(settings: Settings, package: Package) -> Iterator[Finding]:
    """Prediction schema ↔ what downstream reads today."""
    prediction = RecordSchema(package.prediction)
    if settings.output_framing == "confluent":
        yield from _asked(settings, lambda client: _subject(settings, client, prediction))
    yield from _before(settings, package, prediction)


def _subject(settings: Settings, client: Client, prediction: RecordSchema) -> Iterator[Finding]:
    subject = subject_of(settings, "output", prediction)
    reasons = client.incompatibilities(subject, prediction.text)
    for reason in reasons:
        mend = "carry and publish what the registered version has, or change the subject's compatibility"
        yield Finding("refused", subject, f"prediction.avsc does not fit the latest version: {reason}", mend)
    if reasons:
        return
    try:
        prefix_of(settings, "output", prediction)
    except SettingsError as error:
        yield Finding(
            "hand" if settings.schema_registry.register else "refused", subject, error.message, error.mend
        )


def _before(settings: Settings, package: Package, prediction: RecordSchema) -> Iterator[Finding]:
    """Downstream may still read with the version before: can it read the new predictions?"""
    folder = settings.path(settings.model.uri)
    earlier = [n for n in versions(folder) if n < package.manifest.version]
    if not earlier or resolve(folder) != package.path or current_version(folder) != package.manifest.version:
        return
    before = read_schema(folder / "versions" / str(earlier[-1]) / "prediction.avsc")
    where = f"prediction.avsc of versions {earlier[-1]} and {package.manifest.version}"
    for difference in compare(prediction, before, [leaf.path for leaf in before.leaves()]):
        severity: Severity = "note" if difference.kind == "promoted" else "hand"
        mend = (
            "tell downstream before this version serves, or pack it with the same carried fields and options"
        )
        yield Finding(severity, where, difference.message, mend)


def _asked(settings: Settings, ask: Callable[[Client], Iterator[Finding]]) -> Iterator[Finding]:
    """Findings that need the registry; that it does not answer is a finding too."""
    client = registry_client(settings)
    if client is None:
        return
    try:
        yield from ask(client)
    except (Retriable, BrokerRefused, Refused) as error:
        yield Finding("refused", settings.schema_registry.url, error.message, error.mend)
