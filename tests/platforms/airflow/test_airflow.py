"""The provider on a real Airflow: its DAGs run, are retried, resumed and joined, and nothing is done twice."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from tests.platforms.airflow.conftest import DAYS, ROWS
from tests.platforms.airflow.installation import AirflowInstallation

pytestmark = [pytest.mark.platform, pytest.mark.timeout(600)]


def _records(output: Path) -> list[dict[str, Any]]:
    """Of the runs that are published."""
    return [json.loads(path.read_text()) for path in sorted(output.glob("run=*/_run.json"))]


def test_the_provider_is_known(airflow: AirflowInstallation) -> None:
    """By the wheel's entry point; its DAG files are read without an error."""
    providers = {each["package_name"]: each for each in airflow.api("/providers?limit=100")["providers"]}

    assert "0.1.0" == providers["prediction-stream"]["version"]
    assert [] == airflow.api("/importErrors")["import_errors"]


def test_a_request_that_fails_shows_what_was_answered(airflow: AirflowInstallation) -> None:
    """Not its code alone: the answer and the server's log are in the failed test's report."""
    with pytest.raises(HTTPError) as refused:
        airflow.api("/dags/unheard_of")

    (note,) = refused.value.__notes__
    assert "GET /api/v2/dags/unheard_of" in note
    assert "`unheard_of` was not found" in note


def _trained(airflow: AirflowInstallation) -> str:
    """The run of the example's training, by its schedule; whichever test is the first waits for it."""
    airflow.until(lambda: airflow.runs("flights_train"), "the schedule to begin a training")
    (training,) = [str(run["dag_run_id"]) for run in airflow.runs("flights_train")]
    assert "success" == airflow.ended("flights_train", training)
    return training


def test_a_new_version_triggers_its_rescore(airflow: AirflowInstallation) -> None:
    """Trained on its own schedule; the asset begins the other DAG, which defers, and scores with that version."""
    training = _trained(airflow)
    _begin_backfill(airflow)  # of the next test: it is worked on meanwhile
    airflow.until(lambda: airflow.runs("flights_rescore"), "the asset to begin a run")
    (rescore,) = airflow.runs("flights_rescore")
    assert "success" == airflow.ended("flights_rescore", rescore["dag_run_id"])

    trained = airflow.xcom("flights_train", training, "train")
    (record,) = _records(airflow.data / "rescored")
    links = airflow.api(f"/dags/flights_train/dagRuns/{training}/taskInstances/train/links")["extra_links"]
    events = airflow.api("/assets/events?limit=100")["asset_events"]
    told = {event["uri"]: event["extra"] for event in events}
    assert ("asset_triggered", "flights@1") == (rescore["run_type"], trained["model"])
    assert ("flights@1", ROWS * len(DAYS)) == (record["model"], record["predictions"])
    assert trained["metrics"]["auc"] == told[f"stream-model:{airflow.data}/models/flights"]["metrics"]["auc"]
    assert ROWS * len(DAYS) == told[f"stream-predictions:{airflow.data}/rescored"]["rows"]
    assert f"file://{airflow.data}/models/flights/versions/1/card.html" == links["Model card"]
    assert "flights@1" in airflow.log("flights_rescore", rescore["dag_run_id"], "rescore", 1)


def test_a_deferred_task_outlives_its_triggerer(airflow: AirflowInstallation) -> None:
    """Killed while the command is held up and started again, it finds the command's end."""
    airflow.until(
        lambda: airflow.task("probe_held", "one", "score")["state"] == "deferred", "the task to defer"
    )
    airflow.restart("triggerer")
    (airflow.data / "held.go").touch()
    assert "success" == airflow.ended("probe_held", "one")

    (record,) = _records(airflow.data / "held")
    assert record["run"] == airflow.xcom("probe_held", "one", "score")["run"]
    assert [] == list((airflow.data / "held/.airflow").iterdir())


def test_a_command_goes_on_when_another_triggerer_takes_over(airflow: AirflowInstallation) -> None:
    """The first was too slow; Airflow cancels its trigger as if a person had cleared the task."""
    airflow.until(lambda: _triggerer(airflow) is not None, "a triggerer to have the task")
    first = _triggerer(airflow)
    with airflow.two_triggerers() as signal_first:
        signal_first(signal.SIGSTOP)
        airflow.until(lambda: _triggerer(airflow) not in (None, first), "the second to take it over")
        signal_first(signal.SIGCONT)
        airflow.until(lambda: _cancelled(airflow.folder / "logs"), "the first to cancel its trigger")
        (airflow.data / "taken.go").touch()
        assert "success" == airflow.ended("probe_taken", "one")

    assert 1 == airflow.task("probe_taken", "one", "score")["try_number"]


def _cancelled(logs: Path) -> bool:
    found = [path.read_text() for path in logs.glob("dag_id=probe_taken/**/*.log*") if path.is_file()]
    return any("invoking on_kill" in each for each in found)


def _triggerer(airflow: AirflowInstallation) -> int | None:
    job = airflow.task("probe_taken", "one", "score")["triggerer_job"]
    return None if job is None else int(job["id"])


def test_a_backfill_scores_each_day_once(airflow: AirflowInstallation) -> None:
    """Three nights, each with the file of the day before; cleared and run again, they find their runs."""
    _trained(airflow)
    _begin_backfill(airflow)
    airflow.until(lambda: len(_backfilled(airflow)) == len(DAYS), "the backfill to begin")
    assert ["success"] * len(DAYS) == [airflow.ended("flights_predict", run) for run in _backfilled(airflow)]
    for run in _backfilled(airflow):
        airflow.clear("flights_predict", run)
    assert ["success"] * len(DAYS) == [airflow.ended("flights_predict", run) for run in _backfilled(airflow)]

    records = [each for each in _records(airflow.data / "scored") if "/backfill__" in each["key"]]
    assert [f"{day}.csv" for day in DAYS] == sorted(Path(each["inputs"][0]["path"]).name for each in records)
    assert [ROWS] * len(DAYS) == [each["predictions"] for each in records]
    told = [airflow.xcom("flights_predict", run, "score") for run in _backfilled(airflow)]
    assert [True] * len(DAYS) == [each["found"] for each in told]


def _begin_backfill(airflow: AirflowInstallation) -> None:
    """If no test has begun it."""
    if not _backfilled(airflow):
        airflow.resume_dag("flights_predict")
        airflow.backfill("flights_predict", "2026-11-21", "2026-11-23")


def _backfilled(airflow: AirflowInstallation) -> list[str]:
    return [run["dag_run_id"] for run in airflow.runs("flights_predict") if run["run_type"] == "backfill"]


@pytest.mark.parametrize("probe", ["killed-after", "killed-before"])
def test_a_retry_after_a_kill_leaves_one_run(airflow: AirflowInstallation, probe: str) -> None:
    """Whether the task is killed behind the publishing or before it, with the command going on without it."""
    assert "success" == airflow.ended(f"probe_{probe}", "one")

    told = airflow.xcom(f"probe_{probe}", "one", "score")
    (record,) = _records(airflow.data / probe)
    assert (2, record["run"]) == (airflow.task(f"probe_{probe}", "one", "score")["try_number"], told["run"])
    assert (ROWS, True) == (told["predictions"], told["found"] or probe == "killed-before")


def test_a_retry_after_a_kill_leaves_one_version(airflow: AirflowInstallation) -> None:
    """The second attempt is answered with the version that the first one packed."""
    assert "success" == airflow.ended("probe_killed_train", "one")

    told = airflow.xcom("probe_killed_train", "one", "train")
    assert (2, True, 1) == (
        airflow.task("probe_killed_train", "one", "train")["try_number"], told["found"], told["version"],
    )  # fmt: skip
    assert ["1"] == [path.name for path in (airflow.data / "killed_model/versions").iterdir()]


def test_a_refused_input_is_not_tried_again(airflow: AirflowInstallation) -> None:
    """Exit code 2: the log says why, and the retries are left."""
    assert "failed" == airflow.ended("probe_failing", "one")

    assert 1 == airflow.task("probe_failing", "one", "score")["try_number"]
    assert "nothing/*.csv" in airflow.log("probe_failing", "one", "score", 1)
    assert not (airflow.data / "failing").exists()


def test_a_run_that_is_marked_ends_its_command(airflow: AirflowInstallation) -> None:
    """The command does not go on behind the back of who stopped it."""
    mark = airflow.data / "stopped.mark"
    airflow.until(lambda: mark.exists() and mark.read_text(), "the command to begin")
    process = Path("/proc") / mark.read_text()
    assert process.exists()
    airflow.mark_failed("probe_stopped", "one")
    airflow.until(lambda: not process.exists(), "the command to end")

    assert [] == _records(airflow.data / "stopped")


def test_mapped_tasks_have_a_run_each(airflow: AirflowInstallation) -> None:
    """Their keys differ by the map's index."""
    assert "success" == airflow.ended("probe_mapped", "one")

    assert [("probe_mapped/score/one/0", ROWS), ("probe_mapped/score/one/1", 2 * ROWS)] == sorted(
        (each["key"], each["rows"]) for each in _records(airflow.data / "mapped")
    )


def test_nothing_in_the_place_of_an_argument_is_refused(airflow: AirflowInstallation) -> None:
    """Another task returned it, a template came out empty, or a mapped task got it: no other model is taken instead."""
    assert "failed" == airflow.ended("probe_nothing", "one")

    for task, name in (("score", "model"), ("keyed", "run_key")):
        assert 1 == airflow.task("probe_nothing", "one", task)["try_number"]
        assert f"{name} is " in airflow.log("probe_nothing", "one", task, 1)
    assert not (airflow.data / "nothing_there").exists()


def test_what_is_secret_of_a_connection_is_nowhere(airflow: AirflowInstallation) -> None:
    """Not in a log, an XCom, a rendered template, nor in a file that a run or a deferred task leaves behind."""
    assert "failed" == airflow.ended("probe_secret", "one")
    airflow.ended_as("probe_secret", "one", {"here": "success", "deferred": "success", "refused": "failed"})

    assert "http://someone:***@127.0.0.1:9" in airflow.log("probe_secret", "one", "refused", 1)
    (airflow.folder / "database.sql").write_bytes(airflow.database.dump())
    files = [path for path in airflow.folder.rglob("*") if path.is_file() and not path.is_symlink()]
    assert {"database.sql", "scheduler.log", "triggerer.log", "_run.json"} <= {path.name for path in files}
    told = [
        (str(path.relative_to(airflow.folder)), line)
        for path in files
        for line in _lines(path)
        if b"ss-word-of-a-connection" in line
    ]
    assert [] == told


def _lines(path: Path) -> list[bytes]:
    """Of a file; none, if PostgreSQL has removed or renamed it meanwhile."""
    try:
        return path.read_bytes().splitlines()
    except FileNotFoundError:
        return []


def test_openlineage_is_told_of_rows_and_columns(airflow: AirflowInstallation) -> None:
    """Its provider asks the operator when the task is complete."""
    assert "success" == airflow.ended("probe_mapped", "one")
    output = str(airflow.data / "mapped")
    airflow.until(lambda: _completed(airflow, output), "OpenLineage's event")

    (event, *_) = _completed(airflow, output)
    (made,) = event["outputs"]
    fields = {each["name"]: each["type"] for each in made["facets"]["schema"]["fields"]}
    assert {"flight_id": "string", "label": "boolean", "score": "double"}.items() <= fields.items()
    assert made["outputFacets"]["outputStatistics"]["rowCount"] in (ROWS, 2 * ROWS)
    assert str(airflow.data / "probe_model") in [each["name"] for each in event["inputs"]]


def _completed(airflow: AirflowInstallation, output: str) -> list[dict[str, Any]]:
    if not airflow.lineage.exists():
        return []
    events = [json.loads(line) for line in airflow.lineage.read_text().splitlines()]
    return [
        event
        for event in events
        if event["eventType"] == "COMPLETE" and output in [each["name"] for each in event["outputs"]]
    ]
