"""A version's compiled graph, made and proved while packing."""

from __future__ import annotations

from dataclasses import replace

from stream.compiled import MAX_MODEL_BYTES, prove_engine
from stream.manifest import Compilation, Manifest
from stream.scoring import columns_of
from stream.store.assembly import Assembled
from stream.store.manifests import ENGINE_FILE, MODEL_FILES

__all__ = ["with_engine"]


def with_engine(made: Assembled) -> tuple[Manifest, dict[str, bytes]]:
    """
    Compile a model that is about to be written.

    Args:
        made: all else that the version holds.
    Returns: its manifest, which says what came of it, and its files.
    """
    size = next(len(content) for name, content in made.files.items() if name in MODEL_FILES)
    if size > MAX_MODEL_BYTES:
        reason = f"the estimator has {size:,} bytes, at most {MAX_MODEL_BYTES:,} are compiled"
        return replace(made.manifest, compiled=Compilation(reason=reason)), made.files
    columns = columns_of(made.golden.events, made.manifest.features)
    content, compiled = prove_engine(made.model, columns, len(made.golden.events))
    manifest = replace(made.manifest, compiled=compiled)
    return manifest, made.files if content is None else {**made.files, ENGINE_FILE: content}
