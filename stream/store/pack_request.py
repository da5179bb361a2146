"""What is to be packed: what somebody brings, and how it is to become a version."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stream.files import Sample
from stream.manifest import Manifest
from stream.scoring import Estimator
from stream.store.signature import SigningKey

__all__ = ["Brought", "PackRequest", "Tell"]

Tell = Callable[[str], None]
"""Called with what is about to be done, for people."""


@dataclass(frozen=True, slots=True)
class PackRequest:
    """
    What to pack beside the estimator, and where.

    Attributes:
        name: the model's name.
        out: the package's folder; None for `models/NAME`.
        vector: the array field that holds all of the model's columns.
        columns: the model's columns in its order, for one that doesn't say their names: original or Avro names,
            dotted paths.
        carry: event fields copied into each prediction: original or Avro names, dotted paths.
        probabilities: publish every class's probability.
        allow_difference: pack it even if the sample shows that published answers differ from the estimator's own.
        metrics: training metrics for the manifest.
        signer: signs the version as it is written; an existing version can't be signed.
        types: full names of types that a `.skops` file may hold beside scikit-learn's own.
        version: the number that it gets; None for the next.
        attach: further files of the version, by plain name, from its manifest (without the files): a model card,
            say. They are hashed, and signed, as all others; nothing that scores reads them.
    """

    name: str
    out: Path | None = None
    vector: str | None = None
    columns: tuple[str, ...] = ()
    carry: tuple[str, ...] = ()
    probabilities: bool = False
    allow_difference: bool = False
    metrics: Mapping[str, float | int | str] = field(default_factory=dict)
    signer: SigningKey | None = None
    types: tuple[str, ...] = ()
    version: int | None = None
    attach: Callable[[Manifest], Mapping[str, bytes]] | None = None

    @property
    def folder(self) -> Path:
        """The package's folder."""
        return self.out or Path("models") / self.name


@dataclass(frozen=True, slots=True)
class Brought:
    """
    A model as somebody brings it, and what its events look like.

    Attributes:
        content: the estimator's file.
        file: its name in the version.
        origin: what messages call it.
        own: the estimator as its owner holds it; None where the file is all there is.
        schema: the events' Avro schema; None to infer it from the sample.
        sample: rows such as the events will be.
        fitted: versions of libraries that fitted it, as whoever saved it has them.
        columns: the model's inputs in its order, as whoever saved it has them; they count where it has no names.
        vector: the array field that holds all of its columns, as whoever saved it has them; it counts likewise.
        pickled: whether the file was a pickle already when somebody brought it, which runs code when it is opened.
        notes: what is to be said of it, a sentence each.
    """

    content: bytes
    file: str
    origin: str
    own: Estimator | None = None
    schema: str | None = None
    sample: Sample | None = None
    fitted: Mapping[str, str] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    vector: str | None = None
    pickled: bool = False
    notes: tuple[str, ...] = ()
