"""A model as people have it on disk: a joblib, pickle or skops file, or a model folder of MLflow."""

from __future__ import annotations

from pathlib import Path

from stream.errors import PackageError
from stream.store.folder import MAX_VERSION_BYTES, MLMODEL
from stream.store.foreign_models import refuse_foreign
from stream.store.mlflow_folder import read_mlflow_folder
from stream.store.pack_request import Brought

__all__ = ["read_model"]


def read_model(path: Path, *, trusted: bool = True) -> Brought:
    """
    Read what is to be packed; nothing of it runs.

    Args:
        path: a file, whose bytes go into the package unchanged, or a model folder of MLflow.
        trusted: whether a folder may bring bare pickles.
    Returns: its content, and what a folder says beside it.
    Raises: PackageError (step `load`) if it can't be read, or is known to be something else.
    """
    if path.is_dir():
        return _read_folder(path, trusted)
    try:
        if path.stat().st_size > MAX_VERSION_BYTES:
            raise PackageError(f"{path}: is larger than {MAX_VERSION_BYTES} bytes", step="load")
        content = path.read_bytes()
    except OSError as error:
        raise PackageError(
            f"{path}: can't be read: {error.strerror}",
            step="load",
            hint="give the path of a .joblib or .skops file",
        ) from error
    refuse_foreign(path, content)
    return Brought(content, "model.skops" if path.suffix == ".skops" else "model.joblib", str(path))


def _read_folder(folder: Path, trusted: bool) -> Brought:
    if (folder / MLMODEL).exists():
        return read_mlflow_folder(folder, trusted=trusted)
    if (folder / "versions").is_dir() or (folder / "manifest.json").exists():
        raise PackageError(f"{folder}: is a model package already", step="load", hint="give it as --model")
    if (folder / "saved_model.pb").exists():
        raise PackageError(
            f"{folder}: is a SavedModel of TensorFlow",
            step="load",
            hint="write a class in a module of yours whose `predict(x)` asks it, and joblib.dump an instance",
        )
    raise PackageError(
        f"{folder}: is a folder without {MLMODEL}, which a model folder of MLflow has",
        step="load",
        hint="give the path of a .joblib or .skops file, or of a model folder of MLflow",
    )
