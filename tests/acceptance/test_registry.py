"""A real registry: stock serialisers write what we read, stock deserialisers read what we write."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pandas as pd
import pytest
from confluent_kafka.schema_registry import (
    Schema,
    header_schema_id_serializer,
    record_subject_name_strategy,
    topic_record_subject_name_strategy,
)

from stream.cli.main import main
from tests.acceptance import visits
from tests.acceptance.process import Setup, Worker, run
from tests.acceptance.registered import Stock, records, visit_schema
from tests.kafka.confluent import Answer, Memory, served
from tests.kafka.process import free_ports
from tests.kafka.registry import Registry

pytestmark = pytest.mark.kafka

Workers = Callable[..., Worker]
Make = Callable[..., Setup]

ID, CHANNEL, PAGES = ("id", "long"), ("channel", "string"), ("pages", "int")
SECONDS = ("seconds", ["null", "double"])

FIRST = visit_schema(("pages", "int"), ("id", "int"), ("seconds", "int"), CHANNEL)
"""Another order, an int for the long and an int for the nullable double."""

SECOND = visit_schema(ID, CHANNEL, PAGES, SECONDS, ("shop", "string"), shop="south", seconds=None)
"""A field more than the model knows."""

THIRD = visit_schema(ID, CHANNEL, PAGES, ("shop", "string"), shop="south")
"""Without the field that has a default."""


@pytest.fixture
def stocked() -> Iterator[Callable[[str], Stock]]:
    """Confluent's clients of a registry, closed after the test."""
    with ExitStack() as stack:
        yield lambda url: stack.enter_context(closing(Stock(url)))


Stocked = Callable[[str], Stock]

Told = Callable[..., tuple[str, str]]


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Told:
    """Runs `stream …` on a setup, here (importing everything again takes seconds each); stdout and stderr."""

    def ran(setup: Setup, *arguments: str, code: int = 0) -> tuple[str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([*arguments, "--config", str(setup.write("command", 1))])
        out, log = capsys.readouterr()
        assert code == ended.value.code, log
        return out, log

    return ran


def refused(setup: Setup, code: int) -> str:
    """What `stream worker`, as a process, says when it does not start."""
    config = str(setup.write("refused", 1))
    with run(setup.folder, "refused", "worker", "--config", config) as process:
        assert code == process.end(60), process.tail()
        return process.log.read_text()


def dead(setup: Setup, count: int) -> list[str]:
    """The reasons of so many dead letters."""
    letters = records(setup.bootstrap, setup.dead, count)
    return sorted(dict(one.headers())["stream.error.reason"].decode() for one in letters)


def expected(numbers: Iterable[int], blank: Iterable[int], whole: Iterable[int]) -> dict[int, str]:
    """The estimator's own labels: `blank` visits lost their seconds on the way, `whole` have whole ones."""
    rows = [visits.visit(number) for number in numbers]
    lost, cut = set(blank), set(whole)
    for row in rows:
        if row["id"] in lost:
            row["seconds"] = None
        elif row["id"] in cut:
            row["seconds"] = int(row["seconds"] or 0)
    frame = pd.DataFrame(rows)
    labels = visits.estimator().predict(frame[["channel", "pages", "seconds"]])
    return dict(zip((int(each) for each in frame["id"]), map(str, labels), strict=True))


def labels(found: Iterable[dict[str, Any]]) -> dict[int, str]:
    """Of predictions, by visit."""
    return {one["id"]: one["label"] for one in found}


@pytest.mark.slow
def test_schema_evolves_in_the_middle_of_the_topic(
    registry: Registry, make: Make, workers: Workers, told: Told, stocked: Stocked
) -> None:
    """
    Three versions, interleaved, by Confluent's serialiser; predictions back by Confluent's deserialiser; ids of
    another topic and of nobody as dead letters; every command of ours beside it.
    """
    setup, stock = make({"schema_registry": {"url": registry.url}}), stocked(registry.url)
    texts = (FIRST, SECOND, THIRD)
    each = [stock.events(setup.input, text, range(n, 3_000, 3)) for n, text in enumerate(texts)]
    foreign = stock.events(f"{setup.input}-x", visit_schema(ID, CHANNEL, PAGES), [1])
    unknown = [visits.Event(b"u", b"\x00\x7f\x00\x00\x00" + b"abc"), visits.Event(b"u", b"abc")]
    mixed = [event for three in zip(*each, strict=True) for event in three]
    visits.send(setup.bootstrap, setup.input, [*mixed[:1_500], *foreign, *unknown, *mixed[1_500:]])

    refusal = refused(setup, 2)
    assert f"is not registered under {setup.output}-value" in refusal
    assert "stream topics --create" in refusal
    _, created = told(setup, "topics", "--create")
    assert "is registered with id" in created
    workers(setup)
    found = stock.read(setup.bootstrap, setup.output, 3_000)

    assert expected(range(3_000), range(2, 3_000, 3), range(0, 3_000, 3)) == labels(found)
    assert ["not_framed", "schema_not_allowed", "unknown_schema"] == dead(setup, 3)
    assert registered_id(stock, setup) == {m.value()[:5] for m in records(setup.bootstrap, setup.output, 100)}
    out, _ = told(setup, "check", "--json", code=1)
    severities = {(one["severity"], one["where"]) for one in json.loads(out)}
    assert ("info", f"{setup.input}-value version 1") in severities
    assert ("warning", f"{setup.input}-value version 3") in severities
    out, _ = told(setup, "watch", "--from", "earliest", "--n", "20", "--json")
    assert {"buys", "leaves"} >= {json.loads(line)["label"] for line in out.splitlines()}
    out, _ = told(setup, "watch", "--topic", setup.input, "--from", "earliest", "--n", "20", "--json")
    assert 20 == len([line for line in out.splitlines() if "pages" in json.loads(line)])


def registered_id(stock: Stock, setup: Setup) -> set[bytes]:
    """The prefix of the output subject's only version."""
    latest = stock.client.get_latest_version(f"{setup.output}-value")
    assert latest.schema_id is not None
    return {b"\x00" + latest.schema_id.to_bytes(4, "big")}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("named", "strategy", "subject"),
    [
        ("record", record_subject_name_strategy, "tests.acceptance.Visit"),
        ("topic-record", topic_record_subject_name_strategy, "{topic}-tests.acceptance.Visit"),
    ],
    ids=["record", "topic-record"],
)
def test_subjects_by_record(
    registry: Registry,
    make: Make,
    workers: Workers,
    stocked: Stocked,
    named: str,
    strategy: Any,
    subject: str,
) -> None:
    """RecordNameStrategy and TopicRecordNameStrategy, as stock clients have them; the worker may register."""
    tables = {"schema_registry": {"url": registry.url, "subject": named, "register": True}}
    setup, stock = make(tables), stocked(registry.url)
    own = stock.events(setup.input, SECOND, range(50), {"subject.name.strategy": strategy})
    stranger = stock.events(setup.input, visit_schema(ID, CHANNEL, PAGES, ("shop", "string")), [1])
    visits.send(setup.bootstrap, setup.input, [*own, *stranger])
    workers(setup)

    assert expected(range(50), (), ()) == labels(stock.read(setup.bootstrap, setup.output, 50))
    assert subject.format(topic=setup.input) in stock.client.get_subjects()
    assert ["schema_not_allowed"] == dead(setup, 1)


@pytest.mark.slow
def test_guids_in_the_header(make: Make, workers: Workers, stocked: Stocked) -> None:
    """Confluent's header serialiser: the GUID beside the value, nothing before it."""
    memory = Memory()
    with served(memory) as url:
        setup, stock = make({"schema_registry": {"url": url, "register": True}}), stocked(url)
        conf = {"schema.id.serializer": header_schema_id_serializer}
        by_guid = stock.events(setup.input, SECOND, range(0, 100, 2), conf)
        by_id = stock.events(setup.input, SECOND, range(1, 100, 2))
        assert {b"\x01"} == {dict(event.headers)["__value_schema_id"][:1] for event in by_guid}  # type: ignore[index]
        visits.send(setup.bootstrap, setup.input, [*by_guid, *by_id])
        workers(setup)

        assert expected(range(100), (), ()) == labels(stock.read(setup.bootstrap, setup.output, 100))


@pytest.mark.slow
def test_registry_that_is_away_is_waited_for(make: Make, workers: Workers, stocked: Stocked) -> None:
    """At start, and in the middle: alive, not ready, and nothing lost or judged wrongly."""
    memory = Memory()
    away: list[Answer | Exception] = [Answer(503, b"away")]
    with served(memory) as url:
        setup = make({"schema_registry": {"url": url, "register": True}})
        memory.script = away * 100_000
        worker = workers(setup)
        worker.says("waiting: ")
        memory.script = []
        worker.ready()

        stock = stocked(url)
        events = stock.events(setup.input, SECOND, range(50))
        memory.script = away * 100_000
        visits.send(setup.bootstrap, setup.input, events)
        worker.says("the batch is tried again")
        assert 200 == worker.get("/health/live")[0]
        code, body = worker.get("/health/ready")
        assert (503, True) == (code, b"a batch waits" in body)
        memory.script = []

        assert expected(range(50), (), ()) == labels(stock.read(setup.bootstrap, setup.output, 50))
        worker.ready()


@pytest.mark.slow
def test_registry_that_does_not_come_ends_the_start(make: Make) -> None:
    """Exit 1 with the reason, after the time that is configured."""
    [port] = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    setup = make({"schema_registry": {"url": url}, "kafka": {"startup_timeout": "1s"}})

    said = refused(setup, 1)

    assert "waiting: " in said
    assert "(waited 1 s)" in said
    assert "correct `[schema_registry] url`" in said
    assert "Traceback" not in said


@pytest.mark.slow
def test_incompatible_prediction_schema_is_refused(
    registry: Registry, make: Make, told: Told, stocked: Stocked
) -> None:
    """The registry's 409 is told in its words, with the subject and a hint; check says so before."""
    setup, stock = make({"schema_registry": {"url": registry.url}}), stocked(registry.url)
    other = {"type": "record", "name": "Other", "fields": [{"name": "label", "type": "int"}]}
    stock.client.register_schema(f"{setup.output}-value", Schema(json.dumps(other), "AVRO"))

    _, said = told(setup, "topics", "--create", code=2)
    assert f"{setup.output}-value: the registry does not take the schema" in said
    assert "409" in said
    assert "Traceback" not in said
    out, _ = told(setup, "check", "--json", code=2)
    assert "does not fit the latest version" in out


def test_produce_registers_and_stock_clients_read(
    registry: Registry, make: Make, told: Told, stocked: Stocked
) -> None:
    """`stream produce --register`: the same bytes as any producer's."""
    setup, stock = make({"schema_registry": {"url": registry.url}}), stocked(registry.url)
    rows = [visits.visit(number) for number in range(20)]
    file = setup.folder / "visits.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))

    _, said = told(setup, "produce", str(file), code=2)
    assert "stream produce --register" in said
    told(setup, "produce", str(file), "--register", "--key", "id")

    found = stock.read(setup.bootstrap, setup.input, 20)
    assert rows == sorted(found, key=lambda row: int(row["id"]))
