"""
A package that is a copy of a registered version: beside `current` it says what the registry calls that version.

    flights@7/current            3
    flights@7/versions/3/        as it was packed, byte for byte
    flights@7/registered.json    {"name": "flights", "version": 7, …}

Read with this file, the version is called `flights@7` everywhere. The file is not signed: a signature says who packed
the version, the registry what it is called.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

from stream.durable import written_whole
from stream.errors import PackageError
from stream.manifest import Manifest, Registered
from stream.store.plain_files import read_plain

__all__ = ["REGISTERED", "as_registered", "registered_content", "registered_of", "write_registered"]

REGISTERED = "registered.json"


def registered_of(package: Path) -> Registered | None:
    """
    What a registry calls the one version of a package.

    Args:
        package: its folder.
    Returns: None where it is no copy from a registry.
    Raises: PackageError (step `manifest`) when the file can't be read.
    """
    if not (package / REGISTERED).exists():
        return None
    content = read_plain(package, REGISTERED, step="manifest")
    try:
        found = json.loads(content)
        name, version, uri = found["name"], found["version"], found["uri"]
        run_id, packed = found.get("run_id", ""), found.get("packed", "")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _refusal(package, type(error).__name__) from error
    texts = all(isinstance(each, str) for each in (name, uri, run_id, packed))
    if not texts or not name or type(version) is not int or version < 1:
        raise _refusal(package, "a name, a version and a URI are expected")
    return Registered(name, version, uri, run_id, packed)


def as_registered(folder: Path, manifest: Manifest) -> Manifest:
    """A version's manifest, under the name and number that a registry gave it, where its package is a copy from one."""
    found = registered_of(folder.parent.parent) if folder.parent.name == "versions" else None
    if found is None:
        return manifest
    found = replace(found, packed=manifest.model)
    return replace(manifest, name=found.name, version=found.version, registered=found)


def write_registered(package: Path, registered: Registered) -> None:
    """Say of a package's folder what a registry calls its version. Raises: OSError as the disk has it."""
    with written_whole(package / REGISTERED) as file:
        file.write(registered_content(registered))


def registered_content(registered: Registered) -> bytes:
    """The content of the file `REGISTERED`."""
    return (json.dumps(asdict(registered), indent=2) + "\n").encode()


def _refusal(package: Path, why: str) -> PackageError:
    return PackageError(
        f"{package / REGISTERED}: does not say what a registry calls the version: {why}",
        step="manifest",
        hint="remove the folder: it is copied again when it is needed",
    )
