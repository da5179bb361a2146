"""
Is the worker's memory bounded, and does it stay flat? A backlog of large values on many partitions, for minutes.

    python -m benchmarks.memory --minutes 5
    python -m benchmarks.memory --partitions 64 --value-bytes 100000 --limit-mib 512

A sender keeps a backlog ahead of the worker all the time, and records are deleted behind it, so that the disk
does not fill. The worker's resident size is sampled; what is said is its peak, and the slope of a line through the
samples after the first fifth (Theil-Sen: the median of the slopes between samples). Exit 1 if the peak is above
the limit, or the slope above what is allowed.
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import fastavro
from confluent_kafka import Producer

from benchmarks.fill import SCHEMA
from benchmarks.packages import package
from benchmarks.process import Contestant, end_all_on_sigterm
from benchmarks.run import kafka, say
from benchmarks.topics import Topics
from stream.codec import RecordSchema, single_object_prefix
from tests.kafka.process import free_ports

__all__ = ["Sample", "slope_mib_per_min"]

_VALUES = 64
"""Different events; each as large as is asked for."""

_BACKLOG_BYTES = 400 * 1024**2
"""What is ahead of the worker: far more than it may keep."""

_SAMPLE_S = 0.5

_DELETE_S = 2.0
"""Between two deletions of what has been read."""

_START_S = 300.0

_ZEROS = {"string": "", "double": 0.0, "float": 0.0, "int": 0, "long": 0, "boolean": False}
"""For fields that the model does not ask for."""

_SETTLED = 0.2
"""The share of the samples that is left out of the slope: caches and pools fill."""


@dataclass(frozen=True, slots=True)
class Sample:
    """When, seconds since the start, and how much was resident, MiB."""

    at_s: float
    mib: float


def slope_mib_per_min(samples: Sequence[Sample]) -> float:
    """
    How fast it grows, MiB a minute: the median of the slopes between all pairs of up to 200 samples.

    Raises: ValueError for fewer than two samples after the first fifth.
    """
    kept = samples[int(len(samples) * _SETTLED) :]
    kept = kept[:: max(1, len(kept) // 200)]
    if len(kept) < 2:
        raise ValueError(f"{len(samples)} samples are too few for a slope")
    pairs = itertools.combinations(kept, 2)
    return median((b.mib - a.mib) / (b.at_s - a.at_s) for a, b in pairs) * 60


def _kind(type_: Any) -> str:
    """The primitive type that is written; a union's first branch is null here, and null is what is written."""
    return type_["type"] if isinstance(type_, dict) else str(type_)


def _values(value_bytes: int) -> tuple[str, list[bytes]]:
    """The flights' schema with a text more, and events of it."""
    schema: dict[str, Any] = json.loads(SCHEMA.read_text())
    schema["fields"].append({"name": "note", "type": "string"})
    text = json.dumps(schema)
    prefix, parsed = single_object_prefix(RecordSchema(text)), fastavro.parse_schema(json.loads(text))
    folder = package("hgb")
    current = (folder / "current").read_text().strip()
    with (folder / "versions" / current / "golden.avro").open("rb") as file:
        rows: list[Any] = [row["event"] for row in fastavro.reader(file)]
    found = []
    for i in range(_VALUES):
        row = rows[i % len(rows)]
        event = {
            field["name"]: row.get(field["name"], _ZEROS.get(_kind(field["type"])))
            for field in schema["fields"]
            if "default" not in field or field["name"] in row
        }
        # Random: what compresses well would be small on its way.
        event["note"] = os.urandom(value_bytes // 2).hex()
        out = io.BytesIO()
        fastavro.schemaless_writer(out, parsed, event)
        found.append(prefix + out.getvalue())
    return text, found


class _Sender(threading.Thread):
    """Keeps the backlog; deletes what the worker has answered."""

    def __init__(self, topics: Topics, values: list[bytes]) -> None:
        super().__init__(daemon=True)
        self._topics = topics
        self._values = values
        self._ahead = max(1, _BACKLOG_BYTES // len(values[0]))
        self._producer = Producer(
            {"bootstrap.servers": topics.bootstrap, "linger.ms": 20, "queue.buffering.max.kbytes": 100_000}
        )
        self.sent = 0
        self.answered = 0
        self.running = True

    def run(self) -> None:
        """Until told to end."""
        deleted_s = time.monotonic()
        while self.running:
            self.answered = self._topics.offsets("memory.out")
            while self.sent < self.answered + self._ahead and self.running:
                self._send()
            if time.monotonic() - deleted_s > _DELETE_S:
                self._topics.delete_read("memory.in", "memory")
                deleted_s = time.monotonic()
            time.sleep(0.1)
        self._producer.flush(30)

    def _send(self) -> None:
        try:
            self._producer.produce("memory.in", self._values[self.sent % _VALUES], str(self.sent))
        except BufferError:
            self._producer.poll(0.1)
        else:
            self.sent += 1
            self._producer.poll(0)


def _resident_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def _watched(sender: _Sender, worker: Contestant, minutes: float) -> list[Sample]:
    """From the first prediction on."""
    deadline = time.monotonic() + _START_S
    while not sender.answered:
        worker.check()
        if time.monotonic() > deadline:
            raise TimeoutError(f"no prediction after {_START_S:.0f} s")
        time.sleep(_SAMPLE_S)
    samples, began, said = [], time.monotonic(), 0
    while (at_s := time.monotonic() - began) < minutes * 60:
        worker.check()
        samples.append(Sample(at_s, _resident_mib(worker.pid)))
        if at_s // 30 > said:
            said = int(at_s // 30)
            say(f"{at_s:.0f} s: {samples[-1].mib:.0f} MiB, {sender.answered:,} of {sender.sent:,} predicted")
        time.sleep(_SAMPLE_S)
    return samples


def _config(folder: Path, bootstrap: str, schema: str, extra: str) -> Path:
    (folder / "event.avsc").write_text(schema)
    file = folder / "memory.toml"
    file.write_text(
        f'[kafka]\nbootstrap_servers = "{bootstrap}"\ngroup = "memory"\n'
        f'[model]\nuri = "{package("hgb")}"\n'
        f'[input]\ntopic = "memory.in"\nschema = "{folder / "event.avsc"}"\n'
        '[output]\ntopic = "memory.out"\n[dead_letters]\ntopic = "memory.dead"\n'
        f"[web]\nport = {free_ports(1)[0]}\n{extra}"
    )
    return file


def main() -> int:
    """Run it; 1 where memory was not bounded, or not flat."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.memory", description="The worker's memory on a backlog."
    )
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--partitions", type=int, default=64)
    parser.add_argument("--value-bytes", type=int, default=100_000)
    parser.add_argument("--limit-mib", type=float, default=512.0, help="largest resident size (default: 512)")
    parser.add_argument("--slope-mib", type=float, default=5.0, help="largest growth a minute (default: 5)")
    parser.add_argument(
        "--settings", default="", help="more of stream.toml, such as '[batching]\\nmax_records = 100'"
    )
    given = parser.parse_args()
    end_all_on_sigterm()
    folder = Path(tempfile.mkdtemp(prefix="memory-"))
    schema, values = _values(given.value_bytes)
    with kafka() as bootstrap:
        topics = Topics(bootstrap)
        # Small segments, deleted at once: a segment goes when all of it may.
        small = {
            "segment_bytes": str(16 * 1024**2),
            "file_delete_delay_ms": "1000",
            "max_message_bytes": str(2**26),
        }
        for name in ("in", "out", "dead"):
            topics.delete(f"memory.{name}")
            topics.create(f"memory.{name}", given.partitions, **small)
        sender = _Sender(topics, values)
        config = _config(folder, bootstrap, schema, given.settings.replace("\\n", "\n"))
        command = [sys.executable, "-m", "stream", "worker", "--config", str(config)]
        with Contestant(command, folder / "worker.log") as worker:
            sender.start()
            samples = _watched(sender, worker, given.minutes)
            peak_mib = worker.peak_mib()
        sender.running = False
        sender.join()
        letters = topics.offsets("memory.dead")
    slope = slope_mib_per_min(samples)
    figures = {
        "partitions": given.partitions,
        "value_bytes": len(values[0]),
        "minutes": given.minutes,
        "predicted": sender.answered,
        "dead_letters": letters,
        "peak_mib": round(peak_mib, 1),
        "median_mib": round(median(one.mib for one in samples), 1),
        "slope_mib_per_min": round(slope, 2),
    }
    for name, value in figures.items():
        print(f"{name:18} {value}")
    print(json.dumps(figures))
    return 1 if letters or peak_mib > given.limit_mib or slope > given.slope_mib else 0


if __name__ == "__main__":
    sys.exit(main())
