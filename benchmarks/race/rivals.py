"""Who takes part: how each is started, what it promises, and how it was made as fast as its documentation allows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.entry import entry_of
from benchmarks.lane import Lane
from benchmarks.process import ROOT
from benchmarks.race.jars import spark_kafka_jars

__all__ = ["ABSENT", "RIVALS", "Rival"]

_HERE = "benchmarks.race"

_SINGLE = 1_000
"""Events for those that answer one at a time: some 20 s of theirs."""

_SOME = 100_000
"""Events for those that take 100 µs and more for each, though in batches."""

_FEW = 2_000
"""Events for MLServer: it takes on all requests at once, and of 10,000 it lost two thirds (KafkaTimeoutError)."""


@dataclass(frozen=True, slots=True)
class Rival:
    """
    One contestant.

    Attributes:
        title: its name, for people.
        guarantee: what becomes of an event when it is killed.
        how: batches, processes and what else was set.
        environment: its folder below `benchmarks/race`, whose lock is installed; None: this one.
        command: of the lane and its environment's Python: how it is started.
        variables: of the task's file: environment variables.
        most: events that it is given at most; None: all.
        ready: what its log says once it reads: then events are sent to it as requests (`benchmarks.race.requests`);
            empty: it reads the topic that was filled before.
        at_end: whether it writes all of its predictions at its end: its rate is then counted from its start on.
    """

    title: str
    guarantee: str
    how: str
    environment: str | None
    command: Callable[[Lane, Path], Sequence[str]]
    variables: Callable[[Path], Mapping[str, str]] = field(default=lambda task: {})
    most: int | None = None
    ready: str = ""
    at_end: bool = False


def _ours(name: str) -> Callable[[Lane, Path], Sequence[str]]:
    return lambda lane, python: lane.command(entry_of(name))


def _program(folder: str, *extra: str) -> Callable[[Lane, Path], Sequence[str]]:
    module = f"{_HERE}.{folder}.program"
    return lambda lane, python: [str(python), "-m", module, f"--task={lane.task()}", *extra]


def _spark(lane: Lane, python: Path) -> Sequence[str]:
    return [*_program("spark")(lane, python), f"--jars={spark_kafka_jars()}"]


def _bytewax(lane: Lane, python: Path) -> Sequence[str]:
    store = lane.folder / lane.name / "recovery"
    store.mkdir(parents=True, exist_ok=True)
    lane.task()
    return [str(python), "-m", f"{_HERE}.bytewax.start", str(store)]


RIVALS: dict[str, Rival] = {
    "worker": Rival(
        "stream worker", "exactly-once", "defaults: batches of 2,000; 1 process", None, _ours("worker")
    ),
    "worker-alo": Rival(
        "stream worker, at-least-once",
        "at-least-once",
        "defaults: batches of 2,000; 1 process",
        None,
        _ours("worker-alo"),
    ),
    "loop-transactions": Rival(
        "hand-written loop with transactions",
        "exactly-once while nothing fails",
        "batches of 10,000, a transaction for 5 of them; 1 process; no checks, no dead letters",
        None,
        _ours("loop-transactions"),
    ),
    "loop": Rival(
        "hand-written loop",
        "at-least-once",
        "batches of 10,000, a commit after 5 of them; 1 process; no checks, no dead letters",
        None,
        _ours("loop"),
    ),
    "bytewax": Rival(
        "Bytewax",
        "at-least-once",
        "`flat_map_batch` of up to 10,000, recovery store; 1 process",
        "bytewax",
        _bytewax,
        lambda task: {"BENCH_TASK": str(task)},
    ),
    "quix-sink": Rival(
        "Quix Streams, BatchingSink",
        "at-least-once",
        "a sink that predicts 10,000 at a time, a commit after 50,000; 1 process",
        "quix",
        _program("quix", "--sink=10000"),
    ),
    "spark": Rival(
        "Spark Structured Streaming",
        "at-least-once",
        "`pandas_udf`, Arrow batches of 10,000; `local[*]`: a JVM and a Python worker for each core",
        "spark",
        _spark,
    ),
    "faststream": Rival(
        "FastStream, batch subscriber",
        "at-least-once",
        "batches of 10,000, `publish_batch`; 1 process",
        "faststream",
        _program("faststream"),
        most=_SOME,
    ),
    "faust-take": Rival(
        "Faust, take",
        "at-least-once, may lose a batch when it fails",
        "`take_events(10000)`; 1 process",
        None,
        _ours("faust-take"),
        most=_SOME,
    ),
    "faust": Rival(
        "Faust, one event at a time",
        "at-least-once",
        "as tutorials do; 1 process",
        None,
        _ours("faust"),
        most=_SINGLE,
    ),
    "quix": Rival(
        "Quix Streams, one event at a time",
        "at-least-once",
        "as tutorials do; 1 process",
        "quix",
        _program("quix"),
        most=_SINGLE,
    ),
    "beam": Rival(
        "Apache Beam, RunInference",
        "a batch job: begins anew",
        "`RunInference` on batches of 10,000, direct runner, a reader and a writer of our own; 1 process; its start-up "
        "is counted, since it writes all at its end",
        "beam",
        _program("beam"),
        at_end=True,
    ),
    "mlserver": Rival(
        "MLServer's Kafka server",
        "what comes while it is down is lost",
        "adaptive batching of up to 1,000, custom runtime; events as JSON with the Avro bytes inside; 1 process",
        "mlserver",
        _program("mlserver"),
        most=_FEW,
        ready="Reading messages from consumer",
    ),
}
"""In the order in which they are shown where nothing was measured."""

ABSENT: dict[str, str] = {
    "Apache Beam as a stream": "`ReadFromKafka` of apache-beam 2.77.0 is Java behind an expansion service; its jar, "
    "`org.apache.beam:beam-sdks-java-io-expansion-service`, could not be fetched from Maven's repository (404 for "
    "2.65.0 to 2.77.0), nor the job server of the Flink runner; Prism, the default runner, downloads a program. So it "
    "takes part as a batch job, with a reader of our own.",
}
"""Title → why it takes no part: what was tried, and what came of it."""

assert all(
    (ROOT / "benchmarks" / "race" / one.environment).is_dir() for one in RIVALS.values() if one.environment
)
