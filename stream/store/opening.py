"""Opening a package: none of its code runs before its bytes are known to be those that were packed."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from stream.codec import RecordSchema
from stream.errors import PackageError
from stream.manifest import Manifest
from stream.scoring import Model
from stream.shown import shown
from stream.store.artefact import load_estimator
from stream.store.engine_choice import Engine, choose_engine
from stream.store.folder import MANIFEST, SIGNATURE, other_files, resolve
from stream.store.golden import Golden, check_golden, read_golden
from stream.store.libraries import differences
from stream.store.manifests import ENGINE_FILE, EVENTS_FILE, MODEL_FILES, REQUIRED_FILES
from stream.store.package_schemas import read_schemas
from stream.store.plain_files import hash_plain
from stream.store.trust import Trust, check_signature, check_total
from stream.store.version_files import check_hash, read_file, read_head

if TYPE_CHECKING:
    from stream.store.signature import PublicKey

__all__ = [
    "STEPS",
    "Head",
    "Package",
    "Witness",
    "events_of",
    "golden_of",
    "open_package",
    "read_vouched_head",
    "unwatched",
]

STEPS = ("manifest", "signature", "hash", "load", "golden", "engine")
"""What a version goes through, in this order; a refusal names the one that failed."""

Witness: TypeAlias = Callable[[str, str], None]
"""Called with each step that a version has passed, and what was found."""

_RESTS_ON_LIBRARIES = ("load", "golden")
"""Steps that fail when the libraries here are not those that the model was packed with."""


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
        signer: the trusted key that vouches for it; None where none does, or none is trusted.
        golden_s: how long its golden rows took, all at once, in seconds.
        engine: what answers for few rows, and why, as a phrase.
    """

    path: Path
    manifest: Manifest
    model: Model
    features: str
    prediction: str
    notes: tuple[str, ...] = ()
    signer: PublicKey | None = None
    golden_s: float = 0.0
    engine: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """
    What a version says of itself, vouched for as far as that is asked.

    Attributes:
        folder: of the version.
        sha256: of its manifest.
        manifest: what it says.
        signer: the trusted key that vouches for it; None where none does, or none is trusted.
    """

    folder: Path
    sha256: str
    manifest: Manifest
    signer: PublicKey | None


def unwatched(step: str, found: str) -> None:
    """Nobody watches."""


First: TypeAlias = Callable[[Head], None]
"""Called with a version that is vouched for, before any other file of it is read. Raises: PackageError."""


def _nothing_first(head: Head) -> None:
    """It is opened here at once."""


def open_package(
    path: Path | str,
    version: int | None = None,
    *,
    trust: Trust | None = None,
    witness: Witness = unwatched,
    sha256: str | None = None,
    first: First = _nothing_first,
    engine: Engine = "sklearn",
) -> Package:
    """
    Open a version of a package, in the contract's order.

    1. The manifest is valid.
    2. Somebody who is trusted vouches for the manifest, and so for every file, if anybody is trusted. Until then
       nothing but the manifest and its signature is read.
    3. Every file has the bytes that it names.
    4. The model is unpickled, from the very bytes that were hashed.
    5. The golden rows score the same.
    6. The model takes up its compiled graph, if that is wanted and answers them as the estimator does.

    Args:
        path: the package's folder, one of its `versions/N`, or a link to either.
        version: which one; None for the current.
        trust: who may have packed it; None for anybody.
        witness: called with each step that it has passed.
        sha256: of the manifest that is meant; None for whichever is there.
        first: called with what is vouched for, before any other file is read; may refuse.
        engine: `auto` where few rows at a time will be asked about.
    Returns: the opened version.
    Raises: PackageError with the step that failed; before the step `load` none of the package's code has run.
    """
    trust = trust or Trust()
    head = read_vouched_head(resolve(Path(path), version), trust, witness, sha256)
    first(head)
    return _open(head, trust, witness, engine)


def read_vouched_head(
    folder: Path, trust: Trust, witness: Witness = unwatched, sha256: str | None = None
) -> Head:
    """
    The first two steps of `open_package`: the manifest, and who vouches for it.

    Args:
        folder: of the version.
        trust: as `open_package` has it, and so the rest.
    Raises: PackageError with the step that failed.
    """
    content, manifest = read_head(folder)  # 1
    found = hashlib.sha256(content).hexdigest()
    if sha256 not in (None, found):
        raise PackageError(
            f"{folder / MANIFEST}: has changed since it was checked",
            step="manifest",
            hint="find out who writes to the package: a version never changes",
        )
    check_total(str(folder / MANIFEST), manifest, trust)
    witness("manifest", f"{manifest.model}, {len(manifest.features)} features, packed {manifest.created}")
    signer = check_signature(folder, content, trust)  # 2
    witness("signature", _about_signature(signer, trust))
    return Head(folder, found, manifest, signer)


def _open(head: Head, trust: Trust, witness: Witness, engine: Engine) -> Package:
    folder, manifest, signer = head.folder, head.manifest, head.signer
    files = _files(folder, manifest, engine)  # 3
    sizes = [entry.size_bytes for entry in manifest.files.values()]
    witness("hash", f"{len(sizes)} files, {sum(sizes):,} bytes")
    features, prediction = read_schemas(folder, manifest, files)
    differ = differences(manifest.libraries, manifest.fitted)
    try:
        model, golden, golden_s = _load(files, manifest, trust, witness)  # 4 and 5
    except PackageError as error:
        if error.step not in _RESTS_ON_LIBRARIES or not differ:
            raise
        raise PackageError(
            f"{error.message}; {'; '.join(differ)}", step=error.step, hint=error.hint
        ) from error
    answers = choose_engine(model, golden, files.get(ENGINE_FILE), engine)  # 6
    witness("engine", answers)
    notes = tuple(map(shown, (*_unsigned(signer, trust), *_unnamed_files(folder, manifest), *differ)))
    return Package(folder, manifest, model, features, prediction, notes, signer, golden_s, shown(answers))


def _files(folder: Path, manifest: Manifest, engine: Engine) -> dict[str, bytes]:
    """What opening needs, the model last; the other files, such as a card, are hashed and not kept."""
    graph = (ENGINE_FILE,) if engine == "auto" else ()
    wanted = (*REQUIRED_FILES, EVENTS_FILE, *graph, *MODEL_FILES)
    needed = [name for name in wanted if name in manifest.files]
    for name in manifest.files.keys() - needed:
        check_hash(folder, manifest, name, hash_plain(folder, name, manifest.files[name].size_bytes))
    return {name: read_file(folder, manifest, name) for name in needed}


def _load(
    files: Mapping[str, bytes], manifest: Manifest, trust: Trust, witness: Witness
) -> tuple[Model, Golden, float]:
    """The model, its golden rows, and how many seconds they took."""
    name = next(name for name in MODEL_FILES if name in files)
    estimator = load_estimator(files[name], name, trust.types)
    witness("load", f"{type(estimator).__name__} from {name}")
    model = Model(estimator, manifest)
    golden = read_golden(files["golden.avro"])
    began = time.perf_counter()
    check_golden(model, golden)
    witness("golden", f"{len(golden.events)} rows score as they did when packed")
    return model, golden, time.perf_counter() - began


def _about_signature(signer: PublicKey | None, trust: Trust) -> str:
    if signer is not None:
        return f"by {signer.fingerprint}"
    return "none, and none is required" if trust.keys else "not checked: no key is trusted"


def _unsigned(signer: PublicKey | None, trust: Trust) -> list[str]:
    if signer is not None or not trust.keys:
        return []
    return ["it is not signed; none of the trusted keys vouches for where it is from"]


def _unnamed_files(folder: Path, manifest: Manifest) -> list[str]:
    """Nothing that the manifest doesn't name is read: it can do no harm, but somebody put it there."""
    names = other_files(folder, {*manifest.files, MANIFEST, SIGNATURE})
    return [f"ignored, since the manifest doesn't name them: {', '.join(map(repr, names))}"] if names else []


def events_of(package: Package) -> RecordSchema | None:
    """
    The schema of events that an opened version was packed with.

    Raises: PackageError (step `hash`) if it has changed since.
    """
    if EVENTS_FILE not in package.manifest.files:
        return None
    return RecordSchema(read_file(package.path, package.manifest, EVENTS_FILE).decode())


def golden_of(package: Package) -> Golden:
    """The golden rows of an opened version. Raises: PackageError (step `hash`) if they have changed since."""
    return read_golden(read_file(package.path, package.manifest, "golden.avro"))
