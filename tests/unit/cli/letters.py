"""Dead letters on a broker inside the test, and a configuration that names their topic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from stream.cli import main as entry
from stream.deadline import Deadline
from stream.records import Headers, Outgoing
from stream.settings import KafkaSettings
from stream.transport import EmbeddedBroker, Sink
from tests.acceptance import visits

__all__ = ["GOOD", "Filled", "filled", "headers_of", "run"]

NOON_MS = 1_700_000_000_000
"""2023-11-14T22:13:20Z"""


def run(*arguments: str) -> int:
    """Exit code of a command line."""
    with pytest.raises(SystemExit) as end:
        entry(arguments)
    assert isinstance(end.value.code, int)
    return end.value.code


def headers_of(reason: str, stage: str, model: str = "visits@1", **others: str) -> Headers:
    """Headers of a letter of ours."""
    said = {"topic": "dead.in", "partition": "3", "offset": "55", "stage": stage, **others}
    return [
        ("mine", b"1"),
        *((f"__connect.errors.{name}", text.encode()) for name, text in said.items()),
        ("stream.error.reason", reason.encode()),
        ("stream.model", model.encode()),
    ]


@dataclass(frozen=True)
class Filled:
    """A dead-letter topic and its configuration."""

    config: Path
    topic: str

    def run(self, command: str, *arguments: str) -> int:
        """Exit code of `stream deadletters …`."""
        return run("deadletters", command, *arguments, "--config", str(self.config))


def filled(
    broker: EmbeddedBroker,
    folder: Path,
    package: Path,
    topic: str,
    letters: Sequence[tuple[bytes | None, Headers]],
    key: bytes | None = b"one key",
) -> Filled:
    """Letters one second apart, all of one key, and so on one partition where they have any."""
    broker.create([topic, f"{topic}.in"])
    kafka = KafkaSettings(broker.bootstrap_servers)
    sink = Sink(kafka)
    stamps = [NOON_MS + 1_000 * i for i in range(len(letters))]
    values, headers = [value for value, _ in letters], [headers for _, headers in letters]
    sink.send(Outgoing(topic, [key] * len(letters), values, stamps, headers))
    assert [] == sink.flush(Deadline.after(30))
    config = folder / "stream.toml"
    config.write_text(
        f'[kafka]\nbootstrap_servers = "{broker.bootstrap_servers}"\n[model]\nuri = "{package}"\n'
        f'open_timeout = "off"\n[input]\ntopic = "{topic}.in"\n[dead_letters]\ntopic = "{topic}"\n'
    )
    return Filled(config, topic)


GOOD = visits.framed(visits.visit(1))
"""id 1, channel `direct`, pages 31, 17/3 seconds; the Avro begins at byte 10, the channel's text at 12."""
