"""A standalone cluster, whose machines have their own files: the answers of one machine, or none."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from stream.batch import Job, Plan, RunRecord, Title, find_inputs, open_run, plan_inputs, run_local
from stream.errors import PackageError, QueryError, QueryFailed, SampleError, StreamError
from stream.files import Limits
from stream.spark import Query, Shipped, open_session, register_shipped, run_spark, ship
from stream.store import open_package
from tests.acceptance import visits
from tests.conftest import had
from tests.kafka.process import wait_for
from tests.spark.standalone import HOSTS, StandaloneCluster

pytestmark = [pytest.mark.spark, pytest.mark.timeout(600)]

UNITS = Limits(block_bytes=256, unit_rows=10)
NOW = datetime(2026, 11, 27, tzinfo=UTC)
WAIT_S = 400

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def cluster() -> Iterator[StandaloneCluster]:
    """Two workers."""
    with had(StandaloneCluster) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def spark(cluster: StandaloneCluster) -> Iterator[Any]:
    """The module's application on it, which has both cores: tests that start one of their own come before it."""
    session = open_session(cluster.master, "tests")
    yield session
    session.stop()


@pytest.fixture(scope="module")
def shipped(package: Path) -> Shipped:
    """The model."""
    return ship(package)


def write(path: Path, start: int = 0, rows: int = 600) -> None:
    """Visits from number `start` on, 10 in each of parquet's groups."""
    table = pa.Table.from_pylist([visits.visit(start + i) for i in range(rows)])
    pq.write_table(table, path, row_group_size=10)


class Runs:
    """Runs of the small model, into one output folder."""

    def __init__(self, package: Path, output: Path) -> None:
        self.package = package
        self.output = output

    def plan(self, path: Path) -> Plan:
        """Units of ten rows."""
        return plan_inputs(find_inputs([str(path)]), limits=UNITS, prints=True)

    def on(self, spark: Any, path: Path) -> RunRecord:
        """A run on the cluster, published."""
        plan = self.plan(path)
        with open_run(self.output, plan, Title("visits@1", "0" * 64, "parquet", "spark"), NOW) as run:
            job = Job(
                partial(open_package, self.package), plan.inputs, str(run.folder), "parquet", "", plan.prints
            )
            return run.publish(run_spark(run, job, ship(self.package), spark), NOW)

    def here(self, path: Path) -> RunRecord:
        """A run of this process alone, published; goes on with what a cluster left."""
        plan = self.plan(path)
        with open_run(self.output, plan, Title("visits@1", "0" * 64, "parquet", "local"), NOW) as run:
            job = Job(partial(open_package, self.package), plan.inputs, str(run.folder), "parquet")
            return run.publish(run_local(run, job, 1), NOW)

    def rows(self, record: RunRecord) -> Rows:
        """What it predicted."""
        found: Rows = (
            ds.dataset(self.output / f"run={record.run}", exclude_invalid_files=False).to_table().to_pylist()
        )
        return found

    def published(self) -> list[str]:
        """The runs that can be seen."""
        return sorted(each.name for each in self.output.glob("run=*"))

    def done(self) -> int:
        """Units that are done of a run that is not published."""
        return len(list(self.output.glob(".run-*/work/done-*")))


@pytest.fixture
def runs(cluster: StandaloneCluster, package: Path, tmp_path: Path) -> Runs:
    """Into a folder that all machines share."""
    output = cluster.shared / tmp_path.name
    output.mkdir()
    return Runs(package, output)


def everywhere(cluster: StandaloneCluster, name: str) -> list[Path]:
    """A path in `apart`, as the driver and each worker has it."""
    return [cluster.apart / name, *(cluster.seen_by(host) / name for host in HOSTS)]


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`stream …`, in a process of its own."""
    line = [sys.executable, "-m", "stream", *arguments]
    given = {**os.environ, **environment}
    return subprocess.run(line, env=given, text=True, capture_output=True, check=False, timeout=WAIT_S)


def test_spark_own_settings_count(cluster: StandaloneCluster, runs: Runs, tmp_path: Path) -> None:
    """Master, Python and an archive of `spark-defaults.conf`; of a driver that is killed, nothing is to be seen."""
    write(cluster.shared / "settings.parquet")
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    with tarfile.open(tmp_path / "environment.tar.gz", "w:gz") as archive:
        archive.add(python, "bin/python")
    (tmp_path / "spark-defaults.conf").write_text(
        f"spark.master {cluster.master}\nspark.archives {tmp_path}/environment.tar.gz#environment\n"
        "spark.pyspark.python ./environment/bin/python\n"
    )
    given = [
        str(cluster.shared / "settings.parquet"),
        "--model",
        str(runs.package),
        "--output",
        str(runs.output),
    ]
    settings = {"SPARK_CONF_DIR": str(tmp_path)}

    ended = command("batch", *given, "--engine", "spark", **settings)

    assert 0 == ended.returncode, ended.stderr
    folder = Path(ended.stdout.strip())
    assert [folder.name] == runs.published()
    record = json.loads((folder / "_run.json").read_text())
    assert ("spark", 600) == (record["engine"], record["predictions"])


def test_a_driver_that_is_killed_leaves_what_another_goes_on_with(
    cluster: StandaloneCluster, runs: Runs
) -> None:
    """Nothing is published until then, and the whole is equal."""
    path = cluster.shared / "driver.parquet"
    write(path, rows=3_000)
    script = (
        "import sys; from pathlib import Path; from tests.unit.spark.test_cluster import Runs; "
        "from stream.spark import open_session; "
        "Runs(Path(sys.argv[1]), Path(sys.argv[2])).on(open_session(sys.argv[3]), Path(sys.argv[4]))"
    )
    line = [sys.executable, "-c", script, str(runs.package), str(runs.output), cluster.master, str(path)]
    with subprocess.Popen(line, stdin=subprocess.DEVNULL) as driver:
        try:
            wait_for(lambda: runs.done() > 3, WAIT_S, "some units to be done")
        finally:
            driver.kill()

    assert [] == runs.published()
    assert runs.done() < 300
    found = runs.rows(runs.here(path))
    other = Runs(runs.package, runs.output / "again")
    assert other.rows(other.here(path)) == found


def test_a_cluster_answers_as_one_machine(spark: Any, cluster: StandaloneCluster, runs: Runs) -> None:
    """The same rows in the same order, from copies that are the same on every machine."""
    for path in everywhere(cluster, "same.parquet"):
        write(path)

    found = runs.on(spark, cluster.apart / "same.parquet")

    assert (600, 600) == (found.rows, found.predictions)
    assert runs.rows(runs.here(cluster.apart / "same.parquet")) == runs.rows(found)


def stale(path: Path) -> None:
    """Another file of the same length, as an old copy may be."""
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("change", "kind", "said"),
    [
        (stale, SampleError, "is not the file that the run was planned with: bytes 0 to"),
        (partial(write, start=7), SampleError, "is not the file that the run was planned with"),
        (Path.unlink, StreamError, "No such file or directory"),
    ],
    ids=["one-bit", "other-rows", "none"],
)
def test_a_machine_that_sees_another_file_ends_the_run(
    spark: Any,
    cluster: StandaloneCluster,
    runs: Runs,
    change: Callable[[Path], None],
    kind: type[StreamError],
    said: str,
) -> None:
    """It and the file are named, nothing is published; where all see the same, the same command goes on."""
    name = f"{runs.output.name}.parquet"
    own, _, other = everywhere(cluster, name)
    for path in everywhere(cluster, name):
        write(path)
    change(other)

    with pytest.raises(kind) as caught:
        runs.on(spark, own)

    assert caught.value.message.startswith(f"on {HOSTS[1]}: ")
    assert str(own) in caught.value.message
    assert said in caught.value.message
    assert [] == runs.published()
    other.write_bytes(own.read_bytes())
    assert 600 == runs.on(spark, own).predictions


def test_a_machine_that_does_not_see_the_output_ends_the_run(
    spark: Any, cluster: StandaloneCluster, package: Path
) -> None:
    """It has nowhere to write to."""
    write(cluster.shared / "here.parquet")
    runs = Runs(package, cluster.apart / "scored")

    with pytest.raises(
        StreamError, match=r"on worker-[12]: .*No such file or directory: '.*/apart/scored/\.run-"
    ):
        runs.on(spark, cluster.shared / "here.parquet")

    assert [] == runs.published()


def test_a_machine_with_another_release_ends_the_run(
    spark: Any, cluster: StandaloneCluster, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It might check less."""
    monkeypatch.setattr("stream.spark.batch_engine.release", lambda: "0.1")
    write(cluster.shared / "release.parquet")

    with pytest.raises(
        PackageError, match=r"on worker-[12]: has prediction-stream \S+, and the driver has 0\.1"
    ):
        runs.on(spark, cluster.shared / "release.parquet")


@pytest.mark.parametrize("what", ["CoarseGrainedExecutorBackend", "pyspark.daemon"])
def test_what_is_killed_is_done_again(spark: Any, cluster: StandaloneCluster, runs: Runs, what: str) -> None:
    """An executor, its Python: the run is whole, and equal."""
    path = cluster.shared / f"{what}.parquet"
    write(path, rows=2_000)
    killed: list[int] = []

    def kill() -> None:
        wait_for(lambda: runs.done() > 3, WAIT_S, "some units to be done")
        killed.append(cluster.pids(what)[-1])
        os.kill(killed[0], signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    found = runs.on(spark, path)
    thread.join()

    assert 1 == len(killed)
    assert runs.rows(runs.here(path)) == runs.rows(found)


@pytest.fixture
def ask(spark: Any, shipped: Shipped) -> Callable[[str], Query]:
    """A query on the cluster."""
    register_shipped(spark, shipped)
    return lambda text: Query(spark, text, shipped)


@pytest.mark.parametrize("kind", ["parquet", "csv", "json"])
def test_rows_that_are_not_here_are_not_saved(
    ask: Callable[[str], Query], cluster: StandaloneCluster, kind: str
) -> None:
    """Each machine would write to its own disk; what was there before is there still."""
    write(cluster.shared / "rows.parquet")
    query = ask(f"SELECT predict(struct(*)).label AS label FROM parquet.`{cluster.shared}/rows.parquet`")
    apart, shared = (folder / f"saved.{kind}" for folder in (cluster.apart, cluster.shared))
    for folder in (apart, shared):
        folder.mkdir()
        (folder / "part-0").write_text("old")

    with pytest.raises(
        QueryFailed, match=r"600 rows were written by the cluster, and 0 of them are here|No such file"
    ):
        query.save(apart)
    query.save(shared)

    assert ["part-0"] == [each.name for each in apart.iterdir()]
    assert [] == list(cluster.apart.glob(".saved*"))
    assert (shared / "_SUCCESS").exists()
    assert not (shared / "part-0").exists()


def test_what_fails_on_a_machine_is_told_with_its_file(
    ask: Callable[[str], Query], cluster: StandaloneCluster
) -> None:
    """In one line; whichever machine it was."""
    for path in (cluster.apart / "only.parquet", cluster.shared / "broken.parquet"):
        write(path)
    content = bytearray((cluster.shared / "broken.parquet").read_bytes())
    content[4:400] = bytes(396)
    (cluster.shared / "broken.parquet").write_bytes(content)

    for path in (cluster.apart / "only.parquet", cluster.shared / "broken.parquet"):
        with pytest.raises((QueryFailed, QueryError)) as caught:
            list(ask(f"SELECT sum(pages), max(channel) FROM parquet.`{path}`").json_lines())
        assert path.name in caught.value.message
