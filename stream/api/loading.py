"""Opening a package from Python, and whose signature it must have."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from stream.api.loaded_model import Model
from stream.errors import PackageError, SettingsError
from stream.mlflow import is_uri, package_in, place_of
from stream.settings import Settings
from stream.store import PublicKey, Trust, open_package
from stream.text_files import read_text_file

__all__ = ["Trusted", "load", "local_path", "path_from"]

log = logging.getLogger(__name__)

Trusted: TypeAlias = "Trust | str | Path | Sequence[str | Path] | None"
"""Public keys in PEM: a file, the text itself, or several of them."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")


def load(path_or_uri: str | Path, version: int | None = None, trust: Trusted = None) -> Model:
    """
    Open a model package.

    Unpickling a model runs code: nothing of it is run before every hash, and the signature where keys are given, was
    checked; then its golden rows must score as they did when it was packed.

    Args:
        path_or_uri: the package's folder, one of its `versions/N`, or a model folder of MLflow that holds one; or a URI
            of MLflow: `models:/NAME@ALIAS`, `models:/NAME/VERSION`, `runs:/ID/PATH`, of the server that
            MLFLOW_TRACKING_URI names.
        version: which one; None for the current. A URI says it itself.
        trust: who may have packed it: one or several ed25519 public keys (PEM), as a file's path or as text; a
            version that none of them signed is refused. None for anybody.
    Returns: the model, ready to be asked.
    Raises: PackageError with the step that failed; SettingsError when a key can't be used, or the server has no such
        model; Retriable when the server does not answer, BrokerRefused when it refuses; TypeError for what is no path.
    """
    trusted = _trust(trust)
    package = open_package(local_path(path_or_uri, version, trusted), version, trust=trusted, engine="auto")
    for note in package.notes:
        log.warning("model package %s: %s", package.manifest.model, note)
    return Model(package)


def local_path(path_or_uri: str | Path, version: int | None = None, trust: Trust | None = None) -> Path:
    """
    The folder that is meant; a model of MLflow is copied to this machine.

    Args: as `load` has them.
    Raises: PackageError for another address that is not on this machine; SettingsError for a version beside a URI.
    """
    if is_uri(path_or_uri):
        if version is not None:
            raise SettingsError(
                f"{path_or_uri}: a URI names the version itself",
                hint="leave version out, or write models:/NAME/VERSION",
            )
        return place_of(path_or_uri, Settings(), trust or Trust())
    scheme = _SCHEME.match(path_or_uri) if isinstance(path_or_uri, str) else None
    if scheme is None:
        return package_in(path_from(path_or_uri, "the package"), Settings(), trust or Trust())
    hint = "copy the package here and give its folder"
    raise PackageError(f"{path_or_uri}: expected a folder of this machine", hint=hint)


def path_from(given: object, what: str) -> Path:
    """Raises: TypeError naming what was to be given, for anything but a path."""
    if isinstance(given, str | os.PathLike):
        return Path(given)
    found = "None" if given is None else type(given).__name__
    raise TypeError(f"{what}: expected a path (str or pathlib.Path), found {found}")


def _trust(trust: Trusted) -> Trust | None:
    if trust is None or isinstance(trust, Trust):
        return trust
    given: list[object] = list(trust) if isinstance(trust, list | tuple) else [trust]
    if not given:
        raise SettingsError(
            "trust: no key is given", hint="give public keys, or leave trust out to trust anybody"
        )
    return Trust(tuple(_key(one, f"trust[{i}]") for i, one in enumerate(given)), require=True)


def _key(given: object, place: str) -> PublicKey:
    if isinstance(given, str) and "-----BEGIN" in given:
        return PublicKey.read(given, place)
    name, hint = f"{place} {given}", "give the public key's file, or its text"
    return PublicKey.read(read_text_file(path_from(given, place), SettingsError, hint, name), name)
