"""
Why a broker that is running refuses connections: a TLS handshake of our own tells what librdkafka does not.

librdkafka has the same text for a certificate of another authority, one for another host and one that has expired,
and no text for a plain client at a TLS port.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from typing import TypeAlias

from stream.errors import BrokerRefused
from stream.settings import KafkaSettings
from stream.transport.properties import admin_properties

__all__ = ["Place", "connected", "knock", "place_of", "tls_context"]

ANSWER_S = 2.0
"""For each step with a server; a handshake takes some milliseconds."""

USUAL_PORT = 9092
"""Of a server that is named without one. Source: librdkafka, RD_KAFKA_PORT."""

_CORRELATION = b"\x00\x00\x00\x01"

_API_VERSIONS = b"\x00\x00\x00\x0a" + b"\x00\x12\x00\x00" + _CORRELATION + b"\xff\xff"
"""Length, ApiVersions (18) version 0, correlation id, no client id: answered by any listener, before SASL too.
Source: Kafka protocol guide, "Request Header v1"."""

Place: TypeAlias = tuple[str, int]
"""Host and port."""

_EXPIRED, _NOT_YET, _HOST, _ADDRESS = 10, 9, 62, 64
"""OpenSSL's X509_V_ERR codes. Source: openssl/x509_vfy.h."""


def knock(kafka: KafkaSettings) -> BrokerRefused | None:
    """
    Try the bootstrap servers, one after the other.

    Args:
        kafka: the cluster, and how to reach it.
    Returns: what is wrong between us and the first server that answers; None when nothing is found, or no
        server answers.
    Blocks for some seconds at most.
    """
    own = admin_properties(kafka)
    for server in kafka.bootstrap_servers.split(","):
        place = place_of(server)
        try:
            connection = connected(place)
        except OSError:
            continue
        with connection:
            speaks_tls = str(own.get("security.protocol", "plaintext")).lower().endswith("ssl")
            return _tls(connection, place, own) if speaks_tls else _plain(connection, server.strip())
    return None


def place_of(server: str) -> Place:
    """Host and port of one of `[kafka] bootstrap_servers`, as librdkafka understands it."""
    text = server.strip().rpartition("://")[2]
    host, _, port = text.rpartition(":")
    if not host or text.endswith("]"):
        return text.strip("[]"), USUAL_PORT
    return host.strip("[]"), int(port) if port.isdecimal() else 0


def connected(place: Place) -> socket.socket:
    """A connection whose every step has a time limit. Raises: OSError. The caller closes it."""
    connection = socket.create_connection(place, ANSWER_S)
    connection.settimeout(ANSWER_S)
    return connection


def _plain(connection: socket.socket, server: str) -> BrokerRefused | None:
    """We speak in the clear: does the server want TLS?"""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        context.wrap_socket(connection).close()
    except ssl.SSLError as error:
        if "ALERT" not in str(error.reason):
            return None
    except OSError:
        return None
    return BrokerRefused(
        f"{server} speaks TLS, and this client does not",
        hint='set "security.protocol" in [kafka.properties] to "SASL_SSL" (user and password) or "SSL"',
    )


def _tls(connection: socket.socket, place: Place, own: Mapping[str, object]) -> BrokerRefused | None:
    host, server = place[0], f"{place[0]}:{place[1]}"
    try:
        context = tls_context(own)
    except (OSError, ValueError):
        return None  # librdkafka reads these files too, and names the property
    try:
        with context.wrap_socket(connection, server_hostname=host) as wrapped:
            wrapped.recv(1)  # in TLS 1.3 the server judges our certificate after the handshake
    except ssl.SSLCertVerificationError as error:
        return _certificate(error, host, own, server)
    except ssl.SSLError as error:
        reason = str(error.reason)
        if "CERTIFICATE" in reason or "UNKNOWN_CA" in reason:
            return BrokerRefused(
                f"{server} does not accept this client's certificate, or misses one ({reason})",
                hint='set "ssl.certificate.location" and "ssl.key.location" to a certificate that the broker trusts',
            )
    except OSError:
        return None  # no answer to a question that was not asked: TLS works
    return _in_the_clear(place)


def _in_the_clear(place: Place) -> BrokerRefused | None:
    """The TLS handshake failed: does the server answer Kafka's first request without TLS?"""
    try:
        with connected(place) as connection:
            connection.sendall(_API_VERSIONS)
            answer = connection.recv(8)
    except OSError:
        return None
    if answer[4:8] != _CORRELATION:
        return None
    return BrokerRefused(
        f"{place[0]}:{place[1]} does not speak TLS, and this client does",
        hint='set "security.protocol" in [kafka.properties] to "SASL_PLAINTEXT" or "PLAINTEXT", or take '
        "the broker's TLS port",
    )


def tls_context(own: Mapping[str, object]) -> ssl.SSLContext:
    """As librdkafka sets it up from the same properties. Raises: OSError, ValueError for files that can't be used."""
    context = ssl.create_default_context()
    if "ssl.ca.location" in own or "ssl.ca.pem" in own:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        path, text = own.get("ssl.ca.location"), own.get("ssl.ca.pem")
        context.load_verify_locations(cafile=str(path) if path else None, cadata=str(text) if text else None)
    if str(own.get("ssl.endpoint.identification.algorithm", "https")).lower() == "none":
        context.check_hostname = False
    if str(own.get("enable.ssl.certificate.verification", "true")).lower() == "false":
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if "ssl.certificate.location" in own:
        key, password = own.get("ssl.key.location"), own.get("ssl.key.password")
        context.load_cert_chain(
            str(own["ssl.certificate.location"]),
            str(key) if key else None,
            str(password) if password else "",
        )
    return context


def _certificate(
    error: ssl.SSLCertVerificationError, host: str, own: Mapping[str, object], server: str
) -> BrokerRefused:
    message = f"{server}: the broker's certificate is not accepted: {error.verify_message}"
    if error.verify_code in (_EXPIRED, _NOT_YET):
        hint = "renew the broker's certificate (ssl.keystore.location there); check this machine's clock"
    elif error.verify_code in (_HOST, _ADDRESS):
        hint = (
            f"write a host that the certificate names instead of {host} into `[kafka] bootstrap_servers`, "
            "or have the certificate made for it"
        )
    else:
        known = own.get("ssl.ca.location", "not set: the machine's own authorities")
        hint = f'set "ssl.ca.location" to the PEM file of the authority that signed it (now {known})'
    return BrokerRefused(message, hint=hint)
