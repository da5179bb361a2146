"""An explained prediction as the command line shows it: a JSON object, a page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from stream.cli.letter_shown import instant
from stream.cli.terminal import as_json, short

if TYPE_CHECKING:
    from stream.explain import EventView, Explanation, KafkaRecord, Rescoring, VersionView

__all__ = ["explanation_entry", "explanation_lines"]

Line = str | list[dict[str, object]]
"""A line for people, or the rows of a table."""


def _text(content: bytes | None) -> str | None:
    return None if content is None else content.decode("utf-8", "replace")


def _hex(content: bytes | None) -> str | None:
    return None if content is None else content.hex()


def _record(record: KafkaRecord) -> dict[str, object]:
    return {
        "topic": record.place.topic,
        "partition": record.place.partition,
        "offset": record.place.offset,
        "timestamp": instant(record.timestamp_ms),
        "key": _text(record.key),
        "key_hex": _hex(record.key),
        "headers": [[name, _text(content)] for name, content in record.headers],
        "value_hex": _hex(record.value),
    }


def explanation_entry(seen: Explanation) -> dict[str, object]:
    """All of it, as JSON has it; docs/explain.md lists the keys."""
    from stream.explain import CLAIMS

    return {
        "proven": seen.proven,
        "claims": [
            {"claim": each.name, "standing": each.standing, "says": CLAIMS[each.name][0], "found": each.found}
            for each in seen.claims
        ],
        "prediction": _prediction_entry(seen),
        "others": [
            {
                "partition": one.place.partition,
                "offset": one.place.offset,
                "timestamp": instant(one.timestamp_ms),
            }
            for one in seen.others
        ],
        "event": _event_entry(seen),
        "package": None if seen.version is None else _package_entry(seen.version),
        "features": [asdict(feature) for feature in seen.features],
        "rescored": None if seen.rescoring is None else _rescored_entry(seen.rescoring, seen),
    }


def _prediction_entry(seen: Explanation) -> dict[str, object]:
    from stream.explain import Published

    place = {"topic": seen.place.topic, "partition": seen.place.partition, "offset": seen.place.offset}
    read = seen.published if isinstance(seen.published, Published) else None
    return {
        **(place if seen.record is None else _record(seen.record)),
        "gone": None if seen.gone is None else seen.gone.why,
        "schema": None if read is None else _schema(read.schema, read.found_by),
        "fields": None if read is None else read.fields,
    }


def _schema(schema: object, found_by: str) -> dict[str, object]:
    from stream.codec import RecordSchema

    assert isinstance(schema, RecordSchema)
    return {
        "name": schema.name,
        "fingerprint": schema.fingerprint.hex(),
        "found_by": found_by,
        "avro": json.loads(schema.text),
    }


def _event_entry(seen: Explanation) -> dict[str, object] | None:
    event = seen.event
    if event is None:
        return None if seen.event_gone is None else {"gone": seen.event_gone.why}
    fault = event.fault
    return {
        **_record(event.record),
        "gone": None,
        "differs_in": list(seen.strange),
        "schema": None if event.writer is None else _schema(event.writer, event.found_by),
        "fields": None if event.writer is None else event.fields,
        "fault": None
        if fault is None
        else {"stage": fault.stage, "reason": fault.reason, "message": fault.message},
        "carried": seen.carried,
    }


def _package_entry(version: VersionView) -> dict[str, object]:
    shown, refused = version.shown, version.refused
    entry: dict[str, object] = {
        "model": version.model,
        "gone": version.gone or None,
        "refused": None if refused is None else {"step": refused.step, "message": refused.message},
        "passed": version.passed,
    }
    if shown is None:
        return entry
    manifest = shown.manifest
    return {
        **entry,
        "folder": str(shown.path),
        "created": manifest.created,
        "manifest_sha256": version.sha256,
        "files": {name: asdict(file) for name, file in manifest.files.items()},
        "schemas": shown.fingerprints,
        "signed": shown.signed,
        "signer": shown.signer,
        "task": manifest.task,
        "tolerance": manifest.tolerance,
        "metrics": dict(manifest.metrics),
        "libraries": dict(manifest.libraries),
        "fitted": dict(manifest.fitted),
        "differences": list(shown.differences),
        "proof": None if manifest.proof is None else asdict(manifest.proof),
    }


def _rescored_entry(rescoring: Rescoring, seen: Explanation) -> dict[str, object]:
    from stream.explain import Published

    best = rescoring.best
    then = seen.published.body if isinstance(seen.published, Published) else None
    return {
        "likeness": best.likeness,
        "how": best.how,
        "difference": best.difference,
        "answer": best.answer,
        "value_equal": best.value is not None and best.value == then,
        "attempts": [
            {
                "how": each.how,
                "likeness": each.likeness,
                "difference": each.difference,
                "reason": None if each.fault is None else each.fault.reason,
            }
            for each in rescoring.attempts
        ],
    }


def explanation_lines(seen: Explanation) -> Iterator[Line]:
    """A page for people."""
    yield f"prediction {seen.place}" + ("" if seen.gone is None else f": gone: {seen.gone.why}")
    if seen.record is not None:
        yield from _record_lines(seen.record)
        yield from _published_lines(seen)
    if seen.others:
        places = [f"{one.place.partition}:{one.place.offset}" for one in seen.others]
        more = f" and {len(places) - 10} more (--json has all)" if len(places) > 10 else ""
        yield f"  {'others':<11}{', '.join(places[:10])}{more}: predictions with the same key"
    if seen.event_gone is not None:
        yield f"event: gone: {seen.event_gone.why}"
    if seen.event is not None:
        yield from _event_lines(seen.event)
    if seen.version is not None:
        yield from _version_lines(seen.version)
    if seen.features:
        yield "features, as the model saw them"
        yield [_feature_row(asdict(feature)) for feature in seen.features]
    if seen.rescoring is not None:
        yield from _rescored_lines(seen.rescoring, seen)
    yield "claims"
    for each in seen.claims:
        yield f"  {each.standing:<11}{each.name:<12}{each.found}"
    yield "all of it is proven" if seen.proven else "not all of it is proven"


def _record_lines(record: KafkaRecord) -> Iterator[str]:
    if record.key is not None:
        yield f"  {'key':<11}{short(_text(record.key))}"
    if stamp := instant(record.timestamp_ms):
        yield f"  {'time':<11}{stamp}"
    for name, content in record.headers:
        yield f"  {'header':<11}{short(name)} = {'null' if content is None else short(_text(content))}"


def _published_lines(seen: Explanation) -> Iterator[Line]:
    from stream.explain import Published

    if not isinstance(seen.published, Published):
        return
    best = None if seen.rescoring is None else seen.rescoring.best
    again = (best.answer or {}) if best is not None else {}
    yield [
        {
            "field": name,
            "published": _value(value),
            "scored again": _value(again[name]) if name in again else "",
        }
        for name, value in seen.published.fields.items()
    ]


def _event_lines(event: EventView) -> Iterator[Line]:
    yield f"event {event.record.place}"
    yield from _record_lines(event.record)
    if event.writer is not None:
        yield f"  {'schema':<11}{event.writer.name}, fingerprint {event.writer.fingerprint.hex()}: {event.found_by}"
        yield [{"field": name, "value": _value(value)} for name, value in event.fields.items()]
    if event.fault is not None:
        yield f"  {'not read':<11}{event.fault.stage}, {event.fault.reason}: {event.fault.message}"


def _version_lines(version: VersionView) -> Iterator[Line]:
    yield f"model {version.model}" + (f": gone: {version.gone}" if version.gone else "")
    if version.shown is None:
        return
    shown, manifest = version.shown, version.shown.manifest
    signer = f" by {shown.signer}" if shown.signer else ""
    rows: dict[str, object] = {
        "folder": shown.path,
        "packed": manifest.created,
        "manifest": f"sha256 {version.sha256}",
        **{name: f"sha256 {file.sha256}" for name, file in manifest.files.items()},
        "signed": f"{shown.signed}{signer}",
        "metrics": ", ".join(f"{name} {short(value)}" for name, value in manifest.metrics.items()) or "none",
        **_training_run(manifest.metrics),
        "libraries": ", ".join(f"{name} {text}" for name, text in manifest.libraries.items()),
    }
    for name, value in rows.items():
        yield f"  {short(name):<16}{short(value) if name != 'folder' else value}"
    for difference in shown.differences:
        yield f"  {'differs here':<16}{difference}"


def _training_run(metrics: Mapping[str, float | int | str]) -> dict[str, object]:
    """The run of MLflow that made the version, where `stream train --track` noted one."""
    if "mlflow_run_id" not in metrics:
        return {}
    names = ("mlflow_run_id", "mlflow_experiment", "mlflow_tracking_uri")
    run, experiment, place = (short(metrics.get(name, "unknown")) for name in names)
    return {"training run": f"{run} of the experiment {experiment} at {place}"}


def _feature_row(feature: dict[str, object]) -> dict[str, object]:
    missing = feature["missing"]
    return {
        "feature": feature["name"],
        "field": feature["path"],
        "event has": _value(feature["written"])
        if feature["source"] == "event"
        else "not written: the default",
        "model saw": missing or _value(feature["value"]),
        "as": feature["dtype"],
    }


def _rescored_lines(rescoring: Rescoring, seen: Explanation) -> Iterator[Line]:
    yield "scored again by that version"
    yield [
        {
            "how": each.how,
            "answer": each.likeness if each.fault is None else f"dead letter: {each.fault.reason}",
            "largest difference": "" if each.difference is None else f"{each.difference:.3g}",
        }
        for each in rescoring.attempts
    ]


def _value(value: object) -> str:
    """Exact: an auditor compares digits."""
    return as_json(value)
