"""
A standalone Spark cluster: a master, and two workers of one core each that share nothing but what a cluster shares.

Each worker has a host name, a home, a working folder and a mount namespace of its own. `shared` is the same folder
everywhere. `apart` is another folder on each machine, under the same path: what one of them has there, the others
don't see, as with a mount that is stale or was forgotten.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Self

from tests.kafka.artifacts import Unavailable, find_java
from tests.kafka.process import Server, Started, is_listening, wait_for

__all__ = ["HOSTS", "StandaloneCluster"]

HOSTS = ("worker-1", "worker-2")

_START_S = 240

_ENTER = """
mount --make-rprivate /
mount --bind "$OWN_APART" "$APART"
hostname "$HOST"
cd "$HOME"
exec "$@"
"""


class StandaloneCluster(Started):
    """
    Attributes:
        shared: a folder that every machine sees.
        apart: a folder that is another one on every machine; here, the driver's.
        master: its URL.
    """

    def __init__(self) -> None:
        """Raises Unavailable when there is no Java, no pyspark, or no way to a mount namespace."""
        find_java()
        self._spark = _spark_home()
        self._unshare = _unshare()
        self._root = Path(tempfile.mkdtemp(prefix="spark-"))
        self.shared = self._folder("shared")
        self.apart = self._folder("apart")
        self.master = ""
        self._servers: dict[str, Server] = {}

    def seen_by(self, host: str) -> Path:
        """What a worker has in its `apart`."""
        return self._folder(f"{host}-apart")

    def start(self) -> Self:
        """Start it and block until both workers are registered."""
        master = self._server(
            "master", [*self._class("master.Master"), "-h", "127.0.0.1", "-p", "0", "--webui-port", "0"]
        )
        master.start(self._found_master, _START_S)
        for host in HOSTS:
            self.start_worker(host, wait=False)
        wait_for(lambda: self._registered() >= len(HOSTS), _START_S, "two workers to register")
        return self

    def start_worker(self, host: str, *, wait: bool = True) -> None:
        """Start a worker, or start it again."""
        before = self._registered()
        work = self._folder(f"{host}-work")
        options = ["-h", "127.0.0.1", "-p", "0", "--webui-port", "0", "-c", "1", "-m", "2g", "-d", str(work)]
        worker = self._server(
            host, [*self._inside(host), *self._class("worker.Worker"), *options, self.master]
        )
        worker.start(lambda: True, _START_S)
        if wait:
            wait_for(lambda: self._registered() > before, _START_S, f"{host} to register")

    def pids(self, what: str) -> list[int]:
        """Processes of the cluster, of this user, whose command line has `what`: oldest first."""
        found = subprocess.run(["pgrep", "-f", what], capture_output=True, text=True, check=False)
        own = [int(pid) for pid in found.stdout.split()]
        return [pid for pid in own if str(self._root) in _environment(pid)]

    def close(self) -> None:
        """End everything."""
        for server in reversed(self._servers.values()):
            server.kill()
        shutil.rmtree(self._root, ignore_errors=True)

    def _class(self, name: str) -> list[str]:
        return [str(self._spark / "bin" / "spark-class"), f"org.apache.spark.deploy.{name}"]

    def _inside(self, host: str) -> list[str]:
        home = self._folder(f"{host}-home")
        own = {"OWN_APART": self.seen_by(host), "APART": self.apart, "HOST": host, "HOME": home}
        return [
            "env",
            *(f"{name}={value}" for name, value in own.items()),
            *self._unshare,
            "bash",
            "-ec",
            _ENTER,
            host,
        ]

    def _server(self, name: str, command: list[str]) -> Server:
        given = {
            "SPARK_HOME": self._spark, "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_DAEMON_MEMORY": "256m",
            "SPARK_CONF_DIR": self._folder("conf"), "SPARK_LOG_DIR": self._folder("logs"),
            "TEST_CLUSTER": self._root,
        }  # fmt: skip
        settings = [f"{key}={value}" for key, value in given.items()]
        server = Server(name, ["env", *settings, *command], self._root / f"{name}.log")
        self._servers[name] = server
        return server

    def _found_master(self) -> bool:
        found = re.search(r"Starting Spark master at (spark://\S+:(\d+))", self._log("master"))
        if found:
            self.master = found[1]
        return found is not None and is_listening(int(found[2]))

    def _registered(self) -> int:
        return self._log("master").count("Registering worker")

    def _log(self, name: str) -> str:
        path = self._root / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _folder(self, name: str) -> Path:
        folder = self._root / name
        folder.mkdir(exist_ok=True)
        return folder


def _spark_home() -> Path:
    try:
        import pyspark
    except ImportError as error:
        raise Unavailable("pyspark is not installed: scripts/install dev spark") from error
    return Path(pyspark.__file__).parent


def _unshare() -> list[str]:
    """The command that gives a process namespaces of its own; it ends with all that run in them."""
    command = ["unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if os.geteuid() != 0:
        command += ["--map-root-user"]
    if sys.platform != "linux" or shutil.which("unshare") is None:
        raise Unavailable("there is no unshare(1), which gives each worker its own mounts")
    tried = subprocess.run([*command, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        raise Unavailable(f"a worker can't have its own mounts here: {tried.stderr.strip()}")
    return command


def _environment(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/environ").read_text(errors="replace")
    except OSError:
        return ""
