"""Images built by buildah in a folder of its own: no daemon, and nothing of the machine's other images is touched."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["Buildah"]

_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
"""What this machine trusts: a builder behind a proxy needs it to reach a package index."""

_BUILD_S = 1_800


class Buildah:
    """buildah with its own storage."""

    def __init__(self, storage: Path) -> None:
        """
        Args:
            storage: a folder on a file system that overlays work on.
        """
        self._containers: list[str] = []
        self._global = [f"--root={storage}/root", f"--runroot={storage}/run", "--storage-driver=overlay"]

    def run(self, *arguments: str, quiet: bool = True) -> str:
        """
        One command of buildah's.

        Returns: its stdout, without the newline at the end.
        Raises: subprocess.CalledProcessError when it fails; its output has been printed then.
        """
        done = subprocess.run(
            ["buildah", *self._global, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if quiet else None,
            text=True,
            timeout=_BUILD_S,
            check=False,
        )
        if done.returncode:
            print(done.stdout)
            done.check_returncode()
        return done.stdout.rstrip("\n")

    def build(self, context: Path, target: str | None, tag: str, arguments: Sequence[str] = ()) -> str:
        """
        Build one target of the Dockerfile in a folder, or its last one; what an earlier build made is used again.

        Returns: the builder's output.
        """
        trusted = [f"--volume={_CERTIFICATES}:{_CERTIFICATES}:ro"] if Path(_CERTIFICATES).exists() else []
        for name in ("SSL_CERT_FILE", "PIP_CERT"):
            trusted += [f"--env={name}={_CERTIFICATES}"] if trusted else []
        for name in ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"):
            trusted += [f"--env={name}"] if name in os.environ else []
        common = ["--isolation=chroot", "--pull-never", "--layers", "--format=docker", *trusted]
        wanted = [] if target is None else [f"--target={target}"]
        named = [f"--build-arg={each}" for each in arguments]
        return self.run("bud", *common, *named, *wanted, f"--tag={tag}", str(context))

    def has(self, image: str) -> bool:
        """Whether an image is in the storage."""
        return image in self.run("images", "--format={{.Name}}:{{.Tag}}").splitlines()

    def inspect(self, image: str) -> dict[str, Any]:
        """An image's configuration, as Docker has it."""
        found = json.loads(self.run("inspect", "--type=image", image))["Docker"]
        assert isinstance(found, dict)
        return found

    def mount(self, image: str) -> Path:
        """A new container of an image: the folder that is its root."""
        container = self.run("from", "--pull-never", image)
        self._containers.append(container)
        return Path(self.run("mount", container))

    def close(self) -> None:
        """Unmount and remove the containers that were mounted here."""
        if self._containers:
            self.run("rm", *self._containers)
