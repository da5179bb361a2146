"""A training as a run of a real MLflow server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from stream.cli import main
from stream.mlflow import client
from stream.settings import MlflowSettings, Settings
from stream.store import open_package, versions
from stream.training import tracking
from tests.kafka.process import free_ports
from tests.platforms.mlflow.relay import Relay
from tests.platforms.mlflow.server import MlflowServer
from tests.unit.training.recipes import write_recipe

pytestmark = pytest.mark.platform


def _train(*arguments: object) -> int:
    with pytest.raises(SystemExit) as exit_:
        main(["train", *map(str, arguments)])
    assert isinstance(exit_.value.code, int)
    return exit_.value.code


@contextmanager
def _api(uri: str) -> Iterator[Any]:
    with client(Settings(mlflow=MlflowSettings(tracking_uri=uri))) as server:
        yield server.api


def _runs(api: Any, experiment: str) -> list[Any]:
    """The experiment's runs, the oldest first."""
    found = api.get_experiment_by_name(experiment)
    return list(api.search_runs([found.experiment_id], order_by=["attributes.start_time"]))


def _files(api: Any, run: str, folder: str | None = None) -> list[str]:
    return [each.path for each in api.list_artifacts(run, folder)]


def test_registered_version_is_linked_to_the_run_that_trained_it(
    mlflow_server: MlflowServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same training again, by its key, finds both; a name that MLflow refuses trains nothing."""
    order = [
        write_recipe(tmp_path),
        "--out",
        tmp_path / "out",
        "--track",
        mlflow_server.url,
        "--run-key",
        "k",
    ]
    wrong = _train(*order, "--register", "a/b")
    nothing = not (tmp_path / "out").exists()
    capsys.readouterr()

    code = _train(*order, "--register", "trained", "--alias", "champion")
    first = json.loads(capsys.readouterr().out)
    again = _train(*order, "--register", "trained", "--alias", "challenger")
    second = json.loads(capsys.readouterr().out)

    with _api(mlflow_server.url) as api:
        found = list(api.search_model_versions("name='trained'"))
        aliases = api.get_registered_model("trained").aliases
    assert (2, True, 0, 0) == (wrong, nothing, code, again)
    assert [first["run"]["mlflow_run_id"]] == [version.run_id for version in found]
    assert {"champion": "1", "challenger": "1"} == {name: str(number) for name, number in aliases.items()}
    expected = {"name": "trained", "version": 1, "uri": "models:/trained/1"}
    assert {**expected, "alias": "champion"} == first["registered"]
    assert (True, {**expected, "alias": "challenger"}) == (second["found"], second["registered"])


def test_training_is_a_run_with_one_for_each_candidate(
    mlflow_server: MlflowServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The run and the package name each other; metrics are the manifest's; nested runs have params and scores."""
    out, experiment = tmp_path / "out", 'Träume/a: "b" 100% ☀'

    code = _train(
        write_recipe(tmp_path), "--out", out, "--track", mlflow_server.url, "--experiment", experiment
    )

    printed = json.loads(capsys.readouterr().out)
    package = open_package(out)
    manifest = package.manifest
    with _api(mlflow_server.url) as api:
        run, *nested = _runs(api, experiment)
        data, tags = run.data, run.data.tags
        curve = [
            (each.step, each.value) for each in api.get_metric_history(run.info.run_id, "candidate_score")
        ]
        folds = api.get_metric_history(nested[1].info.run_id, "fold_score")
        files = _files(api, run.info.run_id), _files(api, run.info.run_id, "plots")
        card = Path(api.download_artifacts(run.info.run_id, "card.html", str(tmp_path))).read_bytes()

    assert (0, [], "toy@1", "FINISHED") == (code, printed["run"]["lost"], run.info.run_name, run.info.status)
    assert (run.info.run_id, experiment, mlflow_server.url) == tuple(
        manifest.metrics[name] for name in ("mlflow_run_id", "mlflow_experiment", "mlflow_tracking_uri")
    )
    written = (package.path / "manifest.json").read_bytes()
    assert ("toy@1", sha256(written).hexdigest()) == (tags["stream.model"], tags["stream.manifest_sha256"])
    assert (package.path / "card.html").read_bytes() == card
    for name in ("auc", "auc_low", "log_loss", "search_score"):
        assert manifest.metrics[name] == data.metrics[name]
    assert data.metrics["slices/colour/auc/red"] > 0.9
    assert ("1.0", "[0.001, 1.0]", manifest.metrics["rows_sha256"]) == tuple(
        data.params[name]
        for name in ("logisticregression__C", "grid.logisticregression__C", "data.rows_sha256")
    )
    assert manifest.libraries["numpy"] == data.params["library.numpy"]
    (dataset,) = run.inputs.dataset_inputs
    assert 398 == json.loads(dataset.dataset.profile)["num_rows"]
    assert {"card.html", "manifest.json", "plots", "recipe", "slices.json"} == {*files[0]}
    assert 6 == len(files[1])

    params = [each.data.params["logisticregression__C"] for each in nested]
    assert (["0.001", "1.0"], ["FINISHED"] * 2) == (params, [each.info.status for each in nested])
    assert [run.info.run_id] * 2 == [each.data.tags["mlflow.parentRunId"] for each in nested]
    assert [None, "true"] == [each.data.tags.get("stream.chosen") for each in nested]
    assert [each.data.metrics["search_score"] for each in nested] == [value for _, value in curve]
    assert ([1, 2], [1, 2, 3]) == ([step for step, _ in curve], [each.step for each in folds])


def test_server_that_does_not_answer_is_found_out_before_the_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 1 at once: no row is loaded. No message has the password."""
    (port,) = free_ports(1)
    recipe = write_recipe(tmp_path, ("def load():", "def load():\n    raise AssertionError"))

    code = _train(recipe, "--out", tmp_path / "out", "--track", f"http://anna:sesame@127.0.0.1:{port}")

    said = capsys.readouterr().err
    assert (1, True, False) == (code, f"127.0.0.1:{port} does not answer" in said, "sesame" in said)


def test_deleted_experiment_is_refused(
    mlflow_server: MlflowServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2, and how to get it back."""
    with _api(mlflow_server.url) as api:
        number = api.create_experiment("deleted")
        api.delete_experiment(number)

    code = _train(write_recipe(tmp_path), "--track", mlflow_server.url, "--experiment", "deleted")

    assert (2, True) == (code, f"mlflow experiments restore -x {number}" in capsys.readouterr().err)


def test_training_that_fails_is_a_run_that_failed(mlflow_server: MlflowServer, tmp_path: Path) -> None:
    """With the reason; the candidate that failed, too."""
    change = (
        'GRID = {"logisticregression__C": [0.001, 1.0]}',
        'GRID = {"logisticregression__C": [1.0, -1.0]}',
    )

    code = _train(write_recipe(tmp_path, change), "--track", mlflow_server.url, "--experiment", "fails")

    with _api(mlflow_server.url) as api:
        run, *nested = _runs(api, "fails")
    assert (2, "FAILED") == (code, run.info.status)
    assert "'logisticregression__C': -1.0" in run.data.tags["stream.failure"]
    assert ["FINISHED", "FAILED"] == [each.info.status for each in nested]


@pytest.mark.parametrize("comes_back", [True, False])
def test_server_that_goes_away_costs_no_model(
    mlflow_server: MlflowServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    comes_back: bool,
) -> None:
    """Packed in any case; all is logged when it is back by the end, else exit 1 and what is missing."""
    monkeypatch.setattr(tracking, "PATIENCE_S", {"FINISHED": (60, 60 if comes_back else 0.1)})
    out, experiment = tmp_path / "out", f"away {comes_back}"
    with Relay(mlflow_server.port) as relay:

        class _Cut(tracking.Tracked):
            __slots__ = ()

            def split(self, *arguments: Any) -> None:
                relay.cut()
                super().split(*arguments)

            def packed(self, *arguments: Any) -> None:
                super().packed(*arguments)
                if comes_back:
                    relay.mend()

        monkeypatch.setattr(tracking, "Tracked", _Cut)
        code = _train(
            write_recipe(tmp_path),
            "--out",
            out,
            "--no-card",
            "--track",
            relay.url,
            "--experiment",
            experiment,
        )

    output = capsys.readouterr()
    with _api(mlflow_server.url) as api:
        run, *nested = _runs(api, experiment)
    ended = ("FINISHED", ["FINISHED"] * 2) if comes_back else ("RUNNING", [])
    assert (ended, [1]) == ((run.info.status, [each.info.status for each in nested]), versions(out))
    lost = json.loads(output.out)["run"]["lost"]
    assert (0, 0) == (code, len(lost)) if comes_back else (1, 1) == (code, len(lost))
    assert comes_back or "not logged as a whole; the package is written" in output.err


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 130)])
def test_training_that_is_killed_is_a_run_that_was(
    mlflow_server: MlflowServer, tmp_path: Path, sent: signal.Signals, code: int
) -> None:
    """With the candidate that was at work; the process ends as it would have without a run."""
    grid = ("[0.001, 1.0]", "[1 / (1 + i) for i in range(10_000)]")
    arguments = (str(write_recipe(tmp_path, grid)), "--track", mlflow_server.url, "--experiment", sent.name)
    with subprocess.Popen(
        [sys.executable, "-m", "stream", "train", *arguments],
        stderr=subprocess.PIPE, text=True, env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"},
    ) as process:  # fmt: skip
        assert process.stderr is not None
        watchdog = threading.Timer(120, process.kill)
        watchdog.start()
        next(line for line in process.stderr if line.startswith("candidate 3 of"))
        process.send_signal(sent)
        said = process.stderr.read()
        watchdog.cancel()

    with _api(mlflow_server.url) as api:
        run, *nested = _runs(api, sent.name)
    assert (code, "KILLED") == (process.returncode, run.info.status)
    assert {"FINISHED", "KILLED"} >= {each.info.status for each in nested}
    assert f"run {run.info.run_id} has ended as KILLED" in said


@pytest.mark.parametrize("place", ["sqlite:///{}/runs.db", "file:{}/runs"])
def test_run_without_a_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """In a database or a folder."""
    monkeypatch.chdir(tmp_path)
    uri = place.format(tmp_path)

    code = _train(write_recipe(tmp_path), "--no-card", "--track", uri)

    with _api(uri) as api:
        run, *nested = _runs(api, "toy")
        assert (0, "toy@1", 2) == (code, run.info.run_name, len(nested))
        assert ["manifest.json", "recipe"] == sorted(_files(api, run.info.run_id))
