"""The loopback's AWS from a test: its state is asked for, and `deploy.py` run against it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.kafka.process import free_ports

__all__ = ["IMAGE", "ROLE", "Account", "Deployed"]

ROLE = "arn:aws:iam::123456789012:role/stream"
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/stream:1"

AWS = Path(__file__).with_name("aws.py")

ENVIRON = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


class Deployed:
    """What a run of `deploy.py` came to."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


class Account:
    """An account of the loopback's AWS."""

    def __init__(self, python: Path) -> None:
        [port] = free_ports(1)
        self._python = python
        self._environ = {**os.environ, **ENVIRON, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
        self._process = subprocess.Popen(
            [python, AWS, str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=self._environ,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "listens\n"

    def ask(self, call: str, service: str = "sagemaker", **arguments: Any) -> Any:
        """The answer to a call of boto3; `{"error": …}` where AWS refuses it."""
        return self._answer([service, call, arguments])

    def deploy(self, folder: Path, *arguments: str) -> Deployed:
        """Run an export's `deploy.py`, in the process that has boto3."""
        return Deployed(*self._answer(["run", str(folder / "deploy.py"), [*arguments, "--pause", "0"]]))

    def spawn(self, folder: Path, *arguments: str) -> Deployed:
        """Run it as a user does, as a process."""
        command: list[str | Path] = [self._python, folder / "deploy.py", *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, env=self._environ, timeout=60, check=False
        )
        return Deployed(done.returncode, done.stdout, done.stderr)

    def _answer(self, asked: object) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def names(self, plural: str, noun: str) -> list[str]:
        """The names of all of a kind, sorted."""
        listed = self.ask(f"list_{plural}")
        return sorted(one[f"{noun}Name"] for one in listed[f"{noun}s"])

    def names_of_jobs(self, stem: str) -> list[str]:
        """The names of transform jobs that begin so, sorted."""
        listed = self.ask("list_transform_jobs")["TransformJobSummaries"]
        names = [str(one["TransformJobName"]) for one in listed]
        return sorted(name for name in names if name.startswith(stem))

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(60)  # a busy machine
        self._process.stdout.close()
