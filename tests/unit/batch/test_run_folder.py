"""A run's life: begun, stopped, gone on with, published by one rename; and what is known of it afterwards."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from stream.batch import (
    Job,
    Plan,
    Run,
    RunRecord,
    Title,
    Work,
    find_inputs,
    open_run,
    past_runs,
    plan_inputs,
    run_local,
    scored_hashes,
)
from stream.errors import SampleError, StreamError
from stream.files import Limits
from stream.store import open_package

FLIGHTS = Path("models/flights").absolute()
TITLE = Title("flights@1", "0" * 64, "parquet", "local")
NOW = datetime(2026, 11, 24, 17, tzinfo=UTC)
HEADER = "flight_id,carrier,origin,dest,distance,dep_delay,weekday,hour,temp,humid,wind_speed,precip,pressure,visib"


@pytest.fixture
def given(tmp_path: Path) -> Plan:
    """A csv of ten flights in several units; the third flight has no hour that is one."""
    hours = ["5"] * 10
    hours[2] = "late"
    lines = [f"f{i},UA,EWR,IAH,1400,{i},1,{hour},,,,,," for i, hour in enumerate(hours)]
    (tmp_path / "f.csv").write_text("\n".join([HEADER, *lines]) + "\n")
    return plan_inputs(find_inputs([str(tmp_path / "f.csv")]), limits=Limits(block_bytes=256, unit_rows=3))


def job(run: Run) -> Job:
    """What its processes are told."""
    return Job(partial(open_package, FLIGHTS), run.plan.inputs, str(run.folder), run.title.format)


def publish(output: Path, made: Plan, now: datetime = NOW) -> RunRecord:
    """A whole run, in this process."""
    with open_run(output, made, TITLE, now) as run:
        return run.publish(run_local(run, job(run), 1), now + timedelta(seconds=5))


def test_a_run_is_published_whole(tmp_path: Path, given: Plan) -> None:
    """Parts, dead rows and record in one folder, nothing beside it."""
    record = publish(tmp_path / "out", given)

    (folder,) = (tmp_path / "out").iterdir()
    assert f"run={record.run}" == folder.name
    assert (10, 9, 1, {"wrong_type": 1}) == (
        record.rows, record.predictions, record.dead_rows, record.dead_by_reason
    )  # fmt: skip
    assert [1, 2, *range(4, 11)] == ds.dataset(folder).to_table().column("source_row").to_pylist()
    (line,) = (folder / "_dead_rows.jsonl").read_text().splitlines()
    assert (3, "contract", "wrong_type") == tuple(
        json.loads(line)[key] for key in ("source_row", "stage", "reason")
    )
    assert [record] == past_runs(tmp_path / "out")
    assert frozenset({given.files[0].sha256}) == scored_hashes(tmp_path / "out")


def test_every_format_gives_the_same_predictions(tmp_path: Path) -> None:
    """A file that is compressed, separated otherwise or an array of objects is the same rows."""
    names = HEADER.split(",")[:8]
    frame = pd.DataFrame(
        [(f"f{i}", "UA", "EWR", "IAH", 1400, i, 1, 5) for i in range(10)], columns=names
    ).assign(note="a;b, c")
    given = tmp_path / "given"
    given.mkdir()
    frame.to_csv(given / "a.csv", index=False)
    frame.to_csv(given / "a.tsv", index=False, sep="\t")
    frame.to_csv(given / "semicolons.csv", sep=";")
    for ending in ("gz", "bz2", "xz"):
        frame.to_csv(given / f"a.csv.{ending}", index=False)
    frame.to_json(given / "a.json", orient="records")
    frame.to_json(given / "lines.json", orient="records", lines=True)
    frame.to_json(given / "a.jsonl.gz", orient="records", lines=True)
    frame.to_feather(given / "a.feather")
    frame.to_parquet(given / "a.parquet")
    (given / "a.csv.zst").write_bytes(pa.compress((given / "a.csv").read_bytes(), "zstd", asbytes=True))

    record = publish(tmp_path / "out", plan_inputs(find_inputs([str(given)])))

    assert (120, 120) == (record.rows, record.predictions)
    rows = pd.read_parquet(tmp_path / "out").drop(columns="run")
    answers = [part.drop(columns="source_file").to_dict("list") for _, part in rows.groupby("source_file")]
    assert 12 == len(answers)
    assert [answers[0]] * 12 == answers


def test_a_stopped_run_is_gone_on_with(tmp_path: Path, given: Plan) -> None:
    """Units that were finished are not done again; the run keeps its name and its beginning."""
    output = tmp_path / "out"
    with open_run(output, given, TITLE, NOW) as run:
        first = Work(job(run)).do(given.units[0])
        part = next((run.folder / "out").iterdir())
        written = part.stat().st_mtime_ns
        (run.folder / "out" / ".part-00001.parquet.0badcafe").write_bytes(b"PAR1, and half of it")

    with open_run(output, given, TITLE, NOW + timedelta(days=1)) as again:
        assert (run.name, run.started, (first,)) == (again.name, again.started, again.done)
        done = run_local(again, job(again), 1)
        assert written == part.stat().st_mtime_ns
        record = again.publish(done, NOW)

    assert (10, 9) == (record.rows, record.predictions)
    assert [f"run={run.name}"] == [path.name for path in output.iterdir()]
    assert [] == list(output.glob("run=*/.*"))


@pytest.mark.parametrize("change", ["model", "inputs"])
def test_another_plan_is_another_run(tmp_path: Path, given: Plan, change: str) -> None:
    """What was done with another model or on other bytes is not part of it."""
    output = tmp_path / "out"
    with open_run(output, given, TITLE, NOW) as run:
        Work(job(run)).do(given.units[0])
    title = Title("flights@2", "1" * 64, "parquet", "local") if change == "model" else TITLE
    if change == "inputs":
        (tmp_path / "f.csv").write_text(f"{HEADER}\n")
        given = plan_inputs(find_inputs([str(tmp_path / "f.csv")]))

    with open_run(output, given, title, NOW) as other:
        assert run.name != other.name
        assert () == other.done


def test_two_at_once_are_refused(tmp_path: Path, given: Plan) -> None:
    """The second says where the first is at work."""
    with (
        open_run(tmp_path, given, TITLE, NOW) as run,
        pytest.raises(StreamError, match=run.name),
        open_run(tmp_path, given, TITLE, NOW),
    ):
        pass


def test_what_a_published_run_left_is_tidied(tmp_path: Path, given: Plan) -> None:
    """Stopped between the rename and the tidying: the next command does it."""
    record = publish(tmp_path / "out", given)
    left = tmp_path / "out" / f".run-{record.run}" / "work"
    left.mkdir(parents=True)

    second = publish(tmp_path / "out", given)

    assert {f"run={record.run}", f"run={second.run}"} == {path.name for path in (tmp_path / "out").iterdir()}


def test_record_that_is_not_one_is_named(tmp_path: Path) -> None:
    """A record that can't be read is an error, rather than a gap in the history."""
    (tmp_path / "run=x").mkdir()
    (tmp_path / "run=x" / "_run.json").write_text("{}")

    with pytest.raises(SampleError, match=r"run=x/_run\.json"):
        past_runs(tmp_path)
