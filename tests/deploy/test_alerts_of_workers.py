"""The alerts on the metrics of real workers, in a real Prometheus: what is broken fires, and nothing else."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs.reference.alerts import RULES
from stream.store import PackRequest, pack
from tests.acceptance import visits
from tests.acceptance.conftest import make_setup, workers
from tests.acceptance.feed import Feed
from tests.acceptance.process import Setup, Worker
from tests.acceptance.touchy import HANG, Touchy
from tests.acceptance.visits import Event
from tests.conftest import had
from tests.deploy.board import queries
from tests.deploy.prometheus import Prometheus
from tests.kafka.process import wait_for
from tests.kafka.topics import Topics

__all__ = ["workers"]

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(300)]

WINDOW_S = 10
"""What every range of the rules is shortened to; a worker's outcomes are committed within a second."""

SEEN_S = 90.0

PER_SECOND = 400

NOT_OF_A_HEALTHY_WORKER = {
    *("Requests a second, by status", "Time of a request", "Waiting"),
    *("By reason", "Alerts", "Another model"),
}
"""What the board shows of a REST service, of dead letters, of alerts and of a new version."""

OLD_MS = 600_000
"""Records that are this old when they are sent are late at once, if they wait."""


def shortened() -> dict[str, Any]:
    """The rules, with every range 10 s and every `for` 1 s; thresholds are as they are."""
    found: dict[str, Any] = yaml.safe_load(RULES.read_text("utf-8"))
    for group in found["groups"]:
        group["interval"] = "1s"
        for rule in group["rules"]:
            rule["expr"] = re.sub(
                r"\[\w+(:\w+)?\]", lambda m: f"[{WINDOW_S}s{':1s' * bool(m[1])}]", rule["expr"]
            )
            if "for" in rule:
                rule["for"] = "1s"
    return found


class Producing:
    """What is sent: one event in `junk_every` is junk (0: none), and all are `old_ms` old."""

    junk_every = 0
    old_ms = 0

    def __call__(self, number: int) -> Event:
        """Event `number`."""
        if self.junk_every and number % self.junk_every == 0:
            return Event(b"%d" % number, b"junk", _now_ms() - self.old_ms)
        return replace(visits.event(number), timestamp_ms=_now_ms() - self.old_ms)


def hanging() -> Event:
    """One over which the model hangs, and that is late at once."""
    return Event(None, visits.framed({**visits.visit(1), "pages": HANG}), _now_ms() - OLD_MS)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture
def setup(tmp_path: Path, topics: Topics) -> Setup:
    """Three fresh topics, and a model that hangs over some rows."""
    wish = PackRequest("touchy", tmp_path / "touchy", carry=("id",))
    pack(Touchy(), wish, schema=visits.SCHEMA)
    (tmp_path / "visit.avsc").write_text(visits.SCHEMA)
    return make_setup(tmp_path, topics, wish.folder, {"input": {"schema": "visit.avsc"}})


@pytest.fixture
def prometheus(setup: Setup, workers: Callable[..., Worker]) -> Iterator[tuple[Prometheus, list[Worker]]]:
    """Two workers that are ready and own partitions, and a Prometheus that asks them every second."""
    pair = [workers(setup, name).ready() for name in ("first", "second")]
    pair[0].until(
        lambda: all(len(each.partitions()) == 2 for each in pair), SEEN_S, "each to own two partitions"
    )
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "900ms", "evaluation_interval": "1s"},
        "scrape_configs": [
            {
                "job_name": "prediction-stream",
                "static_configs": [{"targets": [f"127.0.0.1:{each.port}" for each in pair]}],
            }
        ],
    }
    with had(lambda: Prometheus(config, shortened())) as started:
        yield started, pair


def test_what_is_broken_fires_and_nothing_else(
    setup: Setup, prometheus: tuple[Prometheus, list[Worker]]
) -> None:
    """Healthy, with data on the board; dead letters; healthy; a worker killed; the other hangs; is killed, too."""
    server, (first, second) = prometheus
    producing = Producing()

    def fires(wanted: set[str]) -> None:
        try:
            wait_for(lambda: wanted == server.firing(), SEEN_S, f"{sorted(wanted)} to fire")
        except TimeoutError as error:
            raise AssertionError(f"{error}; firing: {sorted(server.firing())}\n{first.tail()}") from None

    def has_watched() -> bool:
        whole = server.query(f"min(count_over_time(up[{WINDOW_S}s])) >= {WINDOW_S - 1}")
        return bool(whole) and bool(server.query("sum(rate(stream_predictions_total[5s])) > 100"))

    with Feed(setup.bootstrap, setup.input, PER_SECOND, producing):
        wait_for(has_watched, SEEN_S, "Prometheus to have seen a whole window of a working group")
        assert set() == server.firing()
        every = {query.title for query in queries()}
        shown = {query.title for query in queries() if server.query(query.filled())}
        assert every - shown <= NOT_OF_A_HEALTHY_WORKER

        producing.junk_every = 20
        fires({"StreamDeadLetters"})
        [alert] = [each for each in server.alerts() if each["state"] == "firing"]
        assert re.match(r"[\d.]+% of the records of prediction-stream", alert["annotations"]["summary"])
        producing.junk_every = 0
        fires(set())

        second.kill()
        first.until(lambda: len(first.partitions()) == 4, SEEN_S, "the first to own all partitions")
        fires({"StreamTargetDown"})

        producing.old_ms = OLD_MS
        visits.send(setup.bootstrap, setup.input, [hanging()])
        fires({"StreamTargetDown", "StreamLoopStuck", "StreamStalled", "StreamLate"})
        notes = [each["annotations"].values() for each in server.alerts()]
        assert [] == [text for texts in notes for text in texts if "error expanding" in text]

        first.kill()
        fires({"StreamTargetDown"})
