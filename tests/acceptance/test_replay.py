"""`stream deadletters replay` on a real Kafka: each original once, also when it is killed; counted from outside."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its __init__ re-exports without __all__
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from stream.cli import main
from stream.configuration import load_settings
from stream.errors import Fenced
from stream.redrive import LetterFilter, Wish, opened_replay
from tests.acceptance import visits
from tests.acceptance.conftest import make_setup
from tests.acceptance.dying_replay import STEPS
from tests.acceptance.process import Process, Setup, run
from tests.acceptance.registered import Stock, visit_schema
from tests.acceptance.visits import Event
from tests.kafka.process import wait_for
from tests.kafka.registry import Registry
from tests.kafka.topics import Topics

pytestmark = pytest.mark.kafka

READ_S = 90.0


@dataclass(frozen=True)
class Read:
    """A record as an independent reader has it."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp_ms: int
    headers: Sequence[tuple[str, bytes | None]]


class Onlooker:
    """Reads committed records of one topic, from the first on; shares nothing with the product."""

    def __init__(self, bootstrap: str, topic: str, partitions: int) -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "onlooker",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "log_level": 0,
            }
        )
        self._consumer.assign([TopicPartition(topic, index, 0) for index in range(partitions)])
        self.found: list[Read] = []

    def until(self, count: int, timeout_s: float = READ_S) -> list[Read]:
        """Read until so many records are there."""
        wait_for(lambda: self.poll() >= count, timeout_s, f"{count} records")
        return self.found

    def poll(self) -> int:
        """Take what is there; how many there are by now."""
        for message in self._consumer.consume(5_000, 0.2):
            assert message.error() is None, message.error()
            self.found.append(
                Read(
                    message.partition() or 0,
                    message.offset() or 0,
                    message.key(),
                    message.value(),
                    message.timestamp()[1],
                    message.headers() or [],  # type: ignore[arg-type]
                )
            )
        return len(self.found)

    def close(self) -> None:
        """End reading."""
        self._consumer.close()


@pytest.fixture
def setup(make: Callable[..., Setup]) -> Setup:
    """Fresh topics; the package is opened without a child process before, which would take two seconds."""
    return make({"model": {"open_timeout": "off"}})


@pytest.fixture
def returned(setup: Setup) -> Iterator[Onlooker]:
    """What comes back to the input topic."""
    with closing(Onlooker(setup.bootstrap, setup.input, 4)) as onlooker:
        yield onlooker


def letter(setup: Setup, event: Event, partition: int, offset: int, reason: str = "wrong_type") -> Event:
    """The dead letter of an event, as the worker writes it."""
    said = {
        "__connect.errors.topic": setup.input,
        "__connect.errors.partition": str(partition),
        "__connect.errors.offset": str(offset),
        "__connect.errors.stage": "contract",
        "stream.error.reason": reason,
        "stream.error.count": "77",
        "stream.model": "visits@1",
    }
    headers = [*event.headers, *((name, text.encode()) for name, text in said.items())]
    return Event(event.key, event.value, event.timestamp_ms, headers)


def letters(setup: Setup, count: int) -> list[Event]:
    """Letters of sound events, each of a key of its own."""
    return [letter(setup, visits.event(n), n % 4, 1_000_000 + n) for n in range(count)]


def replayed(setup: Setup, *options: str) -> int:
    """Exit code of a replay in this process."""
    with pytest.raises(SystemExit) as end:
        main(["deadletters", "replay", *options, "--config", str(setup.write("replay", 1))])
    assert isinstance(end.value.code, int)
    return end.value.code


@contextmanager
def replaying(setup: Setup, name: str, *options: str) -> Iterator[Process]:
    """A replay as a process of its own."""
    config = str(setup.write(name, 1))
    with run(setup.folder, name, "deadletters", "replay", "--config", config, *options) as process:
        yield process


@contextmanager
def dying(setup: Setup, name: str, *arguments: str) -> Iterator[Process]:
    """A replay that kills itself at a step."""
    config = str(setup.write(name, 1))
    command = [sys.executable, "-m", "tests.acceptance.dying_replay", *arguments, "--config", config]
    with Process(name, command, setup.folder) as process:
        yield process


def test_original_comes_back_as_it_was(
    setup: Setup, returned: Onlooker, capsys: pytest.CaptureFixture[str]
) -> None:
    """Key, value, time, its own headers in order, and its partition: by key, without a key its own; none of ours."""
    own = [("mine", b"1"), ("n", None), ("mine", b"2")]
    keyed = Event(b"k", b"anything \xff", 1_700_000_000_123, own)
    plain = Event(None, visits.framed(visits.visit(1)), 1_700_000_000_456)
    gone = Event(b"k", None, 1_700_000_000_789)
    visits.send(
        setup.bootstrap,
        setup.dead,
        [letter(setup, each, 3, n) for n, each in enumerate((keyed, plain, gone))],
    )

    assert 0 == replayed(setup)

    found = {each.timestamp_ms: each for each in returned.until(3)}
    for sent in (keyed, plain, gone):
        back = found[sent.timestamp_ms]
        assert (sent.key, sent.value, list(sent.headers)) == (back.key, back.value, list(back.headers))
    visits.send(setup.bootstrap, setup.input, [Event(b"k", b"by key")])
    assert returned.until(4)[-1].partition == found[keyed.timestamp_ms].partition
    assert 3 == found[plain.timestamp_ms].partition
    assert "3 letters sent" in capsys.readouterr().out


def test_replay_run_again_sends_only_what_is_new(
    setup: Setup, returned: Onlooker, capsys: pytest.CaptureFixture[str]
) -> None:
    """The marks say what was sent; a limit counts what is sent; filters choose."""
    visits.send(setup.bootstrap, setup.dead, letters(setup, 10))

    assert [0, 0] == [replayed(setup, "--limit", "4"), replayed(setup, "--limit", "4")]
    visits.send(setup.bootstrap, setup.dead, [letter(setup, visits.event(10), 0, 1_000_010, "not_finite")])
    assert 0 == replayed(setup, "--reason", "not_finite")
    assert 0 == replayed(setup)
    capsys.readouterr()
    assert 0 == replayed(setup)

    assert {b"visit-%d" % n for n in range(11)} == {each.key for each in returned.until(11)}
    assert "0 letters sent" in (said := capsys.readouterr().out)
    assert "11 left out: already replayed" in said


@pytest.mark.slow
def test_letters_of_others_and_those_that_would_be_deleted_stay(
    make: Callable[..., Setup], capsys: pytest.CaptureFixture[str]
) -> None:
    """A shared topic's strangers are sent only when they are named; what retention would delete, once it is raised."""
    day_ms = 86_400_000
    setup = make({"model": {"open_timeout": "off"}}, into={"retention.ms": str(day_ms)})
    now_ms = time.time_ns() // 1_000_000
    own, old, elsewhere, theirs = (
        letter(setup, Event(name, visits.framed(visits.visit(1)), now_ms - age_ms), 0, n)
        for n, (name, age_ms) in enumerate([(b"own", 0), (b"old", day_ms), (b"elsewhere", 0), (b"theirs", 0)])
    )
    said = dict(elsewhere.headers)
    elsewhere = replace(elsewhere, headers=[*{**said, "__connect.errors.topic": b"t"}.items()])
    theirs = replace(theirs, headers=[*theirs.headers, ("__connect.errors.connector.name", b"g")])
    visits.send(setup.bootstrap, setup.dead, [own, old, elsewhere, theirs])

    with closing(Onlooker(setup.bootstrap, setup.input, 4)) as returned:
        assert 0 == replayed(setup)
        out = capsys.readouterr().out
        assert {b"own"} == {each.key for each in returned.until(1)}
        assert 0 == replayed(setup, "--topic", "t")
        assert 0 == replayed(setup, "--group", "g")
        keep(setup, "-1")
        assert 0 == replayed(setup)
        assert {b"own", b"old", b"elsewhere", b"theirs"} == {each.key for each in returned.until(4)}

    assert "1 left out: as old as what the input topic deletes" in out
    assert "(--topic T sends those of T): t" in out
    assert "(--group G sends those of G): g" in out


def keep(setup: Setup, retention_ms: str) -> None:
    """What `kafka-configs.sh --alter` does."""
    entry = ConfigEntry("retention.ms", retention_ms, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, setup.input, incremental_configs=[entry])
    admin = AdminClient({"bootstrap.servers": setup.bootstrap})  # kept: a dropped one fails its futures
    for future in admin.incremental_alter_configs([resource]).values():
        future.result(30)


def test_letter_that_comes_back_is_left_out_unless_it_is_asked_for(
    setup: Setup, returned: Onlooker, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is known by where its original was written, whatever its producer's count says; `--again` sends it once."""
    visits.send(setup.bootstrap, setup.dead, letters(setup, 3))
    assert 0 == replayed(setup)
    back = returned.until(3)[1]
    failed = Event(back.key, back.value, back.timestamp_ms)
    visits.send(setup.bootstrap, setup.dead, [letter(setup, failed, back.partition, back.offset)])

    capsys.readouterr()
    assert 0 == replayed(setup)
    assert "1 left out: came back from a replay and failed again" in capsys.readouterr().out
    assert [0, 0] == [replayed(setup, "--again"), replayed(setup, "--again")]

    visits.send(setup.bootstrap, setup.input, [Event(b"last", b"")])
    assert {b"visit-0": 1, b"visit-1": 1, b"visit-2": 1, b"last": 1} | {back.key: 2} == Counter(
        each.key for each in returned.until(5)
    )


def test_dry_run_counts_and_changes_no_topic(
    setup: Setup, returned: Onlooker, capsys: pytest.CaptureFixture[str]
) -> None:
    """So many would be scored, so many still fail, and why; no record, and no topic of marks."""
    good, bad = visits.event(1), Event(b"bad", visits.framed(visits.visit(2))[:-3], 5)
    visits.send(
        setup.bootstrap,
        setup.dead,
        [*letters(setup, 20), letter(setup, bad, 0, 7), letter(setup, good, 0, 8, "model_crashed")],
    )

    assert 0 == replayed(setup, "--dry-run")

    said = capsys.readouterr().out
    assert "20 of 22 would be scored now; 1 still fail: truncated 1" in said
    assert "1 were not tried" in said
    assert 0 == returned.poll()
    admin = AdminClient({"bootstrap.servers": setup.bootstrap, "log_level": 0})
    assert f"{setup.dead}.replayed" not in admin.list_topics(timeout=20).topics


@pytest.mark.slow
def test_second_replay_ends_the_first(setup: Setup, returned: Onlooker) -> None:
    """They have one transactional id: the older can't commit any more, and nothing is sent twice."""
    visits.send(setup.bootstrap, setup.dead, letters(setup, 50))
    settings = load_settings(setup.write("replay", 1), {})

    with opened_replay(settings, Wish(), dry=False) as first:
        with opened_replay(settings, Wish(LetterFilter(limit=20)), dry=False) as second:
            second.send(None, lambda _: None)
        with pytest.raises(Fenced, match="another replay has taken over"):
            first.send(None, lambda _: None)
    assert 0 == replayed(setup)

    assert {1} == set(Counter(each.key for each in returned.until(50)).values())


OLD = {
    "type": "record",
    "name": "Visit",
    "namespace": "tests.acceptance",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "source", "type": "string"},
        {"name": "pages", "type": "string"},
        {"name": "debug", "type": "string"},
    ],
}

REPAIR = """
[reason.unknown_schema]
schema = "old.avsc"
rename = { source = "channel" }
drop = ["debug"]
cast = ["pages"]
default = { seconds = 1.5 }
"""


@pytest.mark.slow
def test_marks_that_retention_took_stop_the_replay(
    setup: Setup, returned: Onlooker, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was replayed is not known any more: nothing is sent by guess."""
    visits.send(setup.bootstrap, setup.dead, letters(setup, 3))
    assert 0 == replayed(setup, "--limit", "1")
    admin = AdminClient({"bootstrap.servers": setup.bootstrap, "log_level": 0})
    [done] = admin.delete_records([TopicPartition(f"{setup.dead}.replayed", 0, 1)]).values()
    done.result(READ_S)

    for options in ([], ["--dry-run"]):
        assert 1 == replayed(setup, *options)
        assert "marks were deleted" in capsys.readouterr().err
    assert 1 == len(returned.until(1))


@pytest.mark.slow
def test_open_transaction_among_the_marks_stops_the_replay(
    setup: Setup, returned: Onlooker, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It hides the marks behind it: their letters would be sent a second time. Once it has ended, each comes once."""
    monkeypatch.setattr("stream.transport.whole_topic.IDLE_S", 1.0)
    visits.send(setup.bootstrap, setup.dead, letters(setup, 6))
    assert 0 == replayed(setup, "--limit", "2")
    stranger = Producer({"bootstrap.servers": setup.bootstrap, "transactional.id": f"{setup.group}.stranger"})
    stranger.init_transactions(READ_S)
    stranger.begin_transaction()
    stranger.produce(f"{setup.dead}.replayed", b"")
    stranger.flush(READ_S)

    assert 1 == replayed(setup, "--limit", "2")
    assert "has not ended, and hides what was committed behind it" in capsys.readouterr().err
    assert 0 == replayed(setup, "--dry-run")
    stranger.abort_transaction(READ_S)
    assert [0, 0] == [replayed(setup, "--limit", "2"), replayed(setup)]

    visits.send(setup.bootstrap, setup.input, [Event(b"last", b"")])
    assert {1} == set(Counter(each.key for each in returned.until(7)).values())


@pytest.mark.slow
def test_letters_that_an_open_transaction_hides_are_told(
    setup: Setup, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are not counted; that there are some is said by each command."""
    visits.send(setup.bootstrap, setup.dead, letters(setup, 3))
    open_ = Producer({"bootstrap.servers": setup.bootstrap, "transactional.id": f"{setup.group}.open"})
    open_.init_transactions(READ_S)
    open_.begin_transaction()
    open_.produce(setup.dead, b"")
    open_.flush(READ_S)
    visits.send(setup.bootstrap, setup.dead, letters(setup, 3))
    config = str(setup.write("look", 1))

    for command in (["list"], ["stats", "--json"], ["replay", "--dry-run"]):
        with pytest.raises(SystemExit) as end:
            main(["deadletters", *command, "--config", config])
        assert 0 == end.value.code
        assert "not among them: up to 4 letters" in capsys.readouterr().err
    with pytest.raises(SystemExit) as end:
        main(["deadletters", "show", "0:5", "--config", config])
    assert 2 == end.value.code
    assert "a transaction that has not ended" in capsys.readouterr().err
    open_.abort_transaction(READ_S)


@pytest.mark.slow
def test_repaired_letters_are_sent_and_the_others_told(
    setup: Setup, returned: Onlooker, capsys: pytest.CaptureFixture[str]
) -> None:
    """Written under today's schema and scored before anything is sent; the originals stay as they were."""
    (setup.folder / "old.avsc").write_text(json.dumps(OLD))
    (setup.folder / "repair.toml").write_text(REPAIR)
    rows = [{"id": n, "source": "mail", "pages": "7" if n else "many", "debug": ""} for n in range(5)]
    dead = [Event(b"%d" % n, visits.framed_as(OLD, row), 100 + n) for n, row in enumerate(rows)]
    visits.send(
        setup.bootstrap,
        setup.dead,
        [letter(setup, each, 0, n, "unknown_schema") for n, each in enumerate(dead)],
    )
    options = ["--repair", str(setup.folder / "repair.toml")]

    assert 0 == replayed(setup, *options, "--dry-run")
    assert "4 of 5 would be scored now; 1 still fail" in capsys.readouterr().out
    assert 0 == returned.poll()
    assert 0 == replayed(setup, *options)

    said = capsys.readouterr().out
    assert "4 letters sent" in said
    assert "1 can't be made right" in said
    assert [{"id": n, "channel": "mail", "pages": 7, "seconds": 1.5} for n in range(1, 5)] == sorted(
        (visits.decoded(each.value or b"") for each in returned.until(4)), key=lambda row: row["id"]
    )
    with closing(Onlooker(setup.bootstrap, setup.dead, 1)) as kept:
        assert [each.value for each in dead] == [each.value for each in kept.until(5)]


@pytest.mark.slow
def test_repaired_letters_are_written_under_the_latest_version_of_the_subject(
    make: Callable[..., Setup], registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a registry the value names the id of the newest schema, and no header says otherwise."""
    setup = make({"schema_registry": {"url": registry.url}})
    first = visit_schema(("id", "long"), ("pages", "int"))
    latest = visit_schema(
        ("id", "long"), ("channel", "string"), ("pages", "int"), ("seconds", ["null", "double"]),
        channel="none", seconds=None,
    )  # fmt: skip
    with closing(Stock(registry.url)) as stock:
        dead = stock.events(setup.input, first, range(5), {"auto.register.schemas": True})
        number = stock.register(setup.input, latest)
    held = [("__value_schema_id", b"\0" + dead[0].value[1:5])]  # type: ignore[index]
    inside = [Event(each.key, (each.value or b"")[5:], each.timestamp_ms, held) for each in dead[:2]]
    visits.send(
        setup.bootstrap,
        setup.dead,
        [letter(setup, each, 0, n, "missing_field") for n, each in enumerate([*inside, *dead[2:]])],
    )
    (setup.folder / "repair.toml").write_text('[reason.missing_field]\ndefault = { channel = "mail" }\n')

    assert 0 == replayed(setup, "--dry-run")
    assert "0 of 5 would be scored now; 5 still fail: missing_field 5" in capsys.readouterr().out
    assert 0 == replayed(setup, "--repair", str(setup.folder / "repair.toml"))

    with closing(Onlooker(setup.bootstrap, setup.input, 4)) as returned:
        back = returned.until(5)
    assert [[]] * 5 == [list(each.headers) for each in back]
    assert {b"\0" + number.to_bytes(4, "big")} == {(each.value or b"")[:5] for each in back}
    with closing(Stock(registry.url)) as stock:
        rows = stock.read(setup.bootstrap, setup.input, 5)
    assert [(n, "mail") for n in range(5)] == sorted((row["id"], row["channel"]) for row in rows)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("count", "steps", "random_kills"),
    [(3_000, 3, 0), pytest.param(23_000, 10, 10, marks=[pytest.mark.slow, pytest.mark.timeout(600)])],
)
def test_each_original_comes_back_once_though_the_replay_is_killed(
    tmp_path: Path, topics: Topics, package: Path, count: int, steps: int, random_kills: int
) -> None:
    """kill -9 at steps of a transaction, and anywhere; the last run goes to the end; an independent reader counts."""
    setup = make_setup(tmp_path, topics, package)
    visits.send(setup.bootstrap, setup.dead, letters(setup, count))
    # Ten transactions a second: some of each run are committed, and enough is left for the last.
    rate = ["--rate", "2000"]
    with closing(Onlooker(setup.bootstrap, setup.input, 4)) as returned:
        for number, (method, when, call) in enumerate(STEPS[:steps]):
            with dying(setup, f"step-{number}", method, when, str(call), *rate) as process:
                assert -signal.SIGKILL == process.end(), process.tail()
        for number in range(random_kills):
            wanted = returned.poll() + 200
            with replaying(setup, f"anywhere-{number}", *rate) as process:
                process.until(lambda wanted=wanted: returned.poll() >= wanted, READ_S, f"{wanted} originals")
                os.kill(process.pid, signal.SIGKILL)
        with replaying(setup, "last") as process:
            assert 0 == process.end(), process.tail()
        found = Counter(each.key for each in returned.until(count))

    said = re.search(r"([0-9,]+) letters sent[^\n]*\n([0-9,]+) left out: already", process.output())
    assert said is not None, process.output()
    assert count == sum(int(number.replace(",", "")) for number in said.groups())
    assert {b"visit-%d" % n: 1 for n in range(count)} == found
