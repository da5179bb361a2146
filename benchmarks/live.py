"""
The live page's price: a worker at full load while nobody looks, and while ten do, by turns on one filled topic.

    python -m benchmarks.live --events 400000 --runs 5 --viewers 10

Reported per run: events/s by the broker's clock of the output topic, and the worker's CPU per event, between the first
prediction and the last. Viewers come before the first record is read, and take every snapshot. At the end, one line of
JSON: the medians, and what the viewers cost in percent.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import secrets
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from benchmarks.entry import Entry
from benchmarks.fill import PARTITIONS, fill
from benchmarks.lane import Lane
from benchmarks.packages import package
from benchmarks.process import Contestant, end_all_on_sigterm
from benchmarks.run import kafka, say
from benchmarks.summary import events_per_s
from benchmarks.topics import Topics

__all__ = ["Watched", "main"]

_RUN_S = 300.0

_LOOK_S = 0.05


@dataclass(frozen=True, slots=True)
class Watched:
    """
    One run.

    Attributes:
        viewers: that looked all the time.
        snapshots: that they got, together.
        events_per_s: by the broker's clock.
        cpu_us: of the worker's process, an event.
    """

    viewers: int
    snapshots: int
    events_per_s: float
    cpu_us: float


class Viewers:
    """Clients of `/live/events`, a thread each; they count snapshots."""

    def __init__(self, port: int, number: int) -> None:
        """
        Args:
            port: of the worker's web on the loopback.
            number: how many.
        """
        self.snapshots = 0
        self._clients = [self._connected(port) for _ in range(number)]
        for client in self._clients:
            threading.Thread(target=self._read, args=(client,), daemon=True).start()

    @staticmethod
    def _connected(port: int) -> socket.socket:
        deadline = time.monotonic() + _RUN_S
        while True:
            try:
                client = socket.create_connection(("127.0.0.1", port))
                break
            except ConnectionRefusedError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_LOOK_S)
        client.sendall(b"GET /live/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return client

    def _read(self, client: socket.socket) -> None:
        try:
            while part := client.recv(65_536):
                self.snapshots += part.count(b"event: state")
        except OSError:
            pass  # the run is over

    def close(self) -> None:
        """Look no longer."""
        for client in self._clients:
            client.close()


@contextmanager
def _looking(config: Path, number: int) -> Iterator[Viewers]:
    [port] = re.findall(r"\[web\]\nport = (\d+)", config.read_text())
    viewers = Viewers(int(port), number)
    try:
        yield viewers
    finally:
        viewers.close()


def run(lane: Lane, events: int, number: int) -> Watched:
    """
    One run.

    Args:
        lane: its topics and settings.
        events: on the input topic.
        number: viewers.
    Raises: Died, TimeoutError.
    """
    lane.topics.create(lane.target, PARTITIONS, message_timestamp_type="LogAppendTime")
    lane.topics.create(lane.letters, 1)
    command = lane.command(Entry("worker"))
    try:
        with (
            Contestant(command, lane.folder / f"{lane.name}.log") as worker,
            _looking(Path(command[-1]), number) as viewers,
        ):
            done = _until(lane, worker, 1)
            cpu_s = worker.cpu_s()
            end = _until(lane, worker, events)
            cpu_us = (worker.cpu_s() - cpu_s) / max(1, end - done) * 1e6
        stamps = [message.timestamp()[1] for message in lane.topics.read(lane.target)]
    finally:
        lane.topics.delete(lane.target)
        lane.topics.delete(lane.letters)
    return Watched(number, viewers.snapshots, events_per_s(stamps), cpu_us)


def _until(lane: Lane, worker: Contestant, wanted: int) -> int:
    deadline = time.monotonic() + _RUN_S
    while (there := lane.topics.offsets(lane.target)) < wanted:
        worker.check()
        if time.monotonic() > deadline:
            raise TimeoutError(f"{there} of {wanted} predictions after {_RUN_S:.0f} s; log: {lane.folder}")
        time.sleep(_LOOK_S)
    return there


def main() -> None:
    """Run by turns, and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live")
    parser.add_argument("--events", type=int, default=400_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--viewers", type=int, default=10)
    wish = parser.parse_args()
    end_all_on_sigterm()
    folder = Path(tempfile.mkdtemp(prefix="live-"))
    found: list[Watched] = []
    with kafka() as bootstrap:
        topics = Topics(bootstrap)
        source = fill(topics, wish.events)
        for turn in range(wish.runs):
            order = (0, wish.viewers) if turn % 2 == 0 else (wish.viewers, 0)
            for number in order:
                lane = Lane(topics, source, folder, secrets.token_hex(4), package("lr"))
                one = run(lane, wish.events, number)
                found.append(one)
                say(f"{number} viewers: {one.events_per_s:,.0f} events/s, {one.cpu_us:.2f} µs CPU an event")
    print(json.dumps(_result(found, wish.viewers)))


def _result(found: list[Watched], viewers: int) -> dict[str, object]:
    alone, watched = ([one for one in found if one.viewers == n] for n in (0, viewers))
    rate = [median(one.events_per_s for one in some) for some in (alone, watched)]
    cpu = [median(one.cpu_us for one in some) for some in (alone, watched)]
    return {
        "events_per_s": rate,
        "cpu_us": cpu,
        "rate_lost_percent": round(100 * (1 - rate[1] / rate[0]), 2),
        "cpu_more_percent": round(100 * (cpu[1] / cpu[0] - 1), 2),
        "runs": [asdict(one) for one in found],
        "machine": {"cores": os.cpu_count(), "python": sys.version.split()[0]},
    }


if __name__ == "__main__":
    main()
