"""What the live page is told of a worker in each of its states."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from stream.app.live_look import Look
from stream.app.live_worker import WorkerLive
from stream.app.worker_parts import Parts, assemble
from stream.app.worker_status import Status
from stream.codec import RecordSchema, single_object_prefix, write_row
from stream.records import Batch
from stream.resources import build_pipeline
from stream.settings import DeadLetterSettings, DeliverySettings, KafkaSettings, ModelSettings, Settings
from stream.transport import GroupLayout
from stream.worker import State
from tests.unit.rest.models import pack_people

SCHEMA = json.loads((Path(__file__).parents[2] / "live/snapshot.schema.json").read_text("utf-8"))

TOPIC = "features"


class Rig:
    """A worker that is not connected, whose work is done here, and its page."""

    def __init__(self, package: Path, state: Path, *, redact: bool = False, truth: Any = None) -> None:
        away = KafkaSettings("127.0.0.1:9", group="people-scorer", properties={"log_level": 0})
        defaults = Settings()
        self.settings = Settings(
            kafka=away,
            model=replace(ModelSettings(), uri=str(package), reload=None, open_timeout=None),
            delivery=replace(DeliverySettings(), instance="here", state=state),
            dead_letters=replace(DeadLetterSettings(), redact=redact),
            input=replace(defaults.input, topic=TOPIC),
        )
        self.parts: Parts = assemble(self.settings)
        self.status = Status(self.parts)
        self.look = Look(self.parts)
        self.live = WorkerLive(self.status, self.look, truth)
        self.parts.tally.seen.watch(True)
        self.features = RecordSchema(self.parts.package.features)
        self.offset = 0

    def event(self, age: int = 40, **more: object) -> bytes:
        """A person."""
        row = {"id": "p1", "seen": 0, "body_mass__kg_": 60.0, "age": age, "city": None}
        return single_object_prefix(self.features) + write_row(self.features, {**row, **more})

    def work(self, *values: bytes) -> None:
        """Score records, and take them for committed."""
        n, now_ms = len(values), round(time.time() * 1_000)
        offsets = list(range(self.offset, self.offset + n))
        self.offset += n
        keys: list[bytes | None] = [b"key\x1b[31m"] * n
        batch = Batch(TOPIC, [0] * n, offsets, [now_ms - 5] * n, keys, list(values), [None] * n)
        outcomes = build_pipeline(self.settings, self.parts.package, None).process(batch)
        self.parts.tally.count(batch, outcomes, model=self.parts.package.manifest.model)
        self.parts.tally.committed()

    def run(self) -> None:
        """The engine reads; a broker has answered."""
        for state in (State.WAITING, State.JOINING, State.RUNNING):
            self.parts.engine.life.move(state)
        self.parts.source.joined = True
        self.status.probe.note(time.monotonic(), ())

    def snapshot(self) -> dict[str, Any]:
        """As the page reads it."""
        text = self.live.snapshot()
        found: dict[str, Any] = json.loads(text)
        jsonschema.validate(found, SCHEMA)
        assert b"\n" not in text
        return found


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The classifier of people."""
    return pack_people(tmp_path_factory.mktemp("live") / "people")


@pytest.fixture
def make(package: Path, tmp_path: Path) -> Callable[..., Rig]:
    """A rig of that package, or of another."""

    def made(of: Path = package, **options: Any) -> Rig:
        return Rig(of, tmp_path / "state", **options)

    return made


def test_worker_without_records_is_empty_and_says_what_it_lacks(make: Callable[..., Rig]) -> None:
    """Before a broker has answered, and before a first record; numbers that aren't known are null."""
    found = make().snapshot()

    assert ("worker", "new", False, "people@1") == (
        found["kind"],
        found["state"],
        found["ready"],
        found["model"]["name"],
    )
    assert ["engine is new", "no broker has answered lately"] == found["lacking"]
    assert {"records": 0, "predictions": 0, "dead_letters": 0, "skips": 0} == found["totals"]
    assert [] == found["latest"] == found["dead_letters"]["recent"]
    assert (None, None, None) == (found["now"]["p99_ms"], found["now"]["lag_records"], found["partitions"])
    assert "score" == found["scores"]["field"]
    assert (3, 0) == (sum(found["scores"]["golden"]), sum(found["scores"]["now"]))


def test_worker_that_runs_shows_rates_latency_and_predictions(make: Callable[..., Rig]) -> None:
    """The newest first, without what the page has elsewhere; keys are escaped; scores are counted by bin."""
    rig = make()
    rig.run()
    rig.snapshot()
    rig.work(rig.event(20), rig.event(90, id="\u202ep2"))
    found = rig.snapshot()

    assert ("standing by", True, []) == (found["state"], found["ready"], found["lacking"])
    assert 2 == found["totals"]["predictions"]
    assert 0 < found["now"]["records_per_second"]
    assert 2 < found["now"]["p50_ms"] < 1_000
    assert 2 == found["now"]["batch_records"]
    assert {"id": "\\u202ep2", "seen": "1970-01-01T00:00:00.000Z", "label": "old", "score": 0.1} == (
        found["latest"][0]["values"]
    )
    assert (f"{TOPIC}[0]@1", "key\\x1b[31m", None) == tuple(
        found["latest"][0][name] for name in ("place", "key", "truth")
    )
    assert 2 == sum(found["scores"]["now"])
    assert (1, True) == (found["transactions"]["committed"], found["transactions"]["last_commit_ms"] > 0)


def test_dead_letters_are_shown_by_reason_and_opened(make: Callable[..., Rig]) -> None:
    """What failed byte by byte, decoded as far as it goes, with the meaning and the next step."""
    rig = make()
    whole = rig.event()
    rig.work(whole + b"\x00\x00", b"junk", whole[:-3], whole)
    rig.look.examine()
    found = rig.snapshot()["dead_letters"]

    assert {("trailing_bytes", 1), ("not_framed", 1), ("truncated", 1)} == {
        (each["reason"], each["count"]) for each in found["by_reason"]
    }
    assert all(each["meaning"] and each["next_step"] for each in found["by_reason"])
    truncated, junk, trailing = found["recent"]
    assert (len(whole), "p1", 40) == (
        trailing["failed_at"],
        trailing["decoded"]["id"],
        trailing["decoded"]["age"],
    )
    assert (None, None, "6a 75 6e 6b", "junk") == tuple(
        junk[name] for name in ("failed_at", "decoded", "hex", "text")
    )
    assert "city" not in truncated["decoded"]
    assert truncated["bytes"] == len(whole) - 3


def test_letters_that_are_listed_are_those_that_were_decoded(make: Callable[..., Rig]) -> None:
    """In a flood of letters the page lists the ones of the last look, each opened at its failed byte."""
    rig = make()
    rig.work(*[rig.event()[:-1]] * 10)
    rig.look.examine()

    rig.work(*[rig.event() + b"\x00"] * 10)

    recent = rig.snapshot()["dead_letters"]["recent"]
    assert {"truncated"} == {letter["reason"] for letter in recent}
    assert all(letter["failed_at"] is not None for letter in recent)
    rig.look.examine()
    assert {"trailing_bytes"} == {letter["reason"] for letter in rig.snapshot()["dead_letters"]["recent"]}


def test_long_dead_letter_is_kept_by_its_beginning(make: Callable[..., Rig]) -> None:
    """A value of megabytes is not held for the page, nor decoded."""
    rig = make()
    rig.work(rig.event(city="x" * 1_000_000) + b"\x00")
    rig.look.examine()
    [letter] = rig.snapshot()["dead_letters"]["recent"]
    [kept] = rig.parts.tally.seen.letters

    assert 1_000_000 < letter["bytes"]
    assert (256, None) == (len(bytes.fromhex(letter["hex"])), letter["decoded"])
    assert kept.value is not None
    assert 256 == len(kept.value)


def test_redacted_worker_shows_and_keeps_no_value(make: Callable[..., Rig]) -> None:
    """Neither of predictions nor of dead letters; places, sizes, reasons and the distribution stay."""

    def truth(values: Mapping[str, object]) -> Mapping[str, object]:
        raise AssertionError("nobody asks")

    rig = make(redact=True, truth=truth)
    rig.snapshot()
    rig.work(rig.event(id="payload"), rig.event(id="payload") + b"\x00", b"payload")
    rig.look.examine()
    found = rig.snapshot()
    letters = found["dead_letters"]["recent"]

    assert found["redacted"]
    assert "payload" not in json.dumps(found)
    assert [None] == [row["key"] for row in found["latest"]]
    assert {None} == set(found["latest"][0]["values"].values())
    assert 1 == sum(found["scores"]["now"])
    for name in ("message", "key", "hex", "text", "failed_at", "decoded"):
        assert [None, None] == [letter[name] for letter in letters]
    assert [7, len(rig.event(id="payload")) + 1] == [letter["bytes"] for letter in letters]
    assert [(None, None, None)] * 2 == [(s.key, s.value, s.message) for s in rig.parts.tally.seen.letters]


def test_truth_is_shown_where_somebody_knows_it(make: Callable[..., Rig]) -> None:
    """Asked with the prediction's fields; what is not known is null."""

    def truth(values: Mapping[str, object]) -> Mapping[str, object] | None:
        return {"text": "old", "right": values["label"] == "old"} if values["id"] == "p1" else None

    rig = make(truth=truth)
    rig.snapshot()
    rig.work(rig.event(20), rig.event(90), rig.event(id="p2"))

    assert [None, {"text": "old", "right": True}, {"text": "old", "right": False}] == [
        row["truth"] for row in rig.snapshot()["latest"]
    ]


def test_broker_that_is_away_is_named(make: Callable[..., Rig]) -> None:
    """The last numbers stay; the page is told what is missing."""
    rig = make()
    rig.run()
    rig.work(rig.event())
    rig.status.clock = lambda: time.monotonic() + 60
    rig.parts.source.connection.trouble = "_TRANSPORT: \x1b[31mrefused"
    found = rig.snapshot()

    assert (False, 1) == (found["ready"], found["totals"]["records"])
    assert ["no broker has answered lately (_TRANSPORT: \\x1b[31mrefused)"] == found["lacking"]


def test_swap_is_shown_with_its_moment_and_starts_a_new_distribution(
    make: Callable[..., Rig], tmp_path: Path
) -> None:
    """The version before is named; its last predictions are still readable; one that is refused is told with why."""
    folder = pack_people(tmp_path / "people")
    rig = make(folder)
    rig.snapshot()
    rig.work(rig.event())
    rig.snapshot()
    pack_people(folder)
    before_ms = round(time.time() * 1_000)
    assert rig.parts.reloader.look()
    rig.parts.tally.seen.batch(*_late(rig), "people@1", before_ms)
    found = rig.snapshot()

    assert ("people@2", "people@1") == (found["model"]["name"], found["model"]["previous"])
    assert before_ms <= found["model"]["swapped_ms"] == found["model"]["since_ms"]
    assert (2, 0) == (len(found["latest"]), sum(found["scores"]["now"]))


def _late(rig: Rig) -> tuple[Batch, Any]:
    """A batch of the version before, committed after the swap."""
    batch = Batch(TOPIC, [0], [9], [0], [None], [rig.event()], [None])
    return batch, build_pipeline(rig.settings, rig.parts.package, None).process(batch)


def test_partitions_of_the_whole_group_are_shown(make: Callable[..., Rig]) -> None:
    """Each with its owner's instance, the offsets and the lag; one without an owner or a commit says so."""
    rig = make()
    rig.look.layout = GroupLayout(
        {TOPIC: 64, "predictions": 8},
        {i: f"prediction-stream.worker-{i % 2}" for i in range(63)},
        {i: 10 * i for i in range(63)},
        {i: 10 * i + 3 for i in range(64)},
    )
    found = rig.snapshot()

    assert 64 == len(found["partitions"])
    assert {
        "partition": 5,
        "owner": "worker-1",
        "owner_known": True,
        "mine": False,
        "committed": 50,
        "end": 53,
        "lag": 3,
        "lag_seconds": None,
    } == found["partitions"][5]
    assert (None, None, None) == tuple(
        found["partitions"][63][name] for name in ("owner", "committed", "lag")
    )
    assert 64 == found["flow"]["input"]["partitions"]


def test_nothing_of_predictions_is_kept_while_nobody_looks(make: Callable[..., Rig]) -> None:
    """Nor afterwards; the trail goes on."""
    rig = make()
    rig.parts.tally.seen.watch(False)
    rig.work(rig.event())
    rig.live.tick()
    rig.work(rig.event())
    rig.live.tick()

    assert [] == rig.parts.tally.seen.take()
    assert 1 == len(rig.snapshot()["history"]["records_per_second"])
