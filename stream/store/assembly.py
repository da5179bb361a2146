"""What somebody brings → all that a version holds: mapped, asked, proved, and not yet written."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pyarrow as pa

from stream.codec import RecordSchema
from stream.errors import PackageError, SchemaError
from stream.files import Sample, events_of, infer_schema
from stream.manifest import Manifest, Proof
from stream.scoring import Estimator, Model, columns_of, known_texts, prediction_schema, profile
from stream.store.artefact import load_estimator
from stream.store.column_choice import Owner, choose_types
from stream.store.doubtful_names import prove_names
from stream.store.folder import next_version
from stream.store.golden import MAX_ROWS, choose_golden, places, spread, through_avro, write_golden
from stream.store.libraries import fitted_versions, library_versions, modules_of, own_modules
from stream.store.manifests import EVENTS_FILE, NAME
from stream.store.mapping import FeatureMapping, Wish, map_features
from stream.store.pack_request import Brought, PackRequest, Tell
from stream.store.probe import learn_answers
from stream.store.projection import carried_paths, carried_types, project
from stream.store.proof import Proved, Question, prove
from stream.store.synthesis import synthesise

__all__ = ["Assembled", "assemble"]

_PROBE_ROWS = 2_000
"""Rows of a sample that are asked and compared; a worker's usual batch."""


@dataclass(frozen=True, slots=True)
class Assembled:
    """
    A version that is not written yet.

    Attributes:
        manifest: complete but for its files.
        files: contents by plain name.
        messages: what was inferred, chosen or left out, a sentence each.
    """

    manifest: Manifest
    files: dict[str, bytes]
    messages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows to ask for: their indices in the sample (none for rows that were made up), and the events made of them."""

    places: list[int]
    events: list[dict[str, object]]


def assemble(brought: Brought, request: PackRequest, tell: Tell) -> Assembled:
    """
    1 the estimator, from its bytes; 2 schema; 3 features; 4 rows; 5 answers; 6 golden rows; 7 the proof; 8 the files.

    Args:
        brought: the model and its rows.
        request: what is to become of it.
        tell: called with each step.
    Returns: what the version holds.
    Raises: PackageError, SchemaError or SampleError naming what doesn't fit.
    """
    _check_name(request.name)
    tell("loading the estimator")
    estimator, fitted, notes = _loaded(brought, request)  # 1
    about = profile(estimator)
    if not (about.columns.names or request.vector or request.columns):
        request = replace(request, columns=brought.columns)
    named = about.columns.names or request.columns
    texts = known_texts(estimator, named)
    needed = (*named, *request.carry) if named else ()
    text, messages = _schema(texts.keys(), needed, request, brought)  # 2
    messages = [*notes, *messages]
    events = RecordSchema(text)
    request = replace(request, carry=_carried(events, request.carry))
    mapping = map_features(  # 3
        estimator, about.columns, events, Wish(request.vector, request.columns, request.carry)
    )
    features = RecordSchema(
        project(events, [*(feature.path for feature in mapping.features), *request.carry])
    )
    messages += [mapping.message] if mapping.message else []
    messages += _left_out(events, features, brought.sample)
    tell("asking the estimator")
    rows = _rows(texts, mapping, features, brought.sample)  # 4
    columns = columns_of(rows.events, mapping.features)
    known = None if brought.sample is None else (brought.sample, texts, events)
    draft = replace(_draft(request, mapping, estimator), fitted=fitted)
    drafts = _drafts(estimator, draft, mapping, columns, len(rows.events), known)
    manifest = learn_answers(estimator, about, drafts, columns, len(rows.events))  # 5
    model = Model(estimator, manifest)
    answered = [rows.events[i] for i in model.score(columns, len(rows.events)).rows]
    golden = choose_golden(model, spread(answered, MAX_ROWS))  # 6
    messages += _about_answers(manifest, len(golden.events), made_up=brought.sample is None)
    namespace, _, name = events.name.rpartition(".")
    types = carried_types(events, request.carry)
    prediction = prediction_schema(manifest, types, name=f"{name}Prediction", namespace=namespace)
    tell("comparing what would be published with the estimator's own answers")
    proved = _proved(
        brought, request, Model(estimator, manifest), features, RecordSchema(prediction), rows
    )  # 7
    manifest = replace(manifest, proof=proved.proof)
    files = {  # 8
        brought.file: brought.content,
        "features.avsc": features.text.encode(),
        "prediction.avsc": prediction.encode(),
        "golden.avro": write_golden(golden, features.text, manifest),
    }
    if brought.schema is not None:
        files[EVENTS_FILE] = brought.schema.encode()
    if request.attach is not None:
        files = {**request.attach(manifest), **files}
    return Assembled(manifest, files, (*messages, *proved.messages))


def _check_name(name: str) -> None:
    if not NAME.match(name):
        raise PackageError(
            f"--name {name!r}: expected letters, digits, dot, dash and underscore, at most 100",
            step="manifest",
            hint="choose such a name",
        )


def _loaded(brought: Brought, request: PackRequest) -> tuple[Estimator, dict[str, str], list[str]]:
    """The estimator, the versions that fitted it where they are others, and what is to be said of it."""
    heard: list[Warning] = []
    estimator = load_estimator(brought.content, brought.origin, request.types, heard.append)
    fitted, notes = fitted_versions(heard, brought.fitted)
    return estimator, fitted, [*notes, *own_modules(estimator)]


def _schema(
    texts: Collection[str], needed: Collection[str], request: PackRequest, brought: Brought
) -> tuple[str, list[str]]:
    """The events' schema as given, or as the sample has it."""
    if brought.schema is not None:
        return brought.schema, []
    if brought.sample is None:
        raise PackageError(
            "neither a schema nor a sample is given", step="manifest", hint="give --schema or --sample"
        )
    inferred = infer_schema(brought.sample, request.name, texts=texts, needed=needed, carried=request.carry)
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
) -> _Rows:
    """Rows as a decoder would give them: the sample's, or made up."""
    if sample is None:
        by_path = {item.path: texts[item.name] for item in mapping.features if texts.get(item.name)}
        made_up = synthesise(features, MAX_ROWS, by_path, mapping.width)
        return _Rows([], through_avro(made_up, features))
    every = list(events_of(sample, features))
    if not every:
        raise PackageError(f"{sample.name}: has no rows", step="golden", hint="give a sample with rows")
    chosen = places(len(every), _PROBE_ROWS)
    return _Rows(chosen, through_avro([every[i] for i in chosen], features))


def _proved(
    brought: Brought,
    request: PackRequest,
    model: Model,
    features: RecordSchema,
    prediction: RecordSchema,
    rows: _Rows,
) -> Proved:
    if brought.sample is None:
        return Proved(Proof(0), ("nothing was compared with the estimator's own answers: give --sample",))
    own = model.estimator if brought.own is None else brought.own
    question = Question(own, model, features, prediction, brought.sample, rows.places, rows.events)
    return prove(question, allow=request.allow_difference)


def _drafts(  # who is asked, about what
    estimator: Estimator,
    draft: Manifest,
    mapping: FeatureMapping,
    columns: Mapping[str, pa.Array],
    n: int,
    owner: Owner | None,
) -> list[Manifest]:
    """The shapes that the input may have, the likelier first, each with the types of its columns."""
    if mapping.doubtful:
        prove_names(estimator, draft, owner)
    shapes = (mapping.inputs, *mapping.instead)
    return [choose_types(estimator, replace(draft, inputs=shape), columns, n, owner) for shape in shapes]


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
