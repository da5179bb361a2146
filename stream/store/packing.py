"""An estimator, and what its events look like → a new version of a package."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from stream.errors import PackageError
from stream.files import Sample, sample_of
from stream.scoring import Estimator, default_settings
from stream.store.artefact import dump_estimator
from stream.store.assembly import assemble
from stream.store.engine_file import with_engine
from stream.store.model_file import read_model
from stream.store.opening import Package
from stream.store.pack_request import Brought, PackRequest, Tell
from stream.store.publishing import publish_version

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["Packed", "pack", "pack_estimator_file", "rehearse"]


@dataclass(frozen=True, slots=True)
class Packed:
    """
    A version that was written and opened again.

    Attributes:
        package: as a worker will open it.
        messages: what was inferred, chosen or left out, a sentence each.
    """

    package: Package
    messages: tuple[str, ...]


def _quietly(step: str) -> None:
    """Nobody is told."""


def pack_estimator_file(
    path: Path,
    request: PackRequest,
    *,
    schema: str | None = None,
    sample: Sample | None = None,
    tell: Tell = _quietly,
    trusted: bool = True,
) -> Packed:
    """
    Pack an estimator file, whose bytes go into the package unchanged, or a model folder of MLflow.

    Args:
        path: `.joblib` (or another pickle that joblib reads), `.skops`, or the folder. A pickle runs code: it must
            be trusted.
        request: what else to pack, and where.
        schema: the events' Avro schema.
        sample: rows of it; at least one of the two, unless the folder has a signature or an input example.
        tell: called with each step.
        trusted: whether a folder may bring bare pickles; a file is what its caller makes of it.
    Returns: the new version.
    Raises: as `pack`; PackageError (step `load`) if the file can't be read or loaded.
    """
    tell(f"reading {path}")
    brought = read_model(path, trusted=trusted)
    if schema is not None or sample is not None:
        rows = brought.sample if sample is None else sample
        brought = replace(brought, schema=schema, sample=rows, vector=None)
    elif brought.schema is None and brought.sample is None and path.is_dir():
        raise PackageError(
            f"{path}: has neither a signature nor an input example that says what events look like"
            f"{''.join(f'; {note}' for note in brought.notes)}",
            step="manifest",
            hint="log it with an input example, or give `stream pack FOLDER` a --sample or --schema",
        )
    return _pack(brought, request, tell)


def pack(
    estimator: object,
    request: PackRequest,
    *,
    schema: str | None = None,
    sample: Sample | pd.DataFrame | pa.Table | None = None,
    tell: Tell = _quietly,
) -> Packed:
    """
    Pack a fitted estimator: the next version of a package, made current.

    Args:
        estimator: anything with `predict` that can be pickled.
        request: what else to pack, and where.
        schema: the events' Avro schema; None to infer it from the sample.
        sample: rows such as the events will be; None to make up golden rows from the schema. Columns that are
            neither features nor carried are left out.
        tell: called with each step.
    Returns: the new version, opened as a worker would.
    Raises: PackageError, SchemaError or SampleError naming what doesn't fit, or the rows on which the estimator's own
        answers differ from what would be published; nothing was written then. OSError as the disk has it; `current`
        is then as it was.
    """
    return _pack(_held(estimator, schema, sample), request, tell)


def rehearse(
    estimator: object,
    request: PackRequest,
    *,
    schema: str | None = None,
    sample: Sample | pd.DataFrame | pa.Table,
) -> tuple[str, ...]:
    """
    Do all that `pack` does but write: find out before a long training whether its model can be packed.

    Args: as for `pack`.
    Returns: the messages of `pack`.
    Raises: as `pack`, but for OSError.
    """
    with default_settings():
        return assemble(_held(estimator, schema, sample), request, _quietly).messages


def _held(estimator: object, schema: str | None, sample: Sample | pd.DataFrame | pa.Table | None) -> Brought:
    known = sample if isinstance(sample, Sample) or sample is None else sample_of(sample)
    content = dump_estimator(estimator)
    own: Estimator = estimator  # type: ignore[assignment]  # loading it again checks that it has `predict`
    return Brought(content, "model.joblib", "model.joblib", own, schema, known)


def _pack(brought: Brought, request: PackRequest, tell: Tell) -> Packed:
    with default_settings():
        made = assemble(brought, request, tell)
        tell("compiling it for few rows at a time")
        manifest, files = with_engine(made)
    tell("writing the package, and opening it again")
    package = publish_version(request.folder, manifest, files, request.signer, request.types)
    return Packed(package, (*made.messages, f"{manifest.compiled}"))
