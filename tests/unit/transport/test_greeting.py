"""What a server says before any login: its release, what it asks of users; and what is not Kafka's."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Thread

import pytest

from stream.settings import KafkaSettings
from stream.transport import RELEASES, Greeting, greet, mechanisms_of
from stream.transport.greeting import LEVELS

PIECE = 7
"""Bytes that come at a time."""


@contextmanager
def saying(*answers: bytes) -> Iterator[str]:
    """A server that has one answer for each connection, in pieces; its address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            for answer in answers:
                connection, _ = listening.accept()
                # A client that has seen enough goes before the end.
                with connection, suppress(OSError):
                    connection.recv(4096)
                    for start in range(0, len(answer), PIECE):
                        connection.sendall(answer[start : start + PIECE])

        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        thread.join(5)


def framed(body: bytes, correlation: int = 1) -> bytes:
    """An answer with its length."""
    return struct.pack(">ii", len(body) + 4, correlation) + body


def versions(level: int | None, keys: int = 75) -> bytes:
    """An answer to ApiVersions 3, with `metadata.version` among the features where there is a level."""
    apis = b"".join(struct.pack(">hhh", key, 0, 1) + b"\0" for key in range(keys))
    named = [(b"group.version", 1)] + [(b"metadata.version", level)] * (level is not None)
    features = b"".join(
        bytes([len(name) + 1]) + name + struct.pack(">hh", 1, highest) + b"\0" for name, highest in named
    )
    supported = bytes([len(named) + 1]) + features
    tags = b"\x02" + b"\x00" + bytes([len(supported)]) + supported + b"\x01\x08" + bytes(8)
    return struct.pack(">h", 0) + bytes([keys + 1]) + apis + bytes(4) + tags


def kafka(server: str) -> KafkaSettings:
    """In the clear."""
    return KafkaSettings(server)


@pytest.mark.parametrize(
    ("level", "release"),
    [
        *LEVELS.items(),
        (22, "4.0"),
        (26, "4.1"),
        (31, "4.4"),
        (20, "older than 3.9"),
        (99, "newer than 4.4"),
        (None, ""),
    ],
)
def test_release_is_told_by_the_features_that_a_broker_has(level: int | None, release: str) -> None:
    """Each release has levels of its own; whoever names none is not guessed at."""
    with saying(framed(versions(level))) as server:
        assert release == greet(kafka(server), server).release


def test_releases_ascend() -> None:
    """So that the first and the last are the ends."""
    assert sorted(LEVELS.values()) == list(RELEASES)
    assert sorted(LEVELS) == list(LEVELS)


def test_broker_that_does_not_know_the_question_names_no_release() -> None:
    """It answers in version 0, with an error and what it knows."""
    with saying(framed(struct.pack(">hi", 35, 0))) as server:
        assert Greeting(None) == greet(kafka(server), server)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x15\x03\x01\x00\x02\x02\x46",
        framed(b"x" * 99, correlation=7),
    ],
    ids=["nothing", "http", "tls alert", "another correlation"],
)
def test_what_is_not_kafka_is_an_error_of_the_connection(answer: bytes) -> None:
    """None of it is read as a version."""
    with saying(answer) as server, pytest.raises(OSError, match=r"closes the connection|not speak Kafka"):
        greet(kafka(server), server)


def test_answer_that_was_cut_anywhere_is_no_crash() -> None:
    """Its length is right, and its content ends too soon."""
    whole = versions(30, keys=3)
    with saying(*(framed(whole[:size]) for size in range(len(whole)))) as server:
        levels = [greet(kafka(server), server).level for _ in range(len(whole))]

    assert {None, 30} >= set(levels)


@pytest.mark.parametrize(
    ("code", "offered", "expected"),
    [(33, ["PLAIN", "SCRAM-SHA-512"], ("PLAIN", "SCRAM-SHA-512")), (34, [], ()), (0, [], ())],
    ids=["sasl", "no sasl", "known"],
)
def test_mechanisms_of_a_listener(code: int, offered: Sequence[str], expected: tuple[str, ...]) -> None:
    """A listener with SASL lists them, since it does not know the one that is asked for."""
    names = b"".join(struct.pack(">h", len(name)) + name.encode() for name in offered)
    with saying(framed(struct.pack(">hi", code, len(offered)) + names)) as server:
        assert expected == mechanisms_of(kafka(server), server)


def test_list_of_mechanisms_that_was_cut_is_an_error_of_the_connection() -> None:
    """Not a listener without users."""
    with (
        saying(framed(struct.pack(">hi", 33, 2) + b"\0")) as server,
        pytest.raises(OSError, match="not speak"),
    ):
        mechanisms_of(kafka(server), server)
