"""The schema registry, and the schemas of both topics: there, and the right ones?"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, get_args

from stream.doctor.case import Case
from stream.doctor.diagnosis import Diagnosis, fail, ok, warn, worst
from stream.errors import SchemaError, StreamError
from stream.settings import Seconds, Settings

if TYPE_CHECKING:
    from stream.codec import RecordSchema
    from stream.registry import Client
    from stream.tasks import Finding

__all__ = ["input_schema", "output_schema", "registry"]

ANSWER_S = 3.0
"""For all of a check's questions to the registry."""

PROBE = "prediction-stream"
"""A subject that hardly any registry has; that it says so is what counts."""

_STRATEGY = Literal["topic", "record", "topic-record"]


def registry(case: Case) -> Diagnosis:
    """Does it answer, and let us in?"""
    from stream.registry import Denied
    from stream.resources import registry_client

    chosen = case.settings.schema_registry
    patient = replace(chosen, timeout=Seconds(min(chosen.timeout, ANSWER_S)))
    client = registry_client(replace(case.settings, schema_registry=patient))
    if client is None:
        return ok("[schema_registry] url", "none is configured: schemas are files")
    try:
        # One that does not let us read this answers, too: rights may be on subjects.
        with client.within(case.deadline.left_s(ANSWER_S)), suppress(Denied):
            client.versions(PROBE)
    except StreamError:
        client.close()
        raise
    case.registry = client
    return ok(chosen.url, "answers")


def _asks(settings: Settings, side: Literal["input", "output"]) -> bool:
    return settings.framing(side) == "confluent" and bool(settings.schema_registry.url)


def input_schema(case: Case) -> Diagnosis:
    """Can the model be fed with what the newest registered schema, or the configured file, writes?"""
    from stream.resources import package_schema, read_schema

    settings = case.settings
    features = package_schema(settings, "features.avsc")
    chosen = settings.input.schema
    about = f"[input] schema {chosen}" if chosen is not None else case.package.model
    found: list[Diagnosis] = []
    if chosen is not None:
        found += _compared(case, about, read_schema(settings.path(chosen)), features)
    if _asks(settings, "input"):
        assert case.registry is not None
        with case.registry.within(case.deadline.left_s(ANSWER_S)):
            found += _registered(case, case.registry, features)
    return worst(
        found[0].looked_at if found else about,
        found or [ok(about, "its own schemas are what events are read with")],
    )


def _compared(case: Case, about: str, writer: RecordSchema, features: RecordSchema) -> list[Diagnosis]:
    from stream.tasks import compared

    found = list(compared(about, writer, features, case.package))
    return [_of_finding(each) for each in found if each.severity != "info"] or [
        ok(about, f"has what {case.package.model} needs")
    ]


def _of_finding(finding: Finding) -> Diagnosis:
    state = fail if finding.severity == "error" else warn
    return state(finding.where, finding.message, finding.hint)


def _registered(case: Case, client: Client, features: RecordSchema) -> Sequence[Diagnosis]:
    from stream.codec import RecordSchema
    from stream.resources import subject_of

    subject = subject_of(case.settings, "input", features)
    versions = client.versions(subject)
    about = f"subject {subject}"
    if not versions:
        return [_missing(case, client, about, features)]
    newest = client.version(subject, versions[-1])
    if newest is None:
        return [warn(about, f"version {versions[-1]} was deleted meanwhile", "run the doctor again")]
    about = f"{about} version {versions[-1]}"
    try:
        return _compared(case, about, RecordSchema(newest.text), features)
    except SchemaError as error:
        return [fail(about, error.message, error.hint or "correct the schema in the registry")]


def _missing(case: Case, client: Client, about: str, features: RecordSchema) -> Diagnosis:
    """No version: has the producer another way of naming subjects?"""
    from stream.registry import subject_name

    topic, own = case.settings.input.topic, case.settings.schema_registry.subject
    for strategy in get_args(_STRATEGY):
        name = subject_name(strategy, topic, features.name)
        if strategy != own and client.versions(name):
            return fail(
                about,
                f"the registry has no such subject, but it has {name}: its ids would be dead letters "
                "(schema_not_allowed)",
                f'set `[schema_registry] subject = "{strategy}"`, or let the producer register under {about}',
            )
    return fail(
        about,
        "the registry has no such subject: no event's id would be allowed",
        "register it with `stream produce --register`, let the producer do it, or correct [schema_registry] subject",
    )


def output_schema(case: Case) -> Diagnosis:
    """Is the predictions' schema registered, or could it be?"""
    from stream.resources import package_schema, subject_of

    settings = case.settings
    prediction = package_schema(settings, "prediction.avsc")
    if not _asks(settings, "output"):
        return ok(case.package.model, f"{prediction.name}, framed as {settings.framing('output')}")
    assert case.registry is not None
    subject = subject_of(settings, "output", prediction)
    about = f"subject {subject}"
    with case.registry.within(case.deadline.left_s(ANSWER_S)):
        known = case.registry.id_of(subject, prediction.text)
        if known is not None:
            return ok(about, f"{prediction.name} is registered, id {known}")
        reasons = case.registry.incompatibilities(subject, prediction.text)
    if reasons:
        step = (
            "carry and publish what the registered version has, or change the subject's compatibility level"
        )
        return fail(about, f"prediction.avsc does not fit the latest version: {'; '.join(reasons)}", step)
    if settings.schema_registry.register:
        return ok(
            about, f"{prediction.name} is not registered yet; the worker does it ([schema_registry] register)"
        )
    return fail(
        about,
        f"{prediction.name} is not registered; it is compatible",
        "register it with `stream topics --create`",
    )
