"""
Dead letters, counted, tried and sent back: how long the commands take, from the shell.

    python -m benchmarks.redrive --letters 23000 --runs 3

The letters are flights that today's model scores. A reader of its own counts what came back to the input topic.
"""

from __future__ import annotations

import argparse
import json
import secrets
import subprocess
import sys
import tempfile
import time
from collections import Counter
from itertools import cycle, islice
from pathlib import Path
from statistics import median

from confluent_kafka import Producer

from benchmarks.fill import PARTITIONS, SCHEMA, encoded
from benchmarks.packages import package
from benchmarks.process import end_all_on_sigterm
from benchmarks.run import kafka, say
from benchmarks.topics import Topics
from stream.codec import RecordSchema
from stream.demo import flights

__all__ = ["COMMANDS", "main", "measured"]

COMMANDS = (
    ("stats", ("stats", "--json")),
    ("replay --dry-run", ("replay", "--dry-run")),
    ("replay", ("replay",)),
    ("replay, all sent before", ("replay",)),
)
"""In this order, on the same letters."""


def _configured(folder: Path, bootstrap: str, topics: Topics) -> dict[str, str]:
    names = {kind: f"bench.{kind}.{secrets.token_hex(3)}" for kind in ("in", "out", "dead")}
    for name in names.values():
        topics.create(name, PARTITIONS, retention_ms="-1")
    (folder / "stream.toml").write_text(
        f'[kafka]\nbootstrap_servers = "{bootstrap}"\ngroup = "{names["dead"]}"\n'
        f'[model]\nuri = "{package("hgb")}"\n[input]\ntopic = "{names["in"]}"\n'
        f'[output]\ntopic = "{names["out"]}"\n[dead_letters]\ntopic = "{names["dead"]}"\n'
    )
    return names


def _fill(bootstrap: str, names: dict[str, str], letters: int) -> None:
    """Letters as the worker writes them, each with a header of its own."""
    producer = Producer({"bootstrap.servers": bootstrap, "queue.buffering.max.messages": 1_000_000})
    schema = RecordSchema(SCHEMA.read_text())
    found = islice(cycle(encoded(flights.load_flights().iloc[:10_000], schema)), letters)
    for number, (key, value) in enumerate(found):
        said = {
            "number": str(number),
            "__connect.errors.topic": names["in"],
            "__connect.errors.partition": str(number % PARTITIONS),
            "__connect.errors.offset": str(number),
            "__connect.errors.connector.name": "flights-scorer",
            "__connect.errors.task.id": "0",
            "__connect.errors.stage": "contract",
            "__connect.errors.exception.class.name": "stream.errors.RecordError",
            "__connect.errors.exception.message": "field 'distance': wrong",
            "stream.error.reason": "wrong_type",
            "stream.error.count": "1",
            "stream.model": "flights@1",
        }
        headers = [(name, text.encode()) for name, text in said.items()]
        producer.produce(names["dead"], value, key, headers=headers, timestamp=1_700_000_000_000 + number)  # type: ignore[arg-type]
        producer.poll(0)
    if producer.flush(60.0):
        raise TimeoutError("the letters were not acknowledged in a minute")


def measured(bootstrap: str, letters: int) -> dict[str, float]:
    """
    One run on topics of its own.

    Args:
        bootstrap: the broker.
        letters: how many.
    Returns: seconds, by command. Raises: AssertionError when an original did not come back once.
    """
    topics = Topics(bootstrap)
    with tempfile.TemporaryDirectory() as folder:
        names = _configured(Path(folder), bootstrap, topics)
        _fill(bootstrap, names, letters)
        seconds: dict[str, float] = {}
        for title, arguments in COMMANDS:
            begun = time.monotonic()
            command = [sys.executable, "-m", "stream", "deadletters", *arguments]
            subprocess.run(
                [*command, "--config", f"{folder}/stream.toml"], check=True, stdout=subprocess.DEVNULL
            )
            seconds[title] = time.monotonic() - begun
        back = Counter(dict(message.headers())["number"] for message in topics.read(names["in"]))
        assert {1: letters} == Counter(back.values()), "an original is missing, or was sent twice"
        for name in (*names.values(), f"{names['dead']}.replayed"):
            topics.delete(name)
    return seconds


def main(argv: list[str] | None = None) -> None:
    """Measure, and print a table and one line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.redrive", description=(__doc__ or "").strip())
    parser.add_argument("--letters", type=int, default=23_000)
    parser.add_argument("--runs", type=int, default=3)
    plan = parser.parse_args(argv)
    end_all_on_sigterm()
    with kafka() as bootstrap:
        runs = []
        for number in range(plan.runs):
            say(f"run {number + 1} of {plan.runs}")
            runs.append(measured(bootstrap, plan.letters))
    result = {title: round(median(run[title] for run in runs), 2) for title, _ in COMMANDS}
    for title, taken in result.items():
        print(f"{title:<26}{taken:6.2f} s")
    print(json.dumps({"letters": plan.letters, "seconds": result}))


if __name__ == "__main__":
    main()
