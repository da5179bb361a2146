"""A real Airflow on the loopback: PostgreSQL, its four processes, a folder of its own; asked through its REST API."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from tests.kafka.process import Server, Started, free_ports
from tests.platforms.airflow.database import Database

__all__ = ["AirflowInstallation"]

ROOT = Path(__file__).parents[3]

_START_S = 300
"""10-15 s alone on two cores; ten times as much where a dozen other processes want them."""

_WAIT_S = 400
"""For a run of a DAG: 5-15 s alone on two cores."""

_SETTINGS = {
    "CORE__LOAD_EXAMPLES": "False",
    "CORE__EXECUTOR": "LocalExecutor",
    "CORE__PARALLELISM": "3",
    "CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
    "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
    "API__HOST": "127.0.0.1",
    "API__WORKERS": "1",
    "API__SECRET_KEY": "a secret of this test only",
    "API_AUTH__JWT_SECRET": "a secret of this test only, and as long as the algorithm wants it to be",
    "DAG_PROCESSOR__REFRESH_INTERVAL": "5",
    "SCHEDULER__ENABLE_HEALTH_CHECK": "False",
    "SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
    "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.3",
    "TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "10",
    "WORKERS__EXECUTION_API_TIMEOUT": "60",  # 5 s are too short on a busy machine
    "OPENLINEAGE__NAMESPACE": "tests",
}


class AirflowInstallation(Started):
    """
    One Airflow, with this repository's wheel as its provider and nothing else of ours.

    Attributes:
        folder: all that it has.
        database: in that folder.
        data: `FLIGHTS` of the example DAGs.
        dags: its DAG files.
        lineage: what OpenLineage was told, an event per line.
    """

    def __init__(self, environment: Path, dags: Sequence[Path], variables: Mapping[str, str]) -> None:
        """
        Args:
            environment: see `tests.platforms.environments`.
            dags: files that are copied.
            variables: of all its processes.
        """
        self.environment = environment
        self.folder = Path(tempfile.mkdtemp(prefix="airflow-"))
        self.database = Database(environment, self.folder / "database")
        self.data = self.folder / "data"
        self.dags = self.folder / "dags"
        self.lineage = self.folder / "lineage.jsonl"
        self._dags = dags
        self._own = dict(variables)
        self._port, logs = free_ports(2)
        self._logs = str(logs)
        self._servers = {
            name: self._server(name) for name in ("api-server", "dag-processor", "scheduler", "triggerer")
        }
        self._token = ""

    @property
    def url(self) -> str:
        """Of the API server and its pages."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def variables(self) -> dict[str, str]:
        """Of every process."""
        more = {
            "CORE__DAGS_FOLDER": str(self.dags),
            "DATABASE__SQL_ALCHEMY_CONN": self.database.url,
            "CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "API__PORT": str(self._port),
            "API__BASE_URL": self.url,
            "LOGGING__WORKER_LOG_SERVER_PORT": self._logs,
            "LOGGING__TRIGGER_LOG_SERVER_PORT": "0",
            "OPENLINEAGE__TRANSPORT": json.dumps(
                {"type": "file", "log_file_path": str(self.lineage), "append": True}
            ),
            "PREDICTION_STREAM__COMMAND": str(ROOT / ".venv/bin/stream"),
        }
        settings = {f"AIRFLOW__{name}": value for name, value in {**_SETTINGS, **more}.items()}
        return {
            **os.environ,
            **settings,
            "AIRFLOW_HOME": str(self.folder),
            "FLIGHTS": str(self.data),
            "PYTHONPATH": str(self.folder / "provider"),
            **self._own,
        }

    def _server(self, name: str, log: str = "") -> Server:
        variables = (
            f"{key}={value}" for key, value in self.variables.items() if os.environ.get(key) != value
        )
        command = ["env", *variables, str(self.environment / "bin/airflow"), name]
        return Server(f"Airflow's {name}", command, self.folder / f"{log or name}.log")

    def start(self) -> Self:
        """Start and block until all four processes have said that they are there."""
        for folder in (self.data, self.dags, self.folder / "provider"):
            folder.mkdir(parents=True, exist_ok=True)
        for dag in self._dags:
            shutil.copy(dag, self.dags)
        self.folder.chmod(0o711)  # the database's user passes through
        with ThreadPoolExecutor() as pool:
            wheel = pool.submit(self._install)
            self.database.start()
            self.airflow("db", "migrate")
            wheel.result()
        for name in ("dag-processor", "scheduler", "triggerer"):
            self._servers[name].start(lambda: True, _START_S)
        self._servers["api-server"].start(self._answers, _START_S)
        self.until(lambda: len(self.api("/dags?limit=100")["dags"]) >= len(self._dags), "DAGs to be read")
        return self

    def _install(self) -> None:
        """The wheel, without what it depends on: as `pip install --no-deps` would."""
        build = [str(ROOT / ".venv/bin/python"), "-m", "build", "--wheel", "--no-isolation"]
        subprocess.run(
            [*build, "--outdir", str(self.folder), str(ROOT)],
            check=True,
            capture_output=True,
            timeout=_START_S,
        )
        (wheel,) = self.folder.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(self.folder / "provider")

    def _answers(self) -> bool:
        try:
            self._token = json.loads(self._get("/auth/token"))["access_token"]
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False
        return True

    def restart(self, name: str) -> None:
        """Kill one of the four with SIGKILL, and start it again."""
        self._servers[name].kill()
        self._servers[name].start(lambda: True, _START_S)

    @contextmanager
    def two_triggerers(self) -> Iterator[Callable[[int], None]]:
        """A second triggerer, and a function that sends a signal to the first one and its children."""
        first, second = self._servers["triggerer"].pid, self._server("triggerer", "triggerer-2")
        second.start(lambda: True, _START_S)
        try:
            yield lambda number: os.killpg(first, number)
        finally:
            second.kill()

    def close(self) -> None:
        """End it and remove its folder."""
        for server in reversed(self._servers.values()):
            server.kill()
        self.database.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def airflow(self, *arguments: str) -> str:
        """What an `airflow` command prints; fails with what it says."""
        command = [str(self.environment / "bin/airflow"), *arguments]
        done = subprocess.run(
            command, env=self.variables, capture_output=True, text=True, timeout=_START_S, check=False
        )
        if done.returncode:
            raise AssertionError(f"airflow {' '.join(arguments)}: {done.stderr[-2_000:]}")
        return done.stdout

    def backfill(self, dag: str, first: str, last: str) -> None:
        """Begin a backfill, as the browser does."""
        days = {"from_date": f"{first}T00:00:00Z", "to_date": f"{last}T00:00:00Z"}
        asked = {"dag_id": dag, **days, "reprocess_behavior": "failed", "max_active_runs": 3}
        self.api("/backfills", asked)

    def api(self, path: str, body: object = None, method: str = "") -> Any:
        """What the REST API answers; POST with a body."""
        return json.loads(self._get(f"/api/v2{path}", body, method))

    def _get(self, path: str, body: object = None, method: str = "") -> bytes:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.url + path, data, method=method or ("GET" if data is None else "POST")
        )
        request.add_header("Content-Type", "application/json")
        if self._token:
            request.add_header("Authorization", f"Bearer {self._token}")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                found: bytes = answer.read()
        except urllib.error.HTTPError as error:
            said = error.read().decode(errors="replace")
            error.add_note(f"{request.get_method()} {path}: {said}\n{self._servers['api-server'].tail()}")
            raise
        return found

    def resume_dag(self, dag: str) -> None:
        """Let its schedule begin."""
        self.api(f"/dags/{dag}", {"is_paused": False}, "PATCH")

    def trigger(self, dag: str, run: str, day: str | None = None) -> None:
        """Begin a run by hand, for a day or for none."""
        self.resume_dag(dag)
        self.api(f"/dags/{dag}/dagRuns", {"dag_run_id": run, "logical_date": day and f"{day}T00:00:00Z"})

    def clear(self, dag: str, run: str) -> None:
        """Let all tasks of a run run again, as the button of that name does."""
        self.api(f"/dags/{dag}/dagRuns/{run}/clear", {"dry_run": False, "only_failed": False})

    def mark_failed(self, dag: str, run: str) -> None:
        """End a run by hand."""
        self.api(f"/dags/{dag}/dagRuns/{run}", {"state": "failed"}, "PATCH")

    def runs(self, dag: str) -> list[dict[str, Any]]:
        """Of a DAG, all."""
        found: list[dict[str, Any]] = self.api(f"/dags/{dag}/dagRuns?limit=100")["dag_runs"]
        return found

    def ended(self, dag: str, run: str) -> str:
        """Block until a run has ended; its state."""
        self.until(lambda: self._state(dag, run) in ("success", "failed"), f"{dag} {run} to end")
        return self._state(dag, run)

    def _state(self, dag: str, run: str) -> str:
        return str(self.api(f"/dags/{dag}/dagRuns/{run}")["state"])

    def task(self, dag: str, run: str, task: str) -> dict[str, Any]:
        """A task instance."""
        found: dict[str, Any] = self.api(f"/dags/{dag}/dagRuns/{run}/taskInstances/{task}")
        return found

    def ended_as(self, dag: str, run: str, expected: Mapping[str, str]) -> None:
        """Fails with the log of the task whose state is not what was expected."""
        for task, state in expected.items():
            found = self.task(dag, run, task)
            if found["state"] != state:
                log = self.log(dag, run, task, found["try_number"] or 1)
                raise AssertionError(
                    f"{dag}.{task} is {found['state']}, not {state}: {log}\n{self._servers['triggerer'].tail()}"
                )

    def xcom(self, dag: str, run: str, task: str, key: str = "return_value") -> Any:
        """What a task returned."""
        path = f"/dags/{dag}/dagRuns/{run}/taskInstances/{task}/xcomEntries/{key}"
        return self.api(f"{path}?deserialize=true")["value"]

    def log(self, dag: str, run: str, task: str, attempt: int) -> str:
        """A task's log."""
        found = self.api(f"/dags/{dag}/dagRuns/{run}/taskInstances/{task}/logs/{attempt}?full_content=true")
        return json.dumps(found)

    def until(self, holds: Any, what: str) -> None:
        """Block until something holds; the processes must be alive meanwhile."""
        end = time.monotonic() + _WAIT_S
        while not holds():
            if time.monotonic() > end:
                raise AssertionError(f"waited {_WAIT_S} s for {what}\n{self._servers['scheduler'].tail()}")
            self.database.check()
            for server in self._servers.values():
                server.check()
            time.sleep(0.5)
