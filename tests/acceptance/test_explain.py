"""`stream explain` on a real Kafka: what a worker wrote is proven; what retention and compaction took is said."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from stream.app import assemble
from stream.configuration import load_settings
from stream.explain import Explanation, Published, Wanted, explain
from stream.first_opening import FirstOpening
from tests.acceptance import visits
from tests.acceptance.process import Setup, Tables, run
from tests.acceptance.reader import reading
from tests.acceptance.rig import running
from tests.kafka.process import wait_for
from tests.kafka.topics import Topics

pytestmark = pytest.mark.kafka

EVENTS = 6

COMPACTED = {"cleanup.policy": "compact", "segment.ms": "100", "min.cleanable.dirty.ratio": "0.01",
             "max.compaction.lag.ms": "100", "delete.retention.ms": "0"}  # fmt: skip


def _setup(folder: Path, topics: Topics, package: Path, **config: str) -> Setup:
    names = topics.create("in", 1, config), topics.create("out"), topics.create("dead")
    tables: Tables = {"model": {"uri": str(package), "open_timeout": "off"}}
    return Setup(folder, topics.bootstrap, topics.name("group"), *names, package, tables)


def _scored(setup: Setup) -> None:
    """Six events, scored exactly once: transactions' ends take offsets among the predictions."""
    visits.send(setup.bootstrap, setup.input, (visits.event(n) for n in range(EVENTS)))
    settings = load_settings(setup.write("worker", 1), {})
    with (
        running(assemble(settings)),
        reading(setup.bootstrap, setup.output, setup.dead, setup.package) as outputs,
    ):
        outputs.inputs(EVENTS)


def _asked(setup: Setup, key: bytes | None = None, place: tuple[int, int] | None = None) -> Explanation:
    """Within this process: the command itself takes seconds to start."""
    settings = load_settings(setup.write("explain", 1), {})
    return explain(settings, Wanted(place, key), FirstOpening())


def _claims(seen: Explanation) -> dict[str, tuple[str, str]]:
    return {claim.name: (claim.standing, claim.found) for claim in seen.claims}


def test_prediction_of_a_worker_is_proven_until_retention_takes_its_event(
    tmp_path: Path, topics: Topics, package: Path
) -> None:
    """Exit 0; then DeleteRecords, as retention does it: the prediction and its model are still shown."""
    setup = _setup(tmp_path, topics, package)
    _scored(setup)
    config = str(setup.write("explain", 1))
    with run(setup.folder, "explain", "explain", "visit-2", "--json", "--config", config) as told:
        assert 0 == told.end(), told.tail()
        found = json.loads(told.output())
    assert (True, 2, "bit-equal") == (
        found["proven"],
        found["event"]["fields"]["id"],
        found["rescored"]["likeness"],
    )

    admin = AdminClient({"bootstrap.servers": setup.bootstrap})
    for future in admin.delete_records([TopicPartition(setup.input, 0, 3)]).values():
        future.result(30)

    seen = _asked(setup, b"visit-2")
    standing, text = _claims(seen)["event"]
    assert ("unproven", "unproven", "proven") == (
        standing,
        _claims(seen)["answer"][0],
        _claims(seen)["package"][0],
    )
    assert "begins at offset 3: the record was deleted" in text
    assert isinstance(seen.published, Published)
    assert 2 == seen.published.fields["id"]
    assert _asked(setup, b"visit-3").proven


@pytest.mark.slow
def test_event_that_was_compacted_away_is_said_to_be(tmp_path: Path, topics: Topics, package: Path) -> None:
    """A later event with the key is another one, and is not taken for it."""
    setup = _setup(tmp_path, topics, package, **COMPACTED)
    _scored(setup)

    def compacted() -> bool:
        # Segments roll by the records' own time; only what is in an earlier one is compacted.
        later = [replace(visits.event(n), timestamp_ms=int(time.time() * 1_000)) for n in (0, 1, 2)]
        visits.send(setup.bootstrap, setup.input, later)
        return not _asked(setup, place=(0, 0)).proven

    wait_for(compacted, 100, "compaction of the input topic")

    standing, text = _claims(_asked(setup, place=(0, 0)))["event"]
    assert "unproven" == standing
    assert "compacted away" in text
