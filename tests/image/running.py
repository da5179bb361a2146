"""
A program in an image's root, as a container engine would run it: the image's user and environment, PID 1 in a PID
namespace of its own, a read-only root, `/tmp` in memory; a network of its own where one is given. Not isolated:
capabilities, memory and processor.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from tests.image.network import Network

__all__ = ["Container"]

_SET_UP = """
set -e
mount --make-rprivate /
mount --bind "$1" "$1"
for volume in $2; do mount --rbind "${volume%:*}" "$1${volume#*:}"; done
mount -o remount,bind,ro "$1"
mount -t tmpfs -o size=256m,mode=1777,nosuid,nodev tmpfs "$1/tmp"
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
root=$1 user=$3 folder=$4; shift 4
exec chroot --userspec="$user" "$root" env -i --chdir="$folder" "$@"
"""


class Container:
    """A running program of an image."""

    def __init__(
        self,
        root: Path,
        config: Mapping[str, Any],
        command: Sequence[str] | None = None,
        variables: Mapping[str, str] | None = None,
        volumes: Mapping[Path, str] | None = None,
        network: Network | None = None,
    ) -> None:
        """
        Args:
            root: the image's root folder.
            config: `Config` of the image.
            command: program and arguments, in place of the image's.
            variables: besides the image's.
            volumes: folder of this machine → absolute path in the image. Writable.
            network: that it has in place of this machine's.
        """
        given = dict(each.split("=", 1) for each in config["Env"]) | dict(variables or {})
        argv = [*config["Entrypoint"], *config["Cmd"]] if command is None else list(command)
        for inside in (volumes or {}).values():
            (root / inside.lstrip("/")).mkdir(parents=True, exist_ok=True)  # as an engine does
        mounts = " ".join(f"{outside}:{inside}" for outside, inside in (volumes or {}).items())
        namespaces = [
            *(network.command if network else ()),
            "unshare",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
        ]
        # `env --chdir` before variables; PATH is the image's when `env` looks for the program.
        said = [f"{name}={value}" for name, value in given.items()]
        setup = ["sh", "-c", _SET_UP, "sh", str(root), mounts, config["User"], config["WorkingDir"]]
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # closed in close()
        self._process = subprocess.Popen(
            [*namespaces, *setup, *said, *argv],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    def said(self) -> str:
        """All that it wrote so far."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def ends(self, timeout_s: float = 120) -> int:
        """Wait for its end; returns the exit code: its own, and any other than 0 where a signal ended it."""
        return self._process.wait(timeout_s)

    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def send(self, signal: str) -> None:
        """Send it a signal (`TERM`, `KILL`): to PID 1 of the namespace, from outside."""
        subprocess.run(["kill", f"-{signal}", str(self._first())], check=True)

    def _first(self) -> int:
        """The program's number outside: the one child of `unshare`."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        until = time.monotonic() + 10
        while not (found := children.read_text().split()):
            if time.monotonic() > until:
                raise SystemExit(f"tests.image: nothing runs\n{self.said()}")
        return int(found[0])

    def close(self) -> None:
        """Kill what still runs."""
        if self.is_running():
            self._process.kill()
            self._process.wait()
        self._log.close()
