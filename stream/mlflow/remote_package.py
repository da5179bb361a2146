"""Where a pushed package is in a model of a server: `MLmodel` says it, in its metadata, as `model_folder` writes it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from stream.errors import PackageError
from stream.mlflow.artifacts import Artifacts
from stream.mlflow.model_folder import METADATA
from stream.store import MANIFEST, MLMODEL, read_mlflow_head

__all__ = ["version_path"]

_MAX_HEAD_BYTES = 1_000_000

_MAX_CURRENT_BYTES = 64


def version_path(artifacts: Artifacts, into: Path) -> str | None:
    """
    Find the package in a model.

    Args:
        artifacts: of the model.
        into: a folder for what must be read.
    Returns: the path of the version's folder; None where the model is no pushed package.
    Raises: PackageError when `MLmodel` can't be read, or names what is not there; as `Artifacts.fetch`.
    """
    path = _package_path(artifacts, into)
    if path is None:
        return None
    if artifacts.find(f"{path}/{MANIFEST}") is not None:
        return path
    content = artifacts.fetch(f"{path}/current", into, _MAX_CURRENT_BYTES).read_bytes().strip()
    number = content.removeprefix(b"versions/").decode("ascii", "replace")
    if not number.isdecimal():
        raise _refusal(artifacts, f"{path}/current does not name a version")
    return f"{path}/versions/{number}"


def _package_path(artifacts: Artifacts, into: Path) -> str | None:
    artifacts.fetch(MLMODEL, into, _MAX_HEAD_BYTES)
    try:
        about = read_mlflow_head(into).get("metadata")
    except PackageError as error:
        raise _refusal(artifacts, error.message.removeprefix(f"{into}: ")) from error
    about = about.get(METADATA) if isinstance(about, Mapping) else None
    if about is None:
        return None
    path = about.get("package") if isinstance(about, Mapping) else None
    if not isinstance(path, str) or any(part in ("", ".", "..") for part in path.split("/")) or "\\" in path:
        raise _refusal(artifacts, f"{MLMODEL} names {path!r}, which is not a folder of the model")
    return path


def _refusal(artifacts: Artifacts, why: str) -> PackageError:
    return PackageError(f"{artifacts.uri}: {why}", step="manifest", hint="push the package again")
