"""[model] of a configuration: its package, opened, and who signed it."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

from stream.errors import PackageError, StreamError
from stream.first_opening import Asked, FirstOpening
from stream.resources.model_place import package_folder
from stream.resources.package_trust import trust_of
from stream.settings import ModelSettings, Settings
from stream.store import (
    STEPS,
    Engine,
    Head,
    Package,
    Trust,
    Witness,
    answer,
    import_usual,
    open_package,
    read_vouched_head,
    resolve,
    unwatched,
)

__all__ = ["ask_early", "asked_of", "log_origin", "open_behind_child", "open_configured"]

log = logging.getLogger(__name__)

_WITHOUT = STEPS[-1]
"""The step that a version can do without: its compiled graph."""

_VOUCHED_FOR = STEPS[:2]
"""Passed here before a child begins, which has no keys: what it says of a signature is not worth hearing."""


def open_configured(
    settings: Settings,
    folder: str | None = None,
    *,
    opening: FirstOpening | None = None,
    engine: Engine | None = None,
) -> Package:
    """
    The configuration's model package, opened as its settings ask.

    Args:
        settings: the configuration.
        folder: a version's folder to open in its place; None = the version that [model] uri means now.
        opening: lets a child process open it first, and refuse it; None = it is opened here at once.
        engine: what answers few rows at a time; None = as [model] engine says.
    Raises: PackageError, SettingsError; Retriable when there can be no child process; as `package_folder`.
    Blocks while it is opened.
    """
    place = package_folder(settings) if folder is None else Path(folder)
    model = settings.model if engine is None else replace(settings.model, engine=engine)
    if opening is None:
        return open_package(place, trust=trust_of(model), engine=model.engine)
    return open_behind_child(model, place, opening)


def ask_early(
    settings: Settings,
    place: Path | None,
    opening: FirstOpening,
    *,
    version: int | None = None,
    trust: Trust | None = None,
) -> None:
    """
    Let a child process begin to open a version, while this process imports what it needs besides.

    `open_behind_child` with the same arguments waits for it. Calling this is optional: whatever is wrong with the
    version is found again there, and said.

    Args:
        settings: the configuration.
        place: as `open_behind_child` has it; None for [model] uri.
        opening: as there, and so the rest.
    Raises: SettingsError when a trusted key can't be used; Retriable when there can be no child.
    """
    model = settings.model
    if model.open_timeout is None:
        return
    if opening.copies:
        import_usual()
    trust = trust_of(model) if trust is None else trust
    try:
        head = read_vouched_head(resolve(place or package_folder(settings), version), trust)
    except (StreamError, OSError):
        return
    opening.ask(asked_of(model, head, trust), answer)
    import_usual()


def asked_of(model: ModelSettings, head: Head, trust: Trust) -> Asked:
    """
    What a child process is to open.

    Args:
        model: the table of the configuration, with an `open_timeout`.
        head: of the version.
        trust: that it was vouched for by.
    """
    assert model.open_timeout is not None
    files = sum(entry.size_bytes for entry in head.manifest.files.values())
    memory = model.open_memory + 2 * files
    return Asked(
        str(head.folder), head.sha256, trust.types, trust.max_bytes, memory, model.open_timeout, model.engine
    )


def open_behind_child(
    model: ModelSettings,
    place: Path,
    opening: FirstOpening,
    *,
    version: int | None = None,
    trust: Trust | None = None,
    witness: Witness = unwatched,
) -> Package:
    """
    Open a version here once a child process has opened it: one that ends its process, or hangs, ends the child.

    Args:
        model: the table of the configuration: how long the child may take, and how much memory.
        place: the package's folder, or a version's.
        opening: starts the child, or has done so.
        version: which one; None for the current.
        trust: who may have packed it; None for what the table says.
        witness: called with each step that it has passed here.
    Raises: as `open_package`; Retriable when there can be no child.
    Blocks while both open it.
    """
    trust = trust_of(model) if trust is None else trust
    if model.open_timeout is None:
        return open_package(place, version, trust=trust, witness=witness, engine=model.engine)
    try:
        return _behind_child(model, place, opening, version, trust, witness)
    except PackageError as error:
        if error.step != _WITHOUT or model.engine == "sklearn":
            raise
        # The estimator itself has answered there: it is the graph that ends a process.
        package = _behind_child(replace(model, engine="sklearn"), place, opening, version, trust, unwatched)
        answers = f"sklearn (with its compiled graph, {error.message})"
        witness(_WITHOUT, answers)
        return replace(package, engine=answers)


def _behind_child(
    model: ModelSettings,
    place: Path,
    opening: FirstOpening,
    version: int | None,
    trust: Trust,
    witness: Witness,
) -> Package:
    def first(head: Head) -> None:
        if opening.copies:
            import_usual()
        opening.check(asked_of(model, head, trust), answer, told)

    def told(step: str, found: str) -> None:
        if step not in _VOUCHED_FOR:
            witness(step, found)

    return open_package(place, version, trust=trust, witness=witness, first=first, engine=model.engine)


def log_origin(package: Package, model: ModelSettings) -> None:
    """
    Log what an operator should know of a package that is about to serve: its notes, and who signed it.

    Args:
        package: just opened.
        model: the table of the configuration.
    """
    for note in package.notes:
        log.warning("model package %s: %s", package.manifest.model, note)
    if (found := package.manifest.registered) is not None:
        log.info("%s is %s, packed as %s", package.manifest.model, found.uri, found.packed)
    log.info("%s: few rows at a time are answered by %s", package.manifest.model, package.engine)
    if package.signer is not None:
        log.info("%s is signed by %s", package.manifest.model, package.signer.fingerprint)
    elif not model.trusted_keys:
        log.info("no signature is checked: the package's hashes prove its integrity, not its origin")
