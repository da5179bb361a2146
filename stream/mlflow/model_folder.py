"""
A package as a model folder of MLflow, which any MLflow loads.

    MLmodel                       flavour `python_function`, signature, and where the package is
    package/                      the package itself: `current` and `versions/N`, byte by byte
    code/                         what opens it where prediction-stream is not installed
    input_example.json            rows of golden.avro, without the carried fields
    requirements.txt, conda.yaml, python_env.yaml

Source: <https://mlflow.org/docs/latest/ml/model/> and `mlflow.models.Model` of MLflow 3.17.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import yaml

from stream.codec import RecordSchema, plain_row, read_row, write_row
from stream.errors import PackageError
from stream.manifest import Manifest
from stream.mlflow.shipped_code import LOADER, code_files, code_requirements
from stream.mlflow.signature import input_columns, signature_of
from stream.store import MANIFEST, MLMODEL, Package, copy_version, golden_of, versions, write_registered

__all__ = ["METADATA", "PACKAGE", "PushedFolder", "write_model_folder"]

PACKAGE = "package"
"""The package within a model folder."""

METADATA = "prediction_stream"
"""The key of what `MLmodel` says of the package, in its `metadata`."""

_EXAMPLE_ROWS = 5
"""MLflow itself suggests a few rows."""


@dataclass(frozen=True, slots=True)
class PushedFolder:
    """
    A model folder that was written.

    Attributes:
        files: their paths.
        signature: as `MLmodel` has it.
        manifest_sha256: of the package's manifest, which names the version's bytes, all of them.
    """

    files: tuple[Path, ...]
    signature: Mapping[str, Any]
    manifest_sha256: str


def write_model_folder(
    package: Package, folder: Path, about: Mapping[str, Any] | None = None
) -> PushedFolder:
    """
    Write a package as a model folder.

    Args:
        package: opened.
        folder: made if it isn't there; the package in it may be this version only.
        about: further keys of `MLmodel`: the ids that an MLflow server gave.
    Returns: what was written; the same package gives the same files.
    Raises: PackageError where another version is there already; OSError.
    """
    manifest = package.manifest
    if set(versions(folder / PACKAGE)) - {manifest.packed_version}:
        raise PackageError(f"{folder}: holds another version already", hint="give an empty folder")
    copied = copy_version(package.path, folder / PACKAGE)
    if manifest.registered is not None:
        write_registered(folder / PACKAGE, manifest.registered)
    sha256 = hashlib.sha256((copied.path / MANIFEST).read_bytes()).hexdigest()
    features = RecordSchema(package.features)
    signature = signature_of(manifest, features)
    files = {
        **{f"code/{name}": content for name, content in code_files().items()},
        **_examples(package, features),
        **_environment(manifest),
        MLMODEL: _yaml(_head(manifest, signature, sha256, about or {})),
    }
    (folder / "code").mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    paths = [*(folder / name for name in files), *sorted((folder / PACKAGE).rglob("*"))]
    return PushedFolder(tuple(path for path in paths if path.is_file()), signature, sha256)


def _yaml(value: object) -> bytes:
    return yaml.safe_dump(value, sort_keys=True, allow_unicode=True).encode()


def _head(
    manifest: Manifest, signature: Mapping[str, Any], sha256: str, about: Mapping[str, Any]
) -> dict[str, Any]:
    python = manifest.libraries.get("python", "")
    head: dict[str, Any] = {
        "flavors": {
            "python_function": {
                "loader_module": LOADER,
                "data": PACKAGE,
                "code": "code",
                "env": {"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
                "python_version": python,
            }
        },
        "metadata": {
            METADATA: {
                "package": PACKAGE,
                "name": manifest.name,
                "version": manifest.version,
                "manifest_sha256": sha256,
            }
        },
        "model_uuid": uuid.UUID(sha256[:32]).hex,
        "saved_input_example_info": {
            "artifact_path": "input_example.json",
            "pandas_orient": "split",
            "serving_input_path": "serving_input_example.json",
            "type": "dataframe",
        },
        "signature": dict(signature),
        "utc_time_created": manifest.created.replace("T", " ").removesuffix("Z"),
        **about,
    }
    if (own := _own_version()) is not None:
        head["mlflow_version"] = own
    return head


def _own_version() -> str | None:
    """MLflow's here, if it is."""
    for name in ("mlflow-skinny", "mlflow"):
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return None


def _examples(package: Package, features: RecordSchema) -> dict[str, bytes]:
    """The first golden rows, as a frame of the model's inputs; what is only carried stays out."""
    taken = {feature.path.partition(".")[0] for feature in package.manifest.features}
    columns = [
        (name, field.name) for name, field in input_columns(package.manifest, features) if field.name in taken
    ]
    rows = [
        plain_row(features, read_row(features, write_row(features, event)))
        for event in golden_of(package).events[:_EXAMPLE_ROWS]
    ]
    table = {
        "columns": [name for name, _ in columns],
        "data": [[row[field] for _, field in columns] for row in rows],
    }
    return {
        "input_example.json": json.dumps(table, allow_nan=False).encode(),
        "serving_input_example.json": json.dumps(
            {"dataframe_split": table}, allow_nan=False, indent=2
        ).encode(),
    }


def _environment(manifest: Manifest) -> dict[str, bytes]:
    """The libraries that it was packed with, in their versions, what opens it, and MLflow."""
    python = manifest.libraries.get("python", "")
    needed = {**code_requirements(), "mlflow": "mlflow>=3"}
    if "model.skops" in manifest.files:
        needed["skops"] = "skops"
    pinned = {name: f"{name}=={text}" for name, text in manifest.libraries.items() if name != "python"}
    lines = sorted({**needed, **pinned}.values(), key=str.lower)
    build = ["pip", "setuptools", "wheel"]
    conda = {
        "name": "mlflow-env",
        "channels": ["conda-forge"],
        "dependencies": [f"python={python}", "pip", {"pip": lines}],
    }
    return {
        "requirements.txt": "".join(f"{line}\n" for line in lines).encode(),
        "conda.yaml": _yaml(conda),
        "python_env.yaml": _yaml(
            {"python": python, "build_dependencies": build, "dependencies": ["-r requirements.txt"]}
        ),
    }
