"""The soak itself: two workers under a supervisor, a sender at half load, random kills, and an independent reader."""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.acceptance import visits
from tests.acceptance.conftest import PARTITIONS, make_setup
from tests.acceptance.process import Process, Setup, Worker
from tests.acceptance.reader import ends
from tests.kafka.artifacts import ALONE
from tests.kafka.broker import Broker
from tests.kafka.topics import Topics
from tests.soak.ledger import Ledger
from tests.soak.watch import Sample, look, summary

__all__ = ["Soak"]

SAMPLE_S = 5.0

PAUSE_S = (15.0, 45.0)
"""Between two blows."""

BLOWS: dict[str, float] = {
    "kill -9": 0.5,
    "SIGTERM": 0.25,
    "freeze 12 s": 0.1,
    "broker restart": 0.075,
    "broker kill -9": 0.075,
}

FOLLOW_S = 180.0

CAPACITY_EVENTS = 200_000

AT_MOST = 4_000
"""Events a second: beyond that the sender and the onlooker, Python too, are the load."""

READY_S = 300.0


@dataclass
class Soak:
    """
    Attributes:
        folder: for files.
        minutes: how long.
        seed: of the blows.
        guarantee: of the configuration.
        rate: events a second; None = half of what one worker does here, 4,000 at most.
        say: told what happens.
    """

    folder: Path
    minutes: float
    seed: int
    guarantee: str
    rate: int | None
    say: Callable[[str], None]
    blows: Counter[str] = field(default_factory=Counter)
    restarts: int = 0
    lag_max: int = 0
    samples: list[Sample] = field(default_factory=list)
    _workers: dict[str, Worker] = field(default_factory=dict)
    _born: dict[str, float] = field(default_factory=dict)
    _lives: Counter[str] = field(default_factory=Counter)

    def run(self) -> dict[str, Any]:
        """Run it all, and return the figures."""
        package = self.folder / "visits"
        visits.packed(package)
        with Broker(version=ALONE) as broker, ExitStack() as stack:
            rate = self.rate or self._half(broker, package)
            setup = self._setup(broker, package)
            ledger = Ledger(broker.bootstrap, setup.output, PARTITIONS, package)
            stack.callback(self._end_all)
            stack.callback(ledger.close)
            command = [sys.executable, "-m", "tests.soak.sender", broker.bootstrap, setup.input, str(rate)]
            sender = stack.enter_context(Process("sender", command, self.folder))
            self._shake(broker, setup, ledger)
            sender.terminate()
            sender.end(120)
            sent = int(sender.output())
            self._drain(setup, ledger, sent)
            return self._figures(rate, sent, ledger, setup)

    def _setup(self, broker: Broker, package: Path) -> Setup:
        tables = {"delivery": {"guarantee": self.guarantee}, "model": {"reload": "off"}}
        return make_setup(self.folder, Topics(broker.bootstrap), package, tables)

    def _half(self, broker: Broker, package: Path) -> int:
        capacity = self._capacity(broker, package)
        rate = min(capacity // 2, AT_MOST)
        self.say(f"one worker does {capacity} events/s; the soak sends {rate} events/s")
        return rate

    def _capacity(self, broker: Broker, package: Path) -> int:
        """Events a second that one worker does from a backlog, beside the broker and an onlooker."""
        setup = self._setup(broker, package)
        visits.send(setup.bootstrap, setup.input, (visits.event(n % 1_000) for n in range(CAPACITY_EVENTS)))
        with Worker(setup, "capacity") as worker:
            worker.ready(READY_S)
            began, before = time.monotonic(), self._done(worker)
            while self._done(worker) < CAPACITY_EVENTS:
                time.sleep(0.2)
            return int((CAPACITY_EVENTS - before) / (time.monotonic() - began))

    @staticmethod
    def _done(worker: Worker) -> int:
        return int(worker.status()["records"])

    def _start(self, setup: Setup, instance: str) -> None:
        self._lives[instance] += 1
        name = f"{instance}-{self._lives[instance]}"
        environ = {"STREAM_DELIVERY__INSTANCE": instance}
        self._workers[instance] = Worker(setup, name, environ=environ)
        self._born[instance] = time.monotonic()

    def _end_all(self) -> None:
        for worker in self._workers.values():
            worker.kill()

    def _shake(self, broker: Broker, setup: Setup, ledger: Ledger) -> None:
        """Until time is over: read, sample, strike, and start again what has ended."""
        moments = random.Random(self.seed)
        for instance in "ab":
            self._start(setup, instance)
        began = time.monotonic()
        end, sample_at, blow_at = began + 60 * self.minutes, began, began + 30
        while time.monotonic() < end:
            ledger.poll(0.1)
            now = time.monotonic()
            if now >= sample_at:
                sample_at = now + SAMPLE_S
                self._sample(setup, ledger, now - began)
            if now >= blow_at:
                self._strike(moments, broker, ledger, now - began)
                blow_at = time.monotonic() + moments.uniform(*PAUSE_S)
            self._supervise(setup)

    def _supervise(self, setup: Setup) -> None:
        for instance, worker in list(self._workers.items()):
            if not worker.running:
                self.restarts += 1
                self._start(setup, instance)

    def _sample(self, setup: Setup, ledger: Ledger, at_s: float) -> None:
        for instance, worker in self._workers.items():
            found = look(worker, at_s, time.monotonic() - self._born[instance])
            if found is not None:
                self.samples.append(found)
                self.say(
                    f"{at_s:6.0f} s  {worker.name}: {found.memory_mb:.0f} MB, {found.descriptors} descriptors"
                )
        self.say(f"{at_s:6.0f} s  {ledger.seen} read, {ledger.doubled} doubled")

    def _strike(self, moments: random.Random, broker: Broker, ledger: Ledger, at_s: float) -> None:
        [blow] = moments.choices(list(BLOWS), list(BLOWS.values()))
        worker = self._workers[moments.choice("ab")]
        self.blows[blow] += 1
        self.say(f"{at_s:6.0f} s  {blow}: {broker.bootstrap if 'broker' in blow else worker.name}")
        if blow == "kill -9":
            worker.kill()
        elif blow == "SIGTERM":
            worker.terminate()
        elif blow == "broker restart":
            broker.restart()
        elif blow == "broker kill -9":
            broker.kill()
            time.sleep(moments.uniform(0, 3))
            broker.start()
        else:
            worker.freeze()
            thaw = time.monotonic() + 12
            while time.monotonic() < thaw:
                ledger.poll(0.1)
            worker.thaw()

    def _drain(self, setup: Setup, ledger: Ledger, sent: int) -> None:
        """Wait for the last output, and a little for what should not come."""
        end = time.monotonic() + FOLLOW_S
        while ledger.different < sent and time.monotonic() < end:
            ledger.poll(0.2)
            self._supervise(setup)
        end = time.monotonic() + 15
        while time.monotonic() < end:
            ledger.poll(0.2)

    def _figures(self, rate: int, sent: int, ledger: Ledger, setup: Setup) -> dict[str, Any]:
        committed, high = ends(setup.bootstrap, setup.group, setup.input)
        for worker in self._workers.values():
            worker.terminate()
        codes = [worker.end(30) for worker in self._workers.values()]
        return {
            "minutes": self.minutes,
            "seed": self.seed,
            "guarantee": self.guarantee,
            "events_per_second": rate,
            "sent": sent,
            "outputs": ledger.seen,
            "lost": sent - ledger.different,
            "doubled": ledger.doubled,
            "p50_ms": round(ledger.percentile_ms(50)),
            "p99_ms": round(ledger.percentile_ms(99)),
            "max_ms": round(ledger.percentile_ms(100)),
            **summary(self.samples),
            "lag_at_end": sum(high.values()) - sum(max(0, offset) for offset in committed.values()),
            "blows": dict(self.blows),
            "restarts": self.restarts,
            "last_exit_codes": codes,
        }
