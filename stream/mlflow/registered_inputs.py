"""What the versions of a registered model take, and how a package that is to join them differs."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from stream.codec import RecordSchema
from stream.errors import PackageError, SettingsError
from stream.mlflow.model_folder import METADATA
from stream.mlflow.server import ModelVersion, Server
from stream.mlflow.signature import signature_of
from stream.store import MLMODEL, Package, read_mlflow_head

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion as Answer

__all__ = ["differences_of"]

_MAX_HEAD_BYTES = 1_000_000
_NAMED = 5
"""Inputs that a message names."""


class _Request(Protocol):
    """Of a push."""

    @property
    def name(self) -> str:
        """Of the registered model."""

    @property
    def allow_difference(self) -> bool:
        """Whether another model's versions may take other inputs."""


def differences_of(server: Server, there: Sequence[Answer], package: Package, request: _Request) -> list[str]:
    """
    How a package's inputs differ from those of the newest version.

    Args:
        server: that has it.
        there: the registered model's versions, the newest first.
        package: that is to be the next.
        request: its name, and whether another model is expected there.
    Returns: a sentence for each kind of difference; none where there is no version yet.
    Raises: SettingsError where the newest version is of another model, which takes other inputs.
    """
    if not there:
        return []
    newest = there[0]
    head = _head(server, newest, request.name)
    if head is None:
        return [f"version {newest.version} has no {MLMODEL}: its inputs can't be compared"]
    wanted = _inputs(signature_of(package.manifest, RecordSchema(package.features)))
    found = _differences(wanted, _inputs(head.get("signature")))
    about = (head.get("metadata") or {}).get(METADATA) if isinstance(head.get("metadata"), dict) else None
    whose = about.get("name") if isinstance(about, dict) else None
    if not found or whose == package.manifest.name or request.allow_difference:
        return [f"than version {newest.version}: {one}" for one in found]
    other = f"the package {whose!r}" if whose else "a model that is not a pushed package"
    raise SettingsError(
        f"--name {request.name}: its version {newest.version} is {other}, and takes other inputs: {'; '.join(found)}",
        hint="choose another name; --allow-difference registers it all the same",
    )


def _head(server: Server, newest: Answer, name: str) -> dict[str, Any] | None:
    """Its `MLmodel`, as data; None where there is none."""
    with tempfile.TemporaryDirectory(prefix="stream-head-") as place:
        try:
            artifacts = server.artifacts(ModelVersion(name, int(newest.version)))
            artifacts.fetch(MLMODEL, Path(place), _MAX_HEAD_BYTES)
            return read_mlflow_head(Path(place))
        except PackageError:
            return None


def _inputs(signature: object) -> dict[str, str]:
    """MLflow's types of the inputs by name, as texts; by place where they have no names."""
    text = signature.get("inputs") if isinstance(signature, Mapping) else None
    try:
        listed = json.loads(text) if isinstance(text, str) else []
    except ValueError:
        listed = []
    specs = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    return {str(each.get("name", i)): str(each.get("type")) for i, each in enumerate(specs)}


def _differences(wanted: Mapping[str, str], there: Mapping[str, str]) -> list[str]:
    more = [name for name in wanted if name not in there]
    less = [name for name in there if name not in wanted]
    other = [
        f"{name} ({there[name]} → {kind})" for name, kind in wanted.items() if there.get(name, kind) != kind
    ]
    parts = (("more inputs", more), ("fewer inputs", less), ("other types", other))
    return [f"{what}: {', '.join(names[:_NAMED])}{_rest(names)}" for what, names in parts if names]


def _rest(names: Sequence[str]) -> str:
    return f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
