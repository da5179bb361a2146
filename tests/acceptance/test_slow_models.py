"""A model that takes long for each row: it makes progress, is alive, and stops; nothing is lost or doubled."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from stream.store import PackRequest, pack
from tests.acceptance import visits
from tests.acceptance.process import Setup, Worker
from tests.acceptance.reader import ends, reading
from tests.acceptance.unhurried import ROW_S, Unhurried

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(300)]

BACKLOG = 4_000

LOOK_S = 0.25


@pytest.mark.parametrize(("row_s", "rows"), [(0.02, 500), (0.2, 60), (25.0, 2)])
def test_backlog_of_a_slow_model_is_worked_off_and_left_in_order(
    make: Callable[..., Setup], workers: Callable[..., Worker], tmp_path: Path, row_s: float, rows: int
) -> None:
    """
    With thousands of records waiting: outputs come, liveness stays green, no partition is lost, SIGTERM ends it with 0.

    Where one row takes longer than a stop may, the end is not asked for. The next worker goes on where this one was.
    """
    wish = PackRequest("unhurried", tmp_path / "unhurried", carry=("id",))
    pack(Unhurried(), wish, schema=visits.SCHEMA, sample=pd.DataFrame([visits.visit(1)]))
    (tmp_path / "visit.avsc").write_text(visits.SCHEMA)
    setup = make({"input": {"schema": "visit.avsc"}}, model=wish.folder)
    visits.send(setup.bootstrap, setup.input, map(visits.event, range(BACKLOG)))
    alive: set[int] = set()

    with reading(setup.bootstrap, setup.output, setup.dead, wish.folder) as outputs:
        worker = workers(setup, "first", environ={ROW_S: str(row_s)}).ready()

        def enough() -> bool:
            alive.add(worker.get("/health/live")[0])
            outputs.poll(LOOK_S)
            return len(outputs.count) >= rows

        worker.until(enough, 240, f"outputs of {rows} inputs")
        assert {200} == alive
        assert "partitions lost" not in worker.text()
        if row_s < 5:
            asked = time.monotonic()
            worker.terminate()
            assert 0 == worker.end(), worker.tail()
            assert time.monotonic() - asked < 10
            before = outputs.to_end()
            committed, _ = ends(setup.bootstrap, setup.group, setup.input)
            assert len(before.count) == sum(max(0, offset) for offset in committed.values()) < BACKLOG
            outputs.inputs(BACKLOG, workers(setup, "second"))
        assert (0, []) == (outputs.doubled, outputs.letters)
