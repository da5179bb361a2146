"""The brakes: too many dead letters, a broker or a registry that does not come, records that are too much at once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from tests.acceptance import visits
from tests.acceptance.process import Worker
from tests.acceptance.registered import Stock
from tests.conftest import Kafka
from tests.faults.mix import Mix
from tests.faults.proxy import Proxy
from tests.faults.row import row
from tests.faults.scene import Scene
from tests.faults.shaky import Shaky
from tests.kafka.registry import Registry

Stage = Callable[..., Scene]


@row("stop-above", "more dead letters than stop_above allows: a bad deploy of the producer", core=True)
def test_stop_above(scene: Scene) -> None:
    """The worker stops with the share and an example; nothing is lost when it may go on."""
    good = scene.mix
    scene.send(2_000)
    worker = scene.start()
    scene.follow(worker)
    scene.mix = replace(
        good,
        odd_every=1,
        odd=lambda event: replace(event, value=b"{}" + (event.value or b"")),
        odd_from=2_000,
    )
    scene.send(3_000)
    assert 1 == worker.end(), worker.tail()
    reason = worker.text().split("the worker stops:")[1]
    assert "stop_above = 0.5" in reason
    scene.struck("exit 1, and the log names stop_above")
    stopped = len(scene.outputs.to_end().letters)
    assert stopped < 1_500, "it went on past the limit"
    heir = scene.start(environ={"STREAM_DEAD_LETTERS__STOP_ABOVE": "1"})
    scene.recovers()
    scene.settle(heir)


@row("startup-timeout", "no broker for longer than startup_timeout")
def test_startup_timeout(stage: Stage, mortal: Shaky) -> None:
    """Exit 1 with the reason, after the time that is configured; with a broker it goes on."""
    scene = stage(mortal.broker.bootstrap, {"kafka": {"startup_timeout": "3s"}})
    scene.send(1_000)
    mortal.broker.stop()
    worker = scene.start()
    assert 1 == worker.end(), worker.tail()
    assert "(waited 3 s)" in worker.text().split("the worker stops:")[1]
    scene.struck("exit 1, and the log says how long it waited", drain=False)
    mortal.broker.start()
    heir = scene.start()
    scene.recovers()
    scene.settle(heir)


def _peak_mb(worker: Worker) -> int:
    status = Path(f"/proc/{worker.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) // 1024


LARGE = 600
"""Events of 600 kB: 360 MB in all, far more than a worker may hold."""

HELD_MB = 256
"""
Beyond what a worker needs anyway: 64 MB that the consumer fetches ahead and what it is just receiving, a batch of
16 MB in a few forms, the outputs of a span of 64 MB whose records are kept.
"""


@row("large-records", "360 MB of records of 600 kB: max_bytes bounds what is held")
def test_max_bytes(stage: Stage, kafka: Kafka) -> None:
    """A batch is bounded in bytes, not in records alone."""
    scene = stage(kafka.bootstrap, {"batching": {"max_records": 2_000, "max_bytes": "4MiB"}})
    scene.mix = Mix(scene.row.seed)
    scene.send(500)
    worker = scene.start()
    scene.follow(worker)
    before = _peak_mb(worker)
    filling = "x" * 600_000
    scene.mix = replace(
        scene.mix,
        odd_from=500,
        large=lambda number: visits.framed({**visits.visit(number), "channel": filling}),
    )
    scene.send(LARGE)
    scene.struck(f"{LARGE} records of 600 kB were acknowledged", drain=False)
    scene.recovers()
    scene.follow(worker)
    grown = _peak_mb(worker) - before
    scene.struck(f"the worker's peak grew by {grown} MB")
    assert grown < HELD_MB
    scene.settle(worker)


YOUNGER = visits.SCHEMA.replace('"id", "type": "long"', '"id", "type": "int"')
"""A version before: its values are the same bytes, and its id another one (a registry may not tell docs apart)."""


@row("registry-away", "the schema registry is away when a new schema comes")
def test_registry_away(stage: Stage, kafka: Kafka, registry: Registry) -> None:
    """Batches with an id that is not known yet wait; nothing is judged wrongly."""
    with Proxy(registry.port) as proxy, closing(Stock(registry.url)) as stock:
        url = registry.url.replace(f":{registry.port}/", f":{proxy.port}/")
        tables = {
            "schema_registry": {"url": url, "register": True},
            "output": {"framing": "single-object"},
        }
        scene = stage(kafka.bootstrap, tables)
        ids = [stock.register(scene.setup.input, YOUNGER)]
        scene.mix = Mix(scene.row.seed, prefix=lambda n: b"\0" + ids[n >= 2_000].to_bytes(4, "big"))
        scene.send(2_000)
        worker = scene.start()
        scene.follow(worker)
        proxy.refuse()
        ids.append(stock.register(scene.setup.input, visits.SCHEMA))
        scene.send(2_000)
        worker.says("the batch is tried again")
        assert 200 == worker.get("/health/live")[0]
        scene.struck("the worker's log says that a batch is tried again")
        scene.keep_reading(3)
        proxy.restore()
        scene.recovers()
        scene.settle(worker)
