"""docker-compose.yml as Docker Compose reads it: variables put in, anchors merged, one `Service` for each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

__all__ = ["COMPOSE", "ROOT", "Service", "read_compose", "services"]

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"

_VARIABLE = re.compile(r"\$\$|\$\{(\w+):-([^}]*)\}|\$(\w+|\{[^}]*\})")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0}


@dataclass(frozen=True, slots=True)
class Service:
    """A service: what the file says of it."""

    name: str
    raw: Mapping[str, Any]

    @property
    def ours(self) -> bool:
        """Whether it runs our image."""
        return "build" in self.raw

    @property
    def entrypoint(self) -> list[str] | None:
        """None: the image's."""
        return self.raw.get("entrypoint")

    @property
    def command(self) -> list[str] | None:
        """None: the image's."""
        return self.raw.get("command")

    @property
    def environment(self) -> dict[str, str]:
        """As the container gets it: texts."""
        return {name: str(value) for name, value in self.raw.get("environment", {}).items()}

    @property
    def health(self) -> list[str] | None:
        """The health check's command without `CMD`; None where it is disabled."""
        check = self.raw["healthcheck"]
        if check.get("disable"):
            return None
        assert check["test"][0] == "CMD"
        return list(check["test"][1:])

    def ports(self) -> list[tuple[str, int, int]]:
        """Published ports: address and port on the host, port in the container."""
        split = (str(each).rsplit(":", 2) for each in self.raw.get("ports", []))
        return [(address, int(outside), int(inside)) for address, outside, inside in split]

    def seconds(self, key: str) -> float:
        """A length of time such as `15s`."""
        found = re.fullmatch(r"([\d.]+)(ms|s|m)", self.raw[key])
        assert found
        return float(found[1]) * _SECONDS[found[2]]


def read_compose(variables: Mapping[str, str]) -> dict[str, Any]:
    """
    The file as plain data.

    Args:
        variables: of the shell that runs `docker compose`, for `${NAME:-default}`.
    Raises: ValueError for a variable without default: `docker compose up` must need nothing.
    """
    loaded = yaml.safe_load(COMPOSE.read_text("utf-8"))
    found = _interpolated(loaded, variables)
    assert isinstance(found, dict)
    return found


def services(variables: Mapping[str, str] | None = None) -> dict[str, Service]:
    """The file's services by name."""
    found = read_compose(variables or {})["services"]
    return {name: Service(name, raw) for name, raw in found.items()}


def _interpolated(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _interpolated(each, variables) for key, each in value.items()}
    if isinstance(value, list):
        return [_interpolated(each, variables) for each in value]
    return _VARIABLE.sub(lambda m: _value(m, variables), value) if isinstance(value, str) else value


def _value(found: re.Match[str], variables: Mapping[str, str]) -> str:
    if found[0] == "$$":
        return "$"
    if found[1] is None:
        raise ValueError(f"{found[0]} has no default")
    return variables.get(found[1]) or found[2]
