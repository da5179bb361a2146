"""What somebody brings → all that a version holds: mapped, asked, proved, and not yet written."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pyarrow as pa

from stream.codec import RecordSchema, schema_of
from stream.errors import PackageError, SchemaError
from stream.files import Sample, infer_schema
from stream.manifest import Manifest, Proof
from stream.scoring import Estimator, KnownColumns, Model, columns_of, known_texts, prediction_schema, profile
from stream.store.artefact import load_estimator
from stream.store.asked_rows import AskedRows, asked_rows
from stream.store.column_choice import Owner, choose_types
from stream.store.doubtful_names import prove_names
from stream.store.folder import next_version
from stream.store.golden import Golden, choose_golden, write_golden
from stream.store.libraries import fitted_versions, library_versions, modules_of, own_modules
from stream.store.manifests import EVENTS_FILE, NAME
from stream.store.mapping import FeatureMapping, Wish, map_features
from stream.store.pack_request import Brought, PackRequest, Tell
from stream.store.probe import learn_answers
from stream.store.projection import carried_paths, carried_types, project
from stream.store.proof import Proved, Question, prove

__all__ = ["Assembled", "assemble"]


@dataclass(frozen=True, slots=True)
class Assembled:
    """
    A version that is not written yet.

    Attributes:
        manifest: complete but for its files.
        files: contents by plain name.
        messages: what was inferred, chosen or left out, a sentence each.
        model: under that manifest.
        golden: its golden rows.
    """

    manifest: Manifest
    files: dict[str, bytes]
    messages: tuple[str, ...]
    model: Model
    golden: Golden


@dataclass(frozen=True, slots=True)
class _Mapped:
    """
    An estimator's columns among the events' fields.

    Attributes:
        events: the schema as given, or as the sample has it.
        features: of it, what the model takes and what is carried.
        mapping: which field is which column.
        carry: paths of the carried fields.
        texts: the texts that the estimator was fitted on, by column.
        messages: a sentence each.
    """

    events: RecordSchema
    features: RecordSchema
    mapping: FeatureMapping
    carry: tuple[str, ...]
    texts: Mapping[str, tuple[str, ...]]
    messages: tuple[str, ...]


def assemble(brought: Brought, request: PackRequest, tell: Tell) -> Assembled:
    """
    1 the estimator, from its bytes; 2 its columns; 3 rows; 4 answers; 5 golden rows; 6 the proof; 7 the files.

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
    mapped = _mapped(estimator, about.columns, brought, request)  # 2
    tell("asking the estimator")
    rows = asked_rows(mapped.features, mapped.mapping, mapped.texts, brought.sample)  # 3
    columns, n = columns_of(rows.events, mapped.mapping.features), len(rows.events)
    draft = replace(_draft(request, mapped, estimator), fitted=fitted)
    drafts = _drafts(estimator, draft, mapped, columns, n, brought.sample)
    manifest = learn_answers(estimator, about, drafts, columns, n)  # 4
    model = Model(estimator, manifest)
    answered = [rows.events[i] for i in model.score(columns, n).rows]
    golden = choose_golden(model, answered, allow=request.allow_difference)  # 5
    prediction = _prediction(mapped, manifest)
    tell("comparing what would be published with the estimator's own answers")
    proved = _proved(brought, request, Model(estimator, manifest), mapped.features, prediction, rows)  # 6
    manifest = replace(manifest, proof=proved.proof)
    files = _files(brought, request, manifest, mapped.features, prediction, golden)  # 7
    answers = _about_answers(manifest, golden, made_up=brought.sample is None)
    messages = (*notes, *mapped.messages, *answers, *proved.messages)
    return Assembled(manifest, files, messages, Model(estimator, manifest), golden)


def _loaded(brought: Brought, request: PackRequest) -> tuple[Estimator, dict[str, str], list[str]]:
    """The estimator, the versions that fitted it where they are others, and what is to be said of it."""
    heard: list[Warning] = []
    estimator = load_estimator(brought.content, brought.origin, request.types, heard.append)
    fitted, notes = fitted_versions(heard, brought.fitted)
    return estimator, fitted, [*brought.notes, *notes, *own_modules(estimator)]


def _mapped(estimator: Estimator, known: KnownColumns, brought: Brought, request: PackRequest) -> _Mapped:
    wish = _wish(known, brought, request)
    named = known.names or wish.columns
    texts = known_texts(estimator, named)
    needed = (*named, *request.carry) if named else ()
    text, messages = _schema(texts.keys(), needed, request, brought)
    events = schema_of(text)
    carry = _carried(events, request.carry)
    mapping = map_features(estimator, known, events, replace(wish, carry=carry))
    features = schema_of(project(events, [*(feature.path for feature in mapping.features), *carry]))
    messages += [mapping.message] if mapping.message else []
    messages += _left_out(events, features, brought.sample)
    return _Mapped(events, features, mapping, carry, texts, tuple(messages))


def _wish(known: KnownColumns, brought: Brought, request: PackRequest) -> Wish:
    """What the owner says of the columns now, else what was saved with a model that keeps no names itself."""
    fits = known.width in (None, len(brought.columns))
    if known.names is None and not request.columns and request.vector is None and brought.columns and fits:
        return Wish(columns=brought.columns, source="the signature of the model's folder")
    if known.names is None and not request.columns and request.vector is None:
        return Wish(brought.vector)
    return Wish(request.vector, request.columns)


def _check_name(name: str) -> None:
    if not NAME.match(name):
        raise PackageError(
            f"--name {name!r}: expected letters, digits, dot, dash and underscore, at most 100",
            step="manifest",
            hint="choose such a name",
        )


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
    kept = set(features.fields)
    names = [name for name in events.fields if name not in kept]
    if not names:
        return []
    what = "columns of the sample" if sample is not None else "fields of the schema"
    return [
        f"left out, since the model doesn't take them and nothing carries them: {what} {', '.join(names)}"
    ]


def _proved(
    brought: Brought,
    request: PackRequest,
    model: Model,
    features: RecordSchema,
    prediction: RecordSchema,
    rows: AskedRows,
) -> Proved:
    if brought.sample is None:
        return Proved(Proof(0), ("nothing was compared with the estimator's own answers: give --sample",))
    own = model.estimator if brought.own is None else brought.own
    question = Question(own, model, features, prediction, brought.sample, rows.places, rows.events)
    return prove(question, allow=request.allow_difference)


def _prediction(mapped: _Mapped, manifest: Manifest) -> RecordSchema:
    """`prediction.avsc`, named after the events."""
    namespace, _, name = mapped.events.name.rpartition(".")
    types = carried_types(mapped.events, mapped.carry)
    return schema_of(prediction_schema(manifest, types, name=f"{name}Prediction", namespace=namespace))


def _files(
    brought: Brought,
    request: PackRequest,
    manifest: Manifest,
    features: RecordSchema,
    prediction: RecordSchema,
    golden: Golden,
) -> dict[str, bytes]:
    """The version's files by name; those that are attached replace none of its own."""
    files = {
        brought.file: brought.content,
        "features.avsc": features.text.encode(),
        "prediction.avsc": prediction.text.encode(),
        "golden.avro": write_golden(golden, features, manifest),
    }
    if brought.schema is not None:
        files[EVENTS_FILE] = brought.schema.encode()
    return files if request.attach is None else {**request.attach(manifest), **files}


def _drafts(  # who is asked, about what
    estimator: Estimator,
    draft: Manifest,
    mapped: _Mapped,
    columns: Mapping[str, pa.Array],
    n: int,
    sample: Sample | None,
) -> list[Manifest]:
    """The shapes that the input may have, the likelier first, each with the types of its columns."""
    mapping = mapped.mapping
    owner: Owner | None = None if sample is None else (sample, mapped.texts, mapped.events)
    if mapping.doubtful:
        prove_names(estimator, draft, owner)
    shapes = (mapping.inputs, *mapping.instead)
    return [choose_types(estimator, replace(draft, inputs=shape), columns, n, owner) for shape in shapes]


def _draft(request: PackRequest, mapped: _Mapped, estimator: Estimator) -> Manifest:
    mapping = mapped.mapping
    return Manifest(
        name=request.name,
        version=request.version or next_version(request.folder),
        created=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        task="other",
        inputs=mapping.inputs,
        features=mapping.features,
        width=mapping.width,
        carry=mapped.carry,
        probabilities=request.probabilities,
        libraries=library_versions(modules_of(estimator)),
        metrics={name: _in_json(value) for name, value in request.metrics.items()},
    )


def _in_json(value: float | int | str) -> float | int | str:
    """JSON has no NaN or infinity: such a metric is written as text."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _about_answers(manifest: Manifest, golden: Golden, *, made_up: bool) -> list[str]:
    answer = f"{manifest.task}, {manifest.answer}"
    if manifest.classes is not None:
        answer += f", classes {', '.join(map(str, manifest.classes[:10]))}"
    source = "made up from the schema; give --sample for real ones" if made_up else "from the sample"
    kept = len(golden.events)
    others = f"; {golden.candidates - kept} more are answered otherwise in another batch"
    return [
        f"the model answers: {answer}; score: {manifest.score_meaning or 'none'}",
        f"{kept} golden rows ({source}){others * (kept < golden.candidates)}",
    ]
