"""A network of a container's own: one address, every port free, reached from this machine. Needs root and iproute2."""

from __future__ import annotations

import secrets
import subprocess

__all__ = ["Network"]

_SUBNETS = 2**14
"""Of four addresses each in 198.18.0.0/16, which is for trials and routed nowhere."""


class Network:
    """A network namespace, joined to this machine by a pair of virtual devices."""

    def __init__(self) -> None:
        """Raises: subprocess.CalledProcessError when the machine refuses."""
        subnet = secrets.randbelow(_SUBNETS)
        first = f"198.18.{subnet // 64}.{subnet % 64 * 4}".rpartition(".")
        here, self.address = (f"{first[0]}.{int(first[2]) + host}" for host in (1, 2))
        self._name = f"stream{subnet}"
        _ip("netns", "add", self._name)
        try:
            _ip("link", "add", self._name, "type", "veth", "peer", "name", "eth0", "netns", self._name)
            _ip("addr", "add", f"{here}/30", "dev", self._name)
            _ip("link", "set", self._name, "up")
            _ip("-n", self._name, "link", "set", "lo", "up")
            _ip("-n", self._name, "addr", "add", f"{self.address}/30", "dev", "eth0")
            _ip("-n", self._name, "link", "set", "eth0", "up")
        except subprocess.CalledProcessError:
            self.close()
            raise

    @property
    def command(self) -> list[str]:
        """What a command begins with that runs in it."""
        return ["nsenter", f"--net=/run/netns/{self._name}"]

    def close(self) -> None:
        """Away with it, once nothing runs in it."""
        _ip("netns", "del", self._name)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)
