"""
The servers of an AsyncAPI document, and how to log in there, without secrets.

Of the client's properties only the protocol, the mechanism and an OAuth endpoint are looked at; an address loses the
credentials that it holds.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from stream.settings import Settings

__all__ = ["KAFKA_BINDING", "Document", "security_schemes", "servers"]

KAFKA_BINDING = {"bindingVersion": "0.5.0"}
"""What every Kafka binding begins with."""

Document = dict[str, Any]
"""An object of JSON."""

_MECHANISMS = {
    "PLAIN": {"type": "plain"},
    "SCRAM-SHA-256": {"type": "scramSha256"},
    "SCRAM-SHA-512": {"type": "scramSha512"},
    "GSSAPI": {"type": "gssapi"},
}
"""SASL's mechanism → AsyncAPI's security scheme; OAUTHBEARER apart."""


def servers(settings: Settings, security: Document) -> Document:
    """
    The bootstrap servers.

    Args:
        settings: the configuration.
        security: what `security_schemes` gives.
    Returns: a server of AsyncAPI each, by name.
    """
    protocol = _property(settings, "security.protocol", "plaintext").upper()
    secure = protocol in ("SSL", "SASL_SSL")
    registry = settings.schema_registry.url
    vendor = (
        {"schemaRegistryUrl": _without_user(registry), "schemaRegistryVendor": "confluent"}
        if registry
        else {}
    )
    server = {
        "protocol": "kafka-secure" if secure else "kafka",
        "description": f"A bootstrap server; security.protocol is {protocol}.",
        **(
            {"security": [{"$ref": f"#/components/securitySchemes/{name}"} for name in security]}
            if security
            else {}
        ),
        "bindings": {"kafka": {**vendor, **KAFKA_BINDING}},
    }
    hosts = [host.strip() for host in settings.kafka.bootstrap_servers.split(",") if host.strip()]
    return {f"kafka-{number}": {"host": host, **server} for number, host in enumerate(hosts, start=1)}


def security_schemes(settings: Settings) -> Document:
    """The security schemes of AsyncAPI, by name; none where clients need no credentials."""
    protocol = _property(settings, "security.protocol", "plaintext").upper()
    found: Document = {}
    if protocol.startswith("SASL"):
        mechanism = _property(
            settings, "sasl.mechanism", _property(settings, "sasl.mechanisms", "GSSAPI")
        ).upper()
        found["sasl"] = dict(_MECHANISMS.get(mechanism) or _oauth(settings))
        found["sasl"]["description"] = f"SASL {mechanism}; the principal's rights: docs/security.md."
    if protocol.endswith("SSL") and "ssl.certificate.location" in settings.kafka.properties:
        found["mutualTls"] = {"type": "X509", "description": "A client certificate."}
    return found


def _oauth(settings: Settings) -> Document:
    url = _property(settings, "sasl.oauthbearer.token.endpoint.url", "")
    if not url:
        return {"type": "http", "scheme": "bearer"}
    scopes = dict.fromkeys(_property(settings, "sasl.oauthbearer.scope", "").split(), "as configured")
    return {
        "type": "oauth2",
        "flows": {"clientCredentials": {"tokenUrl": _without_user(url), "availableScopes": scopes}},
    }


def _property(settings: Settings, name: str, default: str) -> str:
    """A property of all clients that is no secret."""
    value = settings.kafka.properties.get(name, default)
    return value if isinstance(value, str) else default


def _without_user(url: str) -> str:
    """An address without the credentials that it may hold."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
