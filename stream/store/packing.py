"""An estimator, and what its events look like → a new version of a package."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from stream.codec import RecordSchema
from stream.errors import PackageError, SchemaError
from stream.files import Sample, events_of, infer_schema, sample_of
from stream.manifest import Manifest
from stream.scoring import Estimator, Model, columns_of, known_texts, prediction_schema, profile
from stream.store.artefact import dump_estimator, load_estimator
from stream.store.folder import MAX_FILE_BYTES, next_version
from stream.store.golden import MAX_ROWS, choose_golden, spread, through_avro, write_golden
from stream.store.libraries import library_versions, modules_of
from stream.store.manifests import NAME
from stream.store.mapping import FeatureMapping, map_features
from stream.store.opening import Package
from stream.store.pandas_check import compare_with_pandas
from stream.store.probe import learn_answers
from stream.store.projection import carried_paths, carried_types, project
from stream.store.publishing import publish_version
from stream.store.signature import SigningKey
from stream.store.synthesis import synthesise

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["PackRequest", "Packed", "pack", "pack_estimator_file"]

_PROBE_ROWS = 2_000
"""Rows of a sample on which label and score are compared; a worker's usual batch."""


@dataclass(frozen=True, slots=True)
class PackRequest:
    """
    What to pack beside the estimator, and where.

    Attributes:
        name: the model's name.
        out: the package's folder; None for `models/NAME`.
        vector: the array field that holds all of the model's columns.
        carry: event fields copied into each prediction: original or Avro names, dotted paths.
        probabilities: publish every class's probability.
        metrics: training metrics for the manifest.
        signer: signs the version as it is written; an existing version can't be signed.
        types: full names of types that a `.skops` file may hold beside scikit-learn's own.
        attach: further files of the version, by plain name, from its manifest (without the files): a model card,
            say. They are hashed, and signed, as all others; nothing that scores reads them.
    """

    name: str
    out: Path | None = None
    vector: str | None = None
    carry: tuple[str, ...] = ()
    probabilities: bool = False
    metrics: Mapping[str, float | int | str] = field(default_factory=dict)
    signer: SigningKey | None = None
    types: tuple[str, ...] = ()
    attach: Callable[[Manifest], Mapping[str, bytes]] | None = None

    @property
    def folder(self) -> Path:
        """The package's folder."""
        return self.out or Path("models") / self.name


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


def pack_estimator_file(
    path: Path, request: PackRequest, *, schema: str | None = None, sample: Sample | None = None
) -> Packed:
    """
    Pack an estimator file; its bytes go into the package unchanged.

    Args:
        path: `.joblib` (or another pickle that joblib reads) or `.skops`. A pickle runs code: it must be trusted.
        request: what else to pack, and where.
        schema: the events' Avro schema.
        sample: rows of it; at least one of the two.
    Returns: the new version.
    Raises: as `pack`; PackageError (step `load`) if the file can't be read or loaded.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise PackageError(f"{path}: is larger than {MAX_FILE_BYTES} bytes", step="load")
        content = path.read_bytes()
    except OSError as error:
        raise PackageError(
            f"{path}: can't be read: {error.strerror}",
            step="load",
            hint="give the path of a .joblib or .skops file",
        ) from error
    file = "model.skops" if path.suffix == ".skops" else "model.joblib"
    return _pack(content, file, request, schema, sample, str(path))


def pack(
    estimator: object,
    request: PackRequest,
    *,
    schema: str | None = None,
    sample: Sample | pd.DataFrame | pa.Table | None = None,
) -> Packed:
    """
    Pack a fitted estimator: the next version of a package, made current.

    Args:
        estimator: anything with `predict` that can be pickled.
        request: what else to pack, and where.
        schema: the events' Avro schema; None to infer it from the sample.
        sample: rows such as the events will be; None to make up golden rows from the schema. Columns that are
            neither features nor carried are left out.
    Returns: the new version, opened as a worker would.
    Raises: PackageError, SchemaError or SampleError naming what doesn't fit; nothing was written then. OSError as
        the disk has it; `current` is then as it was.
    """
    known = sample if isinstance(sample, Sample) or sample is None else sample_of(sample)
    return _pack(dump_estimator(estimator), "model.joblib", request, schema, known)


def _pack(  # what is packed, and what it is called in messages
    content: bytes,
    file: str,
    request: PackRequest,
    schema: str | None,
    sample: Sample | None,
    origin: str = "",
) -> Packed:
    """1 the estimator, from its bytes; 2 schema; 3 features; 4 rows; 5 answers; 6 golden rows; 7 the files."""
    if not NAME.match(request.name):
        raise PackageError(
            f"--name {request.name!r}: expected letters, digits, dot, dash and underscore, at most 100",
            step="manifest",
            hint="choose such a name",
        )
    estimator = load_estimator(content, origin or file, request.types)  # 1
    about = profile(estimator)
    texts = known_texts(estimator, about.names or ())
    text, messages = _schema(texts.keys(), request, schema, sample)  # 2
    events = RecordSchema(text)
    request = replace(request, carry=_carried(events, request.carry))
    mapping = map_features(estimator, about, events, request.vector, request.carry)  # 3
    features = project(events, [*(feature.path for feature in mapping.features), *request.carry])
    messages += _left_out(events, RecordSchema(features), sample)
    rows = _rows(texts, mapping, RecordSchema(features), sample)  # 4
    columns = columns_of(rows, mapping.features)
    draft = _draft(request, mapping, estimator)
    manifest = learn_answers(estimator, about, draft, columns, len(rows))  # 5
    model = Model(estimator, manifest)
    answered = [rows[i] for i in model.score(columns, len(rows)).rows]
    golden = choose_golden(model, spread(answered, MAX_ROWS))  # 6
    namespace, _, name = events.name.rpartition(".")
    types = carried_types(events, request.carry)
    prediction = prediction_schema(manifest, types, name=f"{name}Prediction", namespace=namespace)
    files = {
        file: content,
        "features.avsc": features.encode(),
        "prediction.avsc": prediction.encode(),
        "golden.avro": write_golden(golden, features, manifest),
    }
    if request.attach is not None:
        files = {**request.attach(manifest), **files}
    messages += _about_answers(manifest, len(golden.events), made_up=sample is None)
    messages += compare_with_pandas(estimator, manifest, rows)
    package = publish_version(request.folder, manifest, files, request.signer, request.types)  # 7
    return Packed(package, tuple(messages))


def _schema(
    texts: Collection[str], request: PackRequest, schema: str | None, sample: Sample | None
) -> tuple[str, list[str]]:
    """The events' schema as given, or as the sample has it."""
    if schema is not None:
        return schema, []
    if sample is None:
        raise PackageError(
            "neither a schema nor a sample is given", step="manifest", hint="give --schema or --sample"
        )
    inferred = infer_schema(sample, request.name, texts=texts)
    return inferred.text, [*inferred.findings]


def _carried(events: RecordSchema, carry: Sequence[str]) -> tuple[str, ...]:
    try:
        return carried_paths(events, carry)
    except SchemaError as error:
        raise PackageError(
            f"--carry {','.join(carry)}: {error.message}", step="manifest", hint=error.hint
        ) from error


def _left_out(events: RecordSchema, features: RecordSchema, sample: Sample | None) -> list[str]:
    names = [name for name in events.fields if name not in features.fields]
    if not names:
        return []
    what = "columns of the sample" if sample is not None else "fields of the schema"
    return [
        f"left out, since the model doesn't take them and nothing carries them: {what} {', '.join(names)}"
    ]


def _rows(
    texts: Mapping[str, tuple[str, ...]],
    mapping: FeatureMapping,
    features: RecordSchema,
    sample: Sample | None,
) -> list[dict[str, object]]:
    """Rows as a decoder would give them: the sample's, or made up."""
    if sample is not None:
        rows = spread(list(events_of(sample, features)), _PROBE_ROWS)
        if not rows:
            raise PackageError(f"{sample.name}: has no rows", step="golden", hint="give a sample with rows")
    else:
        by_path = {item.path: texts[item.name] for item in mapping.features if texts.get(item.name)}
        rows = synthesise(features, MAX_ROWS, by_path, mapping.width)
    return through_avro(rows, features)


def _draft(request: PackRequest, mapping: FeatureMapping, estimator: Estimator) -> Manifest:
    return Manifest(
        name=request.name,
        version=next_version(request.folder),
        created=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        task="other",
        inputs=mapping.inputs,
        features=mapping.features,
        width=mapping.width,
        carry=request.carry,
        probabilities=request.probabilities,
        libraries=library_versions(modules_of(estimator)),
        metrics={name: _in_json(value) for name, value in request.metrics.items()},
    )


def _in_json(value: float | int | str) -> float | int | str:
    """JSON has no NaN or infinity: such a metric is written as text."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _about_answers(manifest: Manifest, golden: int, *, made_up: bool) -> list[str]:
    answer = f"{manifest.task}, {manifest.answer}"
    if manifest.classes is not None:
        answer += f", classes {', '.join(map(str, manifest.classes[:10]))}"
    source = "made up from the schema; give --sample for real ones" if made_up else "from the sample"
    return [
        f"the model answers: {answer}; score: {manifest.score_meaning or 'none'}",
        f"{golden} golden rows ({source})",
    ]
