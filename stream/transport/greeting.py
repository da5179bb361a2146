"""
What a Kafka server tells whoever connects, before any login: its release, its certificate, what it asks of users.

Kafka never says its version. Its brokers say which levels of `metadata.version` they support, and each release has
levels of its own; a patch release has those of its minor one.
Source: Kafka protocol guide, ApiVersions (18) version 3 and SaslHandshake (17); MetadataVersion.java.
"""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from stream.settings import KafkaSettings
from stream.transport.handshake import connected, place_of, tls_context
from stream.transport.properties import admin_properties

__all__ = ["LEVELS", "RELEASES", "Greeting", "greet", "mechanisms_of"]

LEVELS = {21: "3.9", 25: "4.0", 27: "4.1", 29: "4.2", 30: "4.3", 33: "4.4"}
"""The highest level of `metadata.version` that a release supports → the release. Looked up on running brokers."""

RELEASES = tuple(LEVELS.values())
"""The releases that are known here, ascending."""

_FEATURES, _SUPPORTED = b"metadata.version", 0

_HEAD = 8
"""Bytes before an answer's body: its length and its correlation id."""

_LONGEST = 1024 * 1024
"""Of an answer; a broker's has under a kilobyte."""

_NO_MECHANISM = b"prediction-stream-asks"
"""No broker knows it, so its answer lists what it knows."""

_UNSUPPORTED_MECHANISM = 33


@dataclass(frozen=True, slots=True)
class Greeting:
    """
    A server's first words.

    Attributes:
        level: the highest `metadata.version` that it supports; None where it does not say, as no other than Apache
            Kafka from 3.3 on with KRaft does.
        tls: the version of TLS, such as `TLSv1.3`; empty without.
        valid_until: seconds since 1970 at which its certificate expires; None without TLS, or unchecked.
    """

    level: int | None
    tls: str = ""
    valid_until: float | None = None

    @property
    def release(self) -> str:
        """`4.3`, `older than 3.9`, `newer than 4.4`; empty where it is not told."""
        if self.level is None:
            return ""
        if self.level < min(LEVELS):
            return f"older than {LEVELS[min(LEVELS)]}"
        fitting = [name for level, name in LEVELS.items() if self.level <= level]
        return fitting[0] if fitting else f"newer than {LEVELS[max(LEVELS)]}"


def greet(kafka: KafkaSettings, server: str) -> Greeting:
    """
    Connect as a client of the configuration would, and ask for the server's versions.

    Args:
        kafka: the cluster, and how to reach it.
        server: one of the bootstrap servers.
    Raises: OSError (ssl.SSLError is one) when the connection or the handshake fails, or what answers is not Kafka;
        ValueError for certificates that can't be used.
    Blocks for some seconds at most.
    """
    with _open(kafka, server) as connection:
        # Header version 2, then the names of client and version, which are compact strings; no tagged fields.
        body = struct.pack(">hhih", 18, 3, 1, -1) + b"\0" + b"\x12prediction-stream" + b"\x020" + b"\0"
        level = _level(_asked(connection, body))
        if not isinstance(connection, ssl.SSLSocket):
            return Greeting(level)
        shown: Any = connection.getpeercert() or {}
        until = shown.get("notAfter")
        ends = ssl.cert_time_to_seconds(until) if isinstance(until, str) else None
        return Greeting(level, connection.version() or "TLS", ends)


def mechanisms_of(kafka: KafkaSettings, server: str) -> tuple[str, ...]:
    """
    The SASL mechanisms that a listener offers; none where it asks for no user.

    Args: as `greet`.
    Raises: as `greet`.
    """
    with _open(kafka, server) as connection:
        name = struct.pack(">h", len(_NO_MECHANISM)) + _NO_MECHANISM
        answer = _asked(connection, struct.pack(">hhih", 17, 1, 1, -1) + name)
    try:
        return tuple(_listed(answer))
    except struct.error as error:
        raise OSError("what answers does not speak Kafka's protocol") from error


def _listed(answer: bytes) -> Iterator[str]:
    """The mechanisms of an answer to SaslHandshake; none where it knows that one, or no user."""
    code, count = struct.unpack_from(">hi", answer)
    place = 6
    for _ in range(count if code == _UNSUPPORTED_MECHANISM else 0):
        (size,) = struct.unpack_from(">h", answer, place)
        yield answer[place + 2 : place + 2 + size].decode("utf-8", "replace")
        place += 2 + size


def _open(kafka: KafkaSettings, server: str) -> socket.socket:
    own, place = admin_properties(kafka), place_of(server)
    plain = connected(place)
    if not str(own.get("security.protocol", "plaintext")).lower().endswith("ssl"):
        return plain
    try:
        return tls_context(own).wrap_socket(plain, server_hostname=place[0])
    except (OSError, ValueError):
        plain.close()
        raise


def _asked(connection: socket.socket, request: bytes) -> bytes:
    """An answer's body. Raises: OSError when it is not Kafka's."""
    connection.sendall(struct.pack(">i", len(request)) + request)
    length, correlation = struct.unpack(">ii", _taken(connection, _HEAD))
    if correlation != 1 or not 4 <= length <= _LONGEST:
        raise OSError("what answers does not speak Kafka's protocol")
    return _taken(connection, length - 4)


def _taken(connection: socket.socket, size: int) -> bytes:
    taken = b""
    while len(taken) < size:
        part = connection.recv(size - len(taken))
        if not part:
            raise OSError("it closes the connection")
        taken += part
    return taken


def _level(answer: bytes) -> int | None:
    """The highest `metadata.version` of an answer to ApiVersions 3; older brokers answer in version 0, without it."""
    try:
        (code,) = struct.unpack_from(">h", answer)
        if code:
            return None
        count, place = _number(answer, 2)
        for _ in range(count - 1):
            _, place = _number(answer, place + 6)  # an API's key and versions; no tagged field is known of it
        tags, place = _number(answer, place + 4)  # past the throttle time
        for _ in range(tags):
            tag, place = _number(answer, place)
            size, place = _number(answer, place)
            if tag == _SUPPORTED:
                return _highest(answer[place : place + size])
            place += size
    except (struct.error, IndexError):
        return None
    return None


def _highest(features: bytes) -> int | None:
    count, place = _number(features, 0)
    for _ in range(count - 1):
        size, place = _number(features, place)
        name = features[place : place + size - 1]
        place += size - 1
        _, highest = struct.unpack_from(">hh", features, place)
        _, place = _number(features, place + 4)
        if name == _FEATURES:
            return int(highest)
    return None


def _number(content: bytes, place: int) -> tuple[int, int]:
    """An unsigned varint, and the place after it."""
    value = shift = 0
    while True:
        byte = content[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7
