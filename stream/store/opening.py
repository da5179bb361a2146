"""Opening a package: nothing of it runs before its bytes are known to be those that were packed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stream.codec import RecordSchema
from stream.errors import PackageError, SchemaError
from stream.manifest import Manifest
from stream.scoring import Model
from stream.store.artefact import load_estimator
from stream.store.folder import MANIFEST, read_plain, resolve
from stream.store.golden import check_golden, read_golden
from stream.store.libraries import differences
from stream.store.manifests import MODEL_FILES, read_manifest
from stream.store.mapping import avro_of, kind_of

__all__ = ["Package", "open_package", "open_version"]


@dataclass(frozen=True, slots=True)
class Package:
    """
    A version that was opened.

    Attributes:
        path: the version's folder.
        manifest: what it says of itself.
        model: ready to score.
        features: `features.avsc`: what an event must hold.
        prediction: `prediction.avsc`: what is published.
        notes: what is worth saying, such as library versions that differ from those at pack time.
    """

    path: Path
    manifest: Manifest
    model: Model
    features: str
    prediction: str
    notes: tuple[str, ...] = ()


def open_package(path: Path | str, version: int | None = None) -> Package:
    """
    Open a version of a package, in the contract's order.

    Args:
        path: the package's folder, one of its `versions/N`, or a link to either.
        version: which one; None for the current.
    Returns: the opened version.
    Raises: PackageError with the step that failed; before the step `load` none of the package's code has run.
    """
    return open_version(resolve(Path(path), version))


def open_version(folder: Path) -> Package:
    """
    1 the manifest is valid, 2 every file has the bytes that it names, 3 they are unpickled from the very bytes
    that were hashed, 4 the golden rows score the same.

    Args:
        folder: of a version; its name is the version's number, but for a hidden one that is being written.
    Returns: the opened version.
    Raises: PackageError with the step that failed.
    """
    manifest = read_manifest(_read_manifest(folder), str(folder / MANIFEST))  # 1
    if folder.name.isdecimal() and int(folder.name) != manifest.version:
        raise PackageError(
            f"{folder}: its manifest speaks of version {manifest.version}",
            step="manifest",
            mend="put the version back where it was packed",
        )
    files = _read_files(folder, manifest)  # 2; a signature, when there are keys, is checked after this
    features, prediction = _schemas(folder, manifest, files)
    name = next(name for name in MODEL_FILES if name in files)
    model = Model(load_estimator(files[name], name), manifest)  # 3
    check_golden(model, read_golden(files["golden.avro"]))  # 4
    return Package(folder, manifest, model, features, prediction, differences(manifest.libraries))


def _read_manifest(folder: Path) -> bytes:
    try:
        return read_plain(folder, MANIFEST)
    except PackageError as error:
        raise PackageError(error.message, step="manifest", mend=error.mend) from error


def _read_files(folder: Path, manifest: Manifest) -> dict[str, bytes]:
    """Every file, read once into memory and hashed there."""
    files: dict[str, bytes] = {}
    for name, entry in manifest.files.items():
        content = read_plain(folder, name, entry.size_bytes)
        found = hashlib.sha256(content).hexdigest()
        if found != entry.sha256:
            raise PackageError(
                f"{folder / name}: its sha256 is {found}, the manifest says {entry.sha256}",
                step="hash",
                mend="copy the version again from where it was packed; if nobody changed it, ask who did",
            )
        files[name] = content
    return files


def _schemas(folder: Path, manifest: Manifest, files: Mapping[str, bytes]) -> tuple[str, str]:
    """Both schemas, which must hold what the manifest speaks of."""
    texts: list[str] = []
    for name in ("features.avsc", "prediction.avsc"):
        try:
            texts.append(files[name].decode("utf-8"))
            schema = RecordSchema(texts[-1])
            if name == "features.avsc":
                _check_features(schema, manifest, str(folder / name))
        except (SchemaError, UnicodeDecodeError) as error:
            raise PackageError(
                f"{folder / name}: {error}", step="manifest", mend="pack the model again"
            ) from error
    return texts[0], texts[1]


def _check_features(schema: RecordSchema, manifest: Manifest, place: str) -> None:
    """The types of the columns that will be decoded are those that the model's input is built from."""
    for path in manifest.carry:
        schema.leaf(path)
    for feature in manifest.features:
        leaf = schema.leaf(feature.path)
        found, kind = (avro_of(leaf), leaf.nullable), kind_of(feature.avro)
        if found != (feature.avro, feature.nullable) or kind != feature.kind:
            raise PackageError(
                f"{place}: field {feature.path!r} is {found[0]} ({'nullable' if found[1] else 'never null'}), the "
                f"manifest says {feature.avro} ({'nullable' if feature.nullable else 'never null'}) as {feature.kind}",
                step="manifest",
                mend="pack the model again",
            )
