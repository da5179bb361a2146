"""Configurations of many kinds, and the AsyncAPI document of each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from stream.codec import RecordSchema
from stream.export.asyncapi import asyncapi_document
from stream.manifest import Manifest
from stream.settings import (
    DeliverySettings,
    InputSettings,
    KafkaSettings,
    OutputSettings,
    RegistrySettings,
    Secret,
    Settings,
)

__all__ = ["CASES", "SECRETS", "document_of"]

SECRETS = ("s3cret-pass", "s3cret-user", "s3cret-query")
"""Nothing of these may be in a document."""

PLAIN = {"type": "record", "name": "Event", "fields": [{"name": "a", "type": "double"}]}

WIDE: dict[str, Any] = {
    "type": "record",
    "name": "shop.events.Order",
    "doc": "An order.",
    "aliases": ["Purchase", "old.shop.Order"],
    "fields": [
        {"name": "id", "type": {"type": "string", "logicalType": "uuid"}, "doc": "Its number."},
        {"name": "paid", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}, "order": "ignore"},
        {"name": "kind", "type": {"type": "enum", "name": "shop.kinds.Kind", "symbols": ["A", "B"], "default": "A"}},
        {"name": "mark", "type": {"type": "fixed", "name": "Mark", "size": 4}, "default": "\u0000\u0000\u0000\u0000"},
        {"name": "other", "type": ["null", "shop.kinds.Kind"], "default": None, "aliases": ["other_kind"]},
        {"name": "lines", "type": {"type": "array", "items": {
            "type": "record", "name": "Line", "namespace": "shop.lines",
            "fields": [{"name": "price", "type": ["null", "double"], "default": None},
                       {"name": "next", "type": ["null", "Line"], "default": None}]}}},
        {"name": "tags", "type": {"type": "map", "values": ["null", "string", "shop.lines.Line"]}},
        {"name": "mean_radius__cm_", "type": "double", "feature": "mean radius (cm)", "default": 0.5},
    ],
}  # fmt: skip

PREDICTION = {
    "type": "record",
    "name": "Prediction",
    "namespace": "shop",
    "fields": [
        {"name": "label", "type": "boolean"},
        {"name": "score", "type": "double"},
        {"name": "probabilities", "type": {"type": "array", "items": "double"}},
        {"name": "model", "type": "string", "doc": "name@version"},
    ],
}

_SASL: dict[str, Any] = {
    "security.protocol": "SASL_SSL",
    "sasl.mechanism": "SCRAM-SHA-512",
    "sasl.username": "s3cret-user",
    "sasl.password": Secret("s3cret-pass"),
    "ssl.key.password": "s3cret-pass",
}


def _kafka(**properties: object) -> Settings:
    return Settings(KafkaSettings("b-1:9093, b-2:9093,[::1]:9093", properties={**_SASL, **properties}))  # type: ignore[dict-item]


CASES: Mapping[str, Settings] = {
    "defaults": Settings(),
    "scram": _kafka(),
    "plain": _kafka(**{"sasl.mechanism": "PLAIN", "security.protocol": "sasl_plaintext"}),
    "gssapi": _kafka(**{"sasl.mechanism": "GSSAPI"}),
    "oauth": _kafka(
        **{
            "sasl.mechanism": "OAUTHBEARER",
            "sasl.oauthbearer.token.endpoint.url": "https://s3cret-user:s3cret-pass@idp/token?k=s3cret-query",
            "sasl.oauthbearer.scope": "kafka write",
            "sasl.oauthbearer.client.secret": "s3cret-pass",
        }
    ),
    "oauth by a callback": _kafka(**{"sasl.mechanism": "OAUTHBEARER"}),
    "mutual tls": Settings(
        KafkaSettings(properties={"security.protocol": "ssl", "ssl.certificate.location": "c.pem"})
    ),
    "registry": Settings(
        schema_registry=RegistrySettings("https://s3cret-user:s3cret-pass@registry:8081/base?k=s3cret-query")
    ),
    "bare": Settings(
        input=InputSettings("shop.in", framing="bare", null_value="forward", partitions=12, replication=3),
        output=OutputSettings("shop.out", framing="bare"),
        delivery=DeliverySettings("at-least-once"),
    ),
}
"""By what is special about each."""

MANIFEST = Manifest("shop-orders", 3, "2026-11-27T00:00:00Z", "classifier", "frame", (), 0, (False, True),
                    answer="boolean", score="predict_proba")  # fmt: skip


def document_of(settings: Settings, event: Mapping[str, Any] = WIDE, **changed: Any) -> str:
    """The document's text."""
    schemas = RecordSchema(json.dumps(event)), RecordSchema(json.dumps(PREDICTION))
    return asyncapi_document(settings, replace(MANIFEST, **changed), *schemas).decode()
