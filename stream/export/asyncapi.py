"""
An AsyncAPI document of a configuration: its three topics, what is on them, and how they are reached.

Source: AsyncAPI 3.0.0 (spec.asyncapi.com); its Kafka bindings 0.5.0; `schemaFormat` of Avro 1.9.0.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from stream.codec import RecordSchema
from stream.deadletter import HEADERS
from stream.export.asyncapi_servers import KAFKA_BINDING, Document, security_schemes, servers
from stream.manifest import Manifest
from stream.reasons import TABLE
from stream.settings import Settings, Side

__all__ = ["asyncapi_document"]

_AVRO = "application/vnd.apache.avro;version=1.9.0"

_CONTENT = "application/vnd.apache.avro"
"""A value: Avro's binary encoding behind its framing."""

_STAGES = ("decode", "contract", "score", "encode", "publish")


def asyncapi_document(
    settings: Settings, manifest: Manifest, event: RecordSchema, prediction: RecordSchema
) -> bytes:
    """
    The document.

    Args:
        settings: the configuration: topics, servers, group, framing.
        manifest: of the model.
        event: what an event is written with.
        prediction: what a prediction is written with.
    Returns: JSON, ending with a newline.
    """
    security = security_schemes(settings)
    document = {
        "asyncapi": "3.0.0",
        "info": {
            "title": f"{manifest.name}: predictions on Kafka",
            "version": str(manifest.version),
            "description": f"Events in, predictions of {manifest.model} out; what can't be scored is a dead letter. "
            "Every event ends as exactly one of the two.",
        },
        "defaultContentType": _CONTENT,
        "servers": servers(settings, security),
        "channels": _channels(settings),
        "operations": _operations(settings),
        "components": {
            "messages": {
                "event": _event(settings, event),
                "prediction": _prediction(settings, manifest, prediction),
                "deadLetter": _dead_letter(),
            },
            **({"securitySchemes": security} if security else {}),
        },
    }
    return f"{json.dumps(document, indent=2, ensure_ascii=False)}\n".encode()


def _channels(settings: Settings) -> Document:
    replicas = settings.input.replication
    said = {
        "events": (settings.input.topic, "event", "What is to be scored."),
        "predictions": (
            settings.output.topic,
            "prediction",
            "The answers, in the partition of the event's key.",
        ),
        "deadLetters": (
            settings.dead_letters.topic,
            "deadLetter",
            "What could not be scored, with the reason.",
        ),
    }
    return {
        name: {
            "address": topic,
            "title": topic,
            "description": f"{what} Partitions are those that `stream topics --create` makes.",
            "messages": {message: {"$ref": f"#/components/messages/{message}"}},
            "bindings": {
                "kafka": {
                    "topic": topic,
                    "partitions": settings.input.partitions,
                    **({"replicas": replicas} if replicas else {}),
                    **KAFKA_BINDING,
                }
            },
        }
        for name, (topic, message, what) in said.items()
    }


def _operations(settings: Settings) -> Document:
    group = {"groupId": {"type": "string", "enum": [settings.kafka.group]}, **KAFKA_BINDING}
    exactly = settings.delivery.guarantee == "exactly-once"
    how = (
        "in one transaction with the events' offsets"
        if exactly
        else "before the events' offsets: some may repeat"
    )
    sends = {"publishPredictions": "predictions", "publishDeadLetters": "deadLetters"}
    return {
        "readEvents": {
            "action": "receive",
            "channel": {"$ref": "#/channels/events"},
            "summary": "The workers of the group share the partitions.",
            "bindings": {"kafka": group},
        },
        **{
            name: {
                "action": "send",
                "channel": {"$ref": f"#/channels/{channel}"},
                "summary": f"Written {how} ({settings.delivery.guarantee}); read it with read_committed.",
            }
            for name, channel in sends.items()
        },
    }


def _event(settings: Settings, schema: RecordSchema) -> Document:
    nulls = {
        "dead-letter": "becomes a dead letter",
        "skip": "is skipped",
        "forward": "is forwarded as a null prediction",
    }[settings.input.null_value]
    return {
        "name": schema.name,
        "title": "An event",
        "summary": f"{_framing(settings, 'input', schema)} A null value {nulls}.",
        "contentType": _CONTENT,
        "headers": {
            "type": "object",
            "description": "Any; a prediction keeps them.",
            "additionalProperties": True,
        },
        "payload": {"schemaFormat": _AVRO, "schema": _avro(json.loads(schema.text))},
        "bindings": {"kafka": _located(settings, "input")},
    }


def _prediction(settings: Settings, manifest: Manifest, schema: RecordSchema) -> Document:
    meaning = f" `score` is {manifest.score_meaning}." if manifest.score_meaning else ""
    return {
        "name": schema.name,
        "title": "A prediction",
        "summary": f"{_framing(settings, 'output', schema)} Key, headers and timestamp are the event's.{meaning}",
        "contentType": _CONTENT,
        "headers": {
            "type": "object",
            "description": "The event's, without `__value_schema_id`, which speaks of the event's value.",
            "additionalProperties": True,
        },
        "payload": {"schemaFormat": _AVRO, "schema": _avro(json.loads(schema.text))},
        "bindings": {"kafka": _located(settings, "output")},
    }


def _dead_letter() -> Document:
    said: Mapping[str, Document] = {
        "__connect.errors.stage": {"enum": list(_STAGES)},
        "stream.error.reason": {"enum": [each.name for each in TABLE if each.stages]},
        **{
            name: {"pattern": "^[0-9]+$"}
            for name in (
                "__connect.errors.partition", "__connect.errors.offset", "__connect.errors.task.id",
                "stream.error.count",
            )
        },
    }  # fmt: skip
    return {
        "name": "DeadLetter",
        "title": "A dead letter",
        "summary": "The event's key, value and timestamp as they came, its headers, and headers that say why.",
        "contentType": "application/octet-stream",
        "headers": {
            "type": "object",
            "required": list(HEADERS),
            "properties": {
                name: {"type": "string", "description": meaning, **said.get(name, {})}
                for name, meaning in HEADERS.items()
            },
            "additionalProperties": True,
        },
        "payload": {
            "type": ["string", "null"],
            "description": "The event's value, byte for byte: whatever it was that could not be scored.",
        },
        "bindings": {"kafka": dict(KAFKA_BINDING)},
    }


def _avro(schema: Any) -> Any:
    """
    A schema with names as AsyncAPI's rules have them: without dots, the namespace apart.

    A dotted alias, which those rules don't know, is left out: it is for readers of older values.
    """
    if isinstance(schema, list):
        return [_avro(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {
        key: _avro(value) if key in ("type", "items", "values", "fields") else value
        for key, value in schema.items()
    }
    if "." in str(found.get("name", "")):
        found["namespace"], _, found["name"] = found["name"].rpartition(".")
    if "aliases" in found:
        found["aliases"] = [alias for alias in found["aliases"] if "." not in alias]
    return found


def _framing(settings: Settings, side: Side, schema: RecordSchema) -> str:
    """How a value names its schema."""
    framing = settings.framing(side)
    if framing == "bare":
        return "The value is Avro without framing."
    if framing == "single-object":
        prefix = schema.fingerprint.hex(" ")
        return f"The value is in Avro's single-object encoding: C3 01, the schema's CRC-64-AVRO ({prefix}), the Avro."
    if side == "output":
        return "The value is 00, the schema's id in the registry (4 bytes), the Avro."
    return (
        "The value is 00 and the schema's id in the registry (4 bytes), or 01 and its GUID (16 bytes), and the Avro; "
        "or the header `__value_schema_id` holds these bytes."
    )


def _located(settings: Settings, side: Side) -> Document:
    """Where the schema's id is, in the binding's words; none for what is not in a value."""
    framing = settings.framing(side)
    if framing == "bare":
        return dict(KAFKA_BINDING)
    encoding = {"schemaIdPayloadEncoding": "confluent"} if framing == "confluent" else {}
    return {"schemaIdLocation": "payload", **encoding, **KAFKA_BINDING}
