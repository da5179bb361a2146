"""The line between worker and broker: cut, reset, slow. The broker tells the worker the address of a proxy."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.faults.proxy import Way
from tests.faults.row import row
from tests.faults.scene import Scene
from tests.faults.shaky import Shaky

SHORT_S, LONG_S = 5.0, 16.0
"""Shorter than session (6 s) and transaction (10 s) time-outs; longer than both together with the broker's look."""

CUTS: dict[str, tuple[tuple[Way, ...], float, str]] = {
    "cut-both-short": (("out", "back"), SHORT_S, "the network is cut both ways for 5 s"),
    "cut-both-long": (
        ("out", "back"),
        LONG_S,
        "the network is cut both ways for 16 s, past session and transaction",
    ),
    "cut-out": (("out",), LONG_S, "what the worker sends does not arrive, for 16 s"),
    "cut-back": (("back",), LONG_S, "what the broker answers does not arrive, for 16 s"),
}


@pytest.mark.parametrize(
    ("ways", "seconds"),
    [
        pytest.param(ways, seconds, id=name, marks=row(name, words, core=name == "cut-back"))
        for name, (ways, seconds, words) in CUTS.items()
    ],
)
def test_cut(ways: tuple[Way, ...], seconds: float, stage: Callable[..., Scene], shaky: Shaky) -> None:
    """Nobody is told of a cut; when the line is whole again the worker goes on."""
    scene = stage(shaky.broker.bootstrap, shaky.through)
    with scene.feed() as feed:
        worker = scene.start()
        scene.warm(worker)
        scene.strikes()
        shaky.proxy.cut(*ways)
        scene.keep_reading(seconds)
        held = {way: shaky.proxy.held(way) for way in ways}
        # With both ways cut the requests are held; whether an answer was on its way at that moment is chance.
        assert held[ways[0]], f"nothing was held back: {held}"
        shaky.proxy.restore()
        scene.struck(f"the proxy held back {held} bytes for {seconds:g} s")
        worker = scene.recovers_by(worker)
        scene.fed(feed)
    scene.settle(worker)


@row("connections-reset", "all connections are reset, five times")
def test_reset(stage: Callable[..., Scene], shaky: Shaky) -> None:
    """Connections that break are made anew."""
    scene = stage(shaky.broker.bootstrap, shaky.through)
    with scene.feed() as feed:
        worker = scene.start()
        scene.warm(worker)
        before = shaky.proxy.cut_connections
        for _ in range(5):
            shaky.proxy.reset()
            scene.keep_reading(0.7)
        scene.struck(f"the proxy broke off {shaky.proxy.cut_connections - before} connections")
        worker = scene.recovers_by(worker)
        scene.fed(feed)
    assert shaky.proxy.cut_connections - before >= 5
    scene.settle(worker)


@row("slow-line", "the line to the broker takes 150 ms each way and 200 kB/s")
def test_slow_line(stage: Callable[..., Scene], shaky: Shaky) -> None:
    """Slow is not broken: everything comes, later."""
    scene = stage(shaky.broker.bootstrap, shaky.through)
    with scene.feed(400) as feed:
        worker = scene.start()
        scene.warm(worker)
        before = shaky.proxy.passed("out")
        for way in ("out", "back"):
            shaky.proxy.slow(way, delay_s=0.15, bytes_per_s=200_000)
        scene.struck("the proxy delays every piece by 0.15 s")
        scene.recovers()
        scene.keep_reading(6)
        scene.fed(feed)
        assert shaky.proxy.passed("out") > before
        shaky.proxy.restore()
    scene.settle(worker)


@row("producer-queue-full", "the producer's queue is full again and again")
def test_full_queue(stage: Callable[..., Scene], shaky: Shaky) -> None:
    """A queue of 50 records on a slow line: the worker waits for room."""
    tables = {**shaky.through, "kafka.producer": {"queue.buffering.max.messages": 50}}
    scene = stage(shaky.broker.bootstrap, tables)
    full = scene.plant("produce", "failed", 1, "note", times=10**9)
    scene.send(1_500)
    shaky.proxy.slow("out", delay_s=0.02)
    worker = scene.start("a", [full])
    scene.fires(full, worker)
    scene.recovers()
    shaky.proxy.restore()
    scene.settle(worker)
