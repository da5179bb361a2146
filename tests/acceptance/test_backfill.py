"""`stream backfill` on a real Kafka: a range scored once, beside the live group; counted from outside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from stream.cli import main
from tests.acceptance import visits
from tests.acceptance.process import Process, Setup, run
from tests.acceptance.reader import Origin, Outputs, reading

pytestmark = pytest.mark.kafka

READ_S = 90.0


@pytest.fixture
def setup(make: Callable[..., Setup]) -> Setup:
    """Fresh topics; the package is opened without a child process before, which would take two seconds."""
    return make({"model": {"open_timeout": "off"}})


def backfilled(setup: Setup, *options: str) -> int:
    """Exit code of a backfill in this process."""
    with pytest.raises(SystemExit) as end:
        main(["backfill", *options, "--config", str(setup.write("backfill", 1))])
    assert isinstance(end.value.code, int)
    return end.value.code


@contextmanager
def backfilling(setup: Setup, name: str, *options: str) -> Iterator[Process]:
    """A backfill as a process of its own."""
    config = str(setup.write(name, 1))
    with run(setup.folder, name, "backfill", "--config", config, *options) as process:
        yield process


@contextmanager
def rescored(setup: Setup, output: str | None = None) -> Iterator[Outputs]:
    """What comes of a backfill."""
    with reading(
        setup.bootstrap, output or f"{setup.output}.backfill", f"{setup.dead}.backfill", setup.package
    ) as found:
        yield found


def seen(setup: Setup, count: int, output: str | None = None) -> Counter[Origin]:
    """How often each record has come out, once so many are there."""
    with rescored(setup, output) as found:
        found.inputs(count).to_end()
        return found.count


def test_range_is_scored_once_and_done_for_good(setup: Setup, capsys: pytest.CaptureFixture[str]) -> None:
    """Offsets of every partition; what is outside is left out; run again it says that it was finished."""
    visits.send(
        setup.bootstrap,
        setup.input,
        [visits.Event(b"k", visits.event(n).value, 1_000 + n, partition=n % 4) for n in range(400)],
    )

    assert 0 == backfilled(setup, "--from", "10", "--to", "60")
    assert "200 predictions and 0 dead letters" in capsys.readouterr().out
    assert 0 == backfilled(setup, "--from", "10", "--to", "60")
    assert "done, at 20" in capsys.readouterr().out

    assert {(p, n): 1 for p in range(4) for n in range(10, 60)} == seen(setup, 200)
