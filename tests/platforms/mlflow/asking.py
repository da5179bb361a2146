"""A program of MLflow's environment, in which this library is not installed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.platforms.mlflow.server import MlflowServer

__all__ = ["bare_variables", "said_by"]


def bare_variables(server: MlflowServer) -> dict[str, str]:
    """Of a process that finds this library nowhere, and MLflow's own programs (`uvicorn`) first."""
    path = f"{server.environment / 'bin'}:{server.variables['PATH']}"
    return {**server.variables, "PATH": path, "PYTHONPATH": "", "PYTHONWARNINGS": "ignore"}


def said_by(server: MlflowServer, script: str, folder: Path, *arguments: str) -> Any:
    """
    Run a script in a folder.

    Returns: its last line of output, which is JSON.
    """
    command = [str(server.environment / "bin/python"), "-c", script, *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=folder, env=bare_variables(server), check=False
    )
    assert 0 == done.returncode, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])
