"""A stream on a broker inside the test: events, and what the worker's own pipeline made of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from stream.cli import main as entry
from stream.configuration import load_settings
from stream.deadline import Deadline
from stream.records import Headers, Outgoing
from stream.resources import build_pipeline
from stream.settings import KafkaSettings, Settings
from stream.store import open_package
from stream.testing import batch_of
from stream.transport import EmbeddedBroker, Sink, partition_of_key

__all__ = ["NOON_MS", "Scene", "made"]

NOON_MS = 1_700_000_000_000
"""2023-11-14T22:13:20Z"""

PARTITIONS = 4
"""The embedded broker's."""


@dataclass
class Scene:
    """Three topics, and the configuration that names them."""

    config: Path
    broker: EmbeddedBroker
    topics: tuple[str, str, str]
    sink: Sink = field(init=False)

    def __post_init__(self) -> None:
        self.sink = Sink(KafkaSettings(self.broker.bootstrap_servers))

    @property
    def settings(self) -> Settings:
        """As the commands load them."""
        return load_settings(self.config, {})

    def send(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Headers = (), stamp: int = NOON_MS
    ) -> None:
        """Write one record."""
        self.sink.send(Outgoing.one(topic, key, value, stamp, headers))
        assert [] == self.sink.flush(Deadline.after(30))

    def score(self, events: Sequence[tuple[bytes, bytes, Headers]], source: int = 0) -> None:
        """
        Send events, and publish what the package's pipeline answers as a worker does.

        Args:
            events: key, value and headers.
            source: the offset on its partition that the first of each partition gets.
        """
        settings = self.settings
        pipeline = build_pipeline(settings, open_package(settings.path(settings.model.uri)))
        next_offset = [source] * PARTITIONS
        for key, value, headers in events:
            self.send(self.topics[0], key, value, headers)
            partition = partition_of_key(key, PARTITIONS)
            batch = batch_of(
                [value], topic=self.topics[0], partition=partition, first_offset=next_offset[partition]
            )
            [outcome] = pipeline.process(batch)
            assert isinstance(outcome, bytes), outcome
            next_offset[partition] += 1
            self.send(self.topics[1], key, outcome, headers)

    def run(self, *arguments: str) -> int:
        """Exit code of `stream explain …`."""
        with pytest.raises(SystemExit) as end:
            entry(["explain", *arguments, "--config", str(self.config)])
        assert isinstance(end.value.code, int)
        return end.value.code

    def asked(self, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
        """Exit code and object of `stream explain --json …`."""
        code = self.run(*arguments, "--json")
        found = json.loads(capsys.readouterr().out)
        assert isinstance(found, dict)
        return code, found


def made(broker: EmbeddedBroker, folder: Path, package: Path, name: str, more: str = "") -> Scene:
    """Fresh topics and their configuration."""
    topics = (f"{name}.in", f"{name}.out", f"{name}.dead")
    broker.create(topics)
    config = folder / f"{name}.toml"
    config.write_text(
        f'[kafka]\nbootstrap_servers = "{broker.bootstrap_servers}"\n[model]\nuri = "{package}"\n'
        f'open_timeout = "off"\n[input]\ntopic = "{topics[0]}"\n[output]\ntopic = "{topics[1]}"\n'
        f'[dead_letters]\ntopic = "{topics[2]}"\n{more}'
    )
    return Scene(config, broker, topics)
