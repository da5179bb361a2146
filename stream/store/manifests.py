"""`manifest.json` ↔ Manifest: every key checked for its type and its place in the whole."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date
from typing import Any, TypeVar, get_args

from stream.errors import PackageError
from stream.manifest import (
    AnswerType,
    Category,
    Compilation,
    Entry,
    Feature,
    FeatureKind,
    Inputs,
    Label,
    Manifest,
    NullText,
    Proof,
    ScoreMethod,
    Task,
    Unknown,
)  # fmt: skip

__all__ = [
    "ENGINE_FILE",
    "EVENTS_FILE",
    "MODEL_FILES",
    "NAME",
    "REQUIRED_FILES",
    "read_manifest",
    "write_manifest",
]

T = TypeVar("T")

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")
"""What a model may be called: it becomes a folder, and a part of each prediction."""

MODEL_FILES = ("model.joblib", "model.skops")
"""The estimator's file; a version has one of them."""

REQUIRED_FILES = ("features.avsc", "prediction.avsc", "golden.avro")
"""What every version holds beside the model and its manifest."""

EVENTS_FILE = "events.avsc"
"""The schema of events as it was given to `pack`, where it was: its producers may write with all of it."""

ENGINE_FILE = "compiled.onnx"
"""The model as a graph, for few rows at a time; a version has one where it was seen to answer the same."""

MAX_SCHEMA_BYTES = 16 * 1024**2
"""A schema of 10,000 fields has 1 MB."""

MAX_OTHER_BYTES = 256 * 1024**2
"""Of any other file but the model: golden rows, a card."""

_RFC_3339 = re.compile(
    r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)"
    r"(\.[0-9]{1,12})?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])\Z"
)
"""Source: RFC 3339, 5.6, `date-time`."""

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_DTYPE = re.compile(
    r"([uU]?[iI]nt(8|16|32|64)|[fF]loat(32|64)|bool(ean)?|object|str(ing)?"
    r"|datetime64\[(s|ms|us|ns)(, [^\]]{1,64})?\])?\Z"
)
"""Types of pandas' columns; none is made of anything else that a manifest says."""

_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}\Z")  # no separators, no leading dot: a name, no path


def write_manifest(manifest: Manifest) -> bytes:
    """`manifest.json`, UTF-8, keys in the manifest's order."""
    document = asdict(manifest)
    del document["registered"]
    return (json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def read_manifest(content: bytes, place: str) -> Manifest:
    """
    Parse and check a manifest; keys that aren't known are ignored.

    Args:
        content: of `manifest.json`.
        place: its path, for messages.
    Returns: the manifest; every file name in it is plain.
    Raises: PackageError (step `manifest`) naming the key, what was expected and what was found.
    """
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _refusal(place, "the file", "JSON", str(error)) from error
    keys = _Keys(document, place, "")
    features = keys.each("features", _feature)
    if not features:
        raise _refusal(place, "features", "at least one", "none")
    manifest = Manifest(
        name=keys.text("name", NAME),
        version=keys.whole("version", 1),
        created=keys.instant("created"),
        task=keys.one_of("task", get_args(Task)),
        inputs=keys.one_of("inputs", get_args(Inputs)),
        features=features,
        width=keys.whole("width", 1),
        classes=keys.labels("classes"),
        answer=keys.one_of("answer", get_args(AnswerType)),
        label=keys.one_of("label", ("predict", "score")),
        score=keys.one_of("score", (*get_args(ScoreMethod), None)),
        carry=keys.texts("carry"),
        probabilities=keys.flag("probabilities"),
        tolerance=keys.number("tolerance"),
        libraries=keys.mapping("libraries", str),
        fitted=keys.mapping("fitted", str) if "fitted" in keys else {},
        metrics=keys.mapping("metrics", int, float, str),
        proof=keys.maybe("proof", _proof),
        compiled=keys.maybe("compiled", _compilation),
        files=_files(keys.mapping("files", dict), place),
    )
    _check_whole(manifest, place)
    return manifest


def _feature(keys: _Keys) -> Feature:
    return Feature(
        name=keys.text("name"),
        path=keys.text("path"),
        avro=keys.text("avro"),
        kind=keys.one_of("kind", get_args(FeatureKind)),
        nullable=keys.flag("nullable"),
        null=keys.one_of("null", get_args(NullText)),
        dtype=keys.text("dtype", _DTYPE) if "dtype" in keys else "",
        categories=keys.categories("categories") if "categories" in keys else None,
        ordered=keys.flag("ordered") if "ordered" in keys else False,
        unknown=keys.one_of("unknown", get_args(Unknown)) if "unknown" in keys else "kept",
    )


def _proof(keys: _Keys) -> Proof:
    return Proof(keys.whole("rows", 0), keys.whole("different", 0), keys.flag("allowed"))


def _compilation(keys: _Keys) -> Compilation:
    return Compilation(keys.whole("rows", 0), keys.number("difference"), keys.text("reason"))


def _files(entries: Mapping[str, object], place: str) -> dict[str, Entry]:
    files: dict[str, Entry] = {}
    for name, entry in entries.items():
        if not _FILE.match(name) or name in ("manifest.json", "manifest.sig"):
            raise _refusal(place, "files", "plain names of files in the version's folder", repr(name))
        keys = _Keys(entry, place, f"files.{name}.")
        entry = files[name] = Entry(keys.text("sha256", _SHA256), keys.whole("size_bytes", 0))
        most = MAX_SCHEMA_BYTES if name.endswith(".avsc") else MAX_OTHER_BYTES
        if name not in MODEL_FILES and entry.size_bytes > most:
            raise _refusal(place, f"files.{name}.size_bytes", f"at most {most}", str(entry.size_bytes))
    return files


def _check_whole(manifest: Manifest, place: str) -> None:
    """What no single key can say."""
    models = [name for name in MODEL_FILES if name in manifest.files]
    if len(models) != 1:
        raise _refusal(place, "files", f"one of {' or '.join(MODEL_FILES)}", ", ".join(models) or "neither")
    for name in REQUIRED_FILES:
        if name not in manifest.files:
            raise _refusal(place, "files", name, "no such entry")
    if manifest.task in ("classifier", "multi-classifier") and not manifest.classes:
        raise _refusal(place, "classes", "the labels of a classifier", "none")
    count = 1 if manifest.inputs == "vector" else manifest.width
    if len(manifest.features) != count:
        raise _refusal(place, "features", f"{count} for these inputs", str(len(manifest.features)))
    kinds = {feature.kind for feature in manifest.features}
    if manifest.is_array and kinds != {"number"}:
        raise _refusal(place, "features", "numbers only for these inputs", "another kind")
    if manifest.inputs == "series" and (len(manifest.features), kinds) != (1, {"text"}):
        raise _refusal(place, "features", "one text for these inputs", "others")
    for feature in manifest.features:
        if (feature.kind == "category") != (feature.categories is not None):
            raise _refusal(place, "features", "categories for the kind category only", repr(feature.name))
    if manifest.task not in ("classifier", "outlier") and (manifest.score or manifest.probabilities):
        raise _refusal(place, "score", f"none for a {manifest.task}", str(manifest.score))
    if not 0 <= manifest.tolerance <= 1e-2:
        raise _refusal(place, "tolerance", "between 0 and 0.01", str(manifest.tolerance))


def _refusal(place: str, key: str, expected: str, found: str) -> PackageError:
    return PackageError(
        f"{place}: {key}: expected {expected}, found {found}", step="manifest", hint="pack the model again"
    )


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


class _Keys:
    """A JSON object's keys, taken one by one with the type they must have."""

    def __init__(self, document: object, place: str, prefix: str) -> None:
        self._place, self._prefix = place, prefix
        if not isinstance(document, dict):
            raise _refusal(place, prefix.rstrip(".") or "the file", "an object", type(document).__name__)
        self._document: dict[str, Any] = document

    def _take(self, key: str, expected: str, sound: Callable[[Any], bool]) -> Any:
        value = self._document.get(key)
        if key not in self._document or not sound(value):
            found = repr(value)[:80] if key in self._document else "no such key"
            raise _refusal(self._place, self._prefix + key, expected, found)
        return value

    def __contains__(self, key: str) -> bool:
        """Whether it has a key: those that were added later are not in every package."""
        return key in self._document

    def instant(self, key: str) -> str:
        def sound(value: object) -> bool:
            return isinstance(value, str) and bool(_RFC_3339.match(value)) and _is_date(value[:10])

        return str(self._take(key, "an RFC 3339 time such as 2026-11-23T22:41:00Z", sound))

    def text(self, key: str, pattern: re.Pattern[str] | None = None) -> str:
        def sound(value: object) -> bool:
            return isinstance(value, str) and (pattern is None or bool(pattern.match(value)))

        return str(self._take(key, "a text" if pattern is None else f"a text like {pattern.pattern}", sound))

    def whole(self, key: str, least: int) -> int:
        return int(
            self._take(key, f"a whole number ≥ {least}", lambda v: type(v) is int and least <= v < 2**63)
        )

    def number(self, key: str) -> float:
        return float(
            self._take(key, "a number", lambda v: type(v) is float or (type(v) is int and abs(v) < 2**63))
        )

    def flag(self, key: str) -> bool:
        return bool(self._take(key, "true or false", lambda v: isinstance(v, bool)))

    def one_of(self, key: str, choices: tuple[T, ...]) -> T:
        value: T = self._take(
            key,
            f"one of {', '.join(map(str, choices))}",
            lambda v: isinstance(v, (str, type(None))) and v in choices,
        )
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        return tuple(
            self._take(
                key, "a list of texts", lambda v: isinstance(v, list) and all(isinstance(i, str) for i in v)
            )
        )

    def labels(self, key: str) -> tuple[Label, ...] | None:
        def sound(value: object) -> bool:
            return value is None or (
                isinstance(value, list)
                and len({type(item) for item in value}) <= 1
                and all(isinstance(item, (int, str, bool)) for item in value)
            )

        value = self._take(key, "null or a list of labels of one type", sound)
        return None if value is None else tuple(value)

    def categories(self, key: str) -> tuple[Category, ...] | None:
        def sound(value: object) -> bool:
            return value is None or (
                isinstance(value, list) and all(isinstance(item, get_args(Category)) for item in value)
            )

        value = self._take(key, "null or a list of numbers, texts or booleans", sound)
        return None if value is None else tuple(value)

    def mapping(self, key: str, *kinds: type[T]) -> dict[str, T]:
        def sound(value: object) -> bool:
            return isinstance(value, dict) and all(isinstance(item, kinds) for item in value.values())

        return dict(self._take(key, f"an object of {', '.join(kind.__name__ for kind in kinds)}", sound))

    def maybe(self, key: str, read: Callable[[_Keys], T]) -> T | None:
        """None where the key is absent or null: releases before it did not write it."""
        found = self._document.get(key)
        return None if found is None else read(_Keys(found, self._place, f"{self._prefix}{key}."))

    def each(self, key: str, read: Callable[[_Keys], T]) -> tuple[T, ...]:
        items = self._take(key, "a list", lambda v: isinstance(v, list))
        return tuple(
            read(_Keys(item, self._place, f"{self._prefix}{key}[{i}].")) for i, item in enumerate(items)
        )
