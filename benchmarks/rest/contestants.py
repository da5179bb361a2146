"""The servers: how each is started with the model, asked about a row, and read."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.rest.venvs import make_venv

__all__ = ["CONTESTANTS", "Contestant"]

ROOT = Path(__file__).parents[2]

_READY_S = 600
"""MLServer takes 10 s on an idle machine, and took minutes on one with ten times as much to do as it has cores."""

_TYPES = {str: "BYTES", int: "INT64", float: "FP64"}


class Contestant(ABC):
    """
    A server with its default settings.

    Args:
        package: the model package; the others get the `model.joblib` in it.
        folder: for files of its own.
    """

    def __init__(self, package: Path, folder: Path) -> None:
        self.package = package
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.prepare()

    @property
    def estimator(self) -> Path:
        """The fitted pipeline's file."""
        version = (self.package / "current").read_text().strip()
        return self.package / "versions" / version / "model.joblib"

    @abstractmethod
    def prepare(self) -> None:
        """Install what it needs and lay out the model."""

    @abstractmethod
    def command(self, port: int, more: list[int]) -> list[str]:
        """Program and arguments; `more` are further free ports."""

    @abstractmethod
    def ready_path(self) -> str:
        """What answers 200 once the model does."""

    @abstractmethod
    def path(self) -> str:
        """What is asked."""

    @abstractmethod
    def body(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The request for a row."""

    @abstractmethod
    def label(self, answer: Any) -> Any:
        """The label of the answer."""

    @contextmanager
    def running(self, port: int, more: list[int]) -> Iterator[str]:
        """Start it, wait for it, and end it with all of its children; gives its address."""
        url = f"http://127.0.0.1:{port}"
        with (self.folder / "server.log").open("wb") as log:
            process = subprocess.Popen(
                self.command(port, more), cwd=self.folder, stdout=log, stderr=log, start_new_session=True
            )
        try:
            _wait(f"{url}{self.ready_path()}", process, self.folder / "server.log")
            yield url
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.3)
    raise SystemExit(f"{url} did not get ready; its log ends:\n{log.read_text(errors='replace')[-3000:]}")


class Stream(Contestant):
    """`stream serve`."""

    def prepare(self) -> None:
        """It needs nothing but the package."""

    def command(self, port: int, more: list[int]) -> list[str]:
        """With nothing but the model."""
        config = self.folder / "stream.toml"
        config.write_text(f'[model]\nuri = "{self.package}"\n')
        command = [sys.executable, "-m", "stream", "serve", "--config", str(config), "--port", str(port)]
        return ["env", f"PYTHONPATH={ROOT}", *command]

    def ready_path(self) -> str:
        """SageMaker's."""
        return "/ping"

    def path(self) -> str:
        """Our own."""
        return "/predict"

    def body(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row itself."""
        return dict(row)

    def label(self, answer: Any) -> Any:
        """Of the prediction."""
        return answer["label"]


class MLflow(Contestant):
    """`mlflow models serve`, its model logged as its documentation says."""

    def prepare(self) -> None:
        """Save the pipeline as an MLflow model, with a signature."""
        self._python = make_venv(self.folder / "venv", ["mlflow"])
        model = self.folder / "model"
        if model.is_dir():
            return
        script = (
            "import sys, joblib, mlflow.sklearn\n"
            "mlflow.sklearn.save_model(joblib.load(sys.argv[1]), sys.argv[2], "
            "serialization_format='cloudpickle', pip_requirements=[])\n"
        )
        subprocess.run([self._python, "-c", script, str(self.estimator), str(model)], check=True)

    def command(self, port: int, more: list[int]) -> list[str]:
        """In its own venv's environment."""
        mlflow = str(self._python.with_name("mlflow"))
        serve = [mlflow, "models", "serve", "-m", str(self.folder / "model"), "-p", str(port)]
        return ["env", f"PATH={self._python.parent}:{os.environ['PATH']}", *serve, "--env-manager", "local"]

    def ready_path(self) -> str:
        """Its own."""
        return "/ping"

    def path(self) -> str:
        """Its own."""
        return "/invocations"

    def body(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A frame of one row."""
        return {"dataframe_records": [dict(row)]}

    def label(self, answer: Any) -> Any:
        """Of the first row."""
        return answer["predictions"][0]


class MLServer(Contestant):
    """MLServer with its scikit-learn runtime."""

    def prepare(self) -> None:
        """Lay out its settings."""
        # Its worker processes end at once with uvloop 0.22, which makes no event loop by itself any more.
        self._python = make_venv(self.folder / "venv", ["mlserver", "mlserver-sklearn", "uvloop<0.22"])
        model = {
            "name": "flights",
            "implementation": "mlserver_sklearn.SKLearnModel",
            "parameters": {"uri": str(self.estimator), "version": "1"},
        }
        (self.folder / "model-settings.json").write_text(json.dumps(model))

    def command(self, port: int, more: list[int]) -> list[str]:
        """With ports of its own."""
        ports = {"http_port": port, "grpc_port": more[0], "metrics_port": more[1], "host": "127.0.0.1"}
        (self.folder / "settings.json").write_text(json.dumps(ports))
        return [str(self._python.with_name("mlserver")), "start", str(self.folder)]

    def ready_path(self) -> str:
        """The protocol's."""
        return "/v2/models/flights/ready"

    def path(self) -> str:
        """The protocol's."""
        return "/v2/models/flights/infer"

    def body(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A tensor per column, to be read as a frame."""
        inputs = [
            {
                "name": name,
                "datatype": _TYPES.get(type(value), "FP64"),
                "shape": [1, 1],
                "data": [value],
                **({"parameters": {"content_type": "str"}} if isinstance(value, str) else {}),
            }
            for name, value in row.items()
        ]
        return {"parameters": {"content_type": "pd"}, "inputs": inputs}

    def label(self, answer: Any) -> Any:
        """Of its one output."""
        return bool(answer["outputs"][0]["data"][0])


CONTESTANTS: dict[str, type[Contestant]] = {"stream": Stream, "mlflow": MLflow, "mlserver": MLServer}
"""In the order of the table."""
