"""Opening a package: what is refused, at which step, and that nothing of it has run before."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from stream.errors import PackageError
from stream.store import PackRequest, open_package, pack


def _fitted(scale: float = 1.0) -> tuple[LogisticRegression, pd.DataFrame]:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"a": rng.normal(size=20), "b": rng.normal(size=20)})
    return LogisticRegression(C=scale).fit(frame, (frame["a"] > 0).astype(int)), frame


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package that is copied, never changed."""
    estimator, frame = _fitted()
    folder = tmp_path_factory.mktemp("packed") / "m"
    pack(estimator, PackRequest("m", folder), sample=frame)
    return folder


@pytest.fixture
def package(packed: Path, tmp_path: Path) -> Path:
    """A package with one version."""
    return Path(shutil.copytree(packed, tmp_path / "m"))


@pytest.fixture
def version(package: Path) -> Path:
    """The folder of its version."""
    return package / "versions" / "1"


def _rewrite(version: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the manifest, as someone would who knows its format."""
    document = json.loads((version / "manifest.json").read_text())
    change(document)
    (version / "manifest.json").write_text(json.dumps(document))


def _replace_file(version: Path, name: str, content: bytes) -> None:
    """Replace a file, and its hash in the manifest."""
    (version / name).write_bytes(content)
    entry = {"sha256": hashlib.sha256(content).hexdigest(), "size_bytes": len(content)}
    _rewrite(version, lambda document: document["files"].update({name: entry}))


class Canary:
    """Unpickled, it leaves a file."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.place,)


def test_sound_package_opens_with_what_was_packed(package: Path) -> None:
    """Manifest, model and both schemas are there, and there is nothing to say."""
    opened = open_package(package)

    assert ("m@1", ()) == (opened.manifest.model, opened.notes)
    assert ["a", "b"] == [field["name"] for field in json.loads(opened.features)["fields"]]
    assert ["label", "score", "model", "source_partition", "source_offset"] == [
        field["name"] for field in json.loads(opened.prediction)["fields"]
    ]


@pytest.mark.parametrize("name", ["model.joblib", "features.avsc", "prediction.avsc", "golden.avro"])
def test_flipped_byte_is_refused_at_the_hash(version: Path, name: str) -> None:
    """One bit of any file is enough."""
    content = bytearray((version / name).read_bytes())
    content[len(content) // 2] ^= 1
    (version / name).write_bytes(content)

    with pytest.raises(PackageError, match="sha256") as caught:
        open_package(version)

    assert "hash" == caught.value.step


def test_swapped_pickle_is_refused_before_it_runs(version: Path, tmp_path: Path) -> None:
    """The canary of a model that was swapped without its manifest never fires."""
    content = pickle.dumps(Canary(tmp_path / "fired"))
    (version / "model.joblib").write_bytes(content)
    size = len(content)
    _rewrite(version, lambda document: document["files"]["model.joblib"].update(size_bytes=size))

    with pytest.raises(PackageError, match="sha256") as caught:
        open_package(version)

    assert ("hash", False) == (caught.value.step, (tmp_path / "fired").exists())


def test_canary_fires_once_the_hashes_match(version: Path, tmp_path: Path) -> None:
    """Without keys a hash proves integrity, not origin: this is what the test above would miss if it were blind."""
    _replace_file(version, "model.joblib", pickle.dumps(Canary(tmp_path / "fired")))

    with pytest.raises(PackageError) as caught:
        open_package(version)

    assert ("load", True) == (caught.value.step, (tmp_path / "fired").exists())


@pytest.mark.parametrize(
    "name",
    ["../model.joblib", "/etc/passwd", "sub/model.joblib", "..", ".hidden", "a\\b", "", "manifest.json"],
)
def test_name_that_is_a_path_is_refused_at_the_manifest(version: Path, name: str) -> None:
    """No name leaves the version's folder."""
    entry = {"sha256": "0" * 64, "size_bytes": 1}
    _rewrite(version, lambda document: document["files"].update({name: entry}))

    with pytest.raises(PackageError, match="plain names") as caught:
        open_package(version)

    assert "manifest" == caught.value.step


@pytest.mark.parametrize("name", ["model.joblib", "golden.avro", "manifest.json"])
def test_link_is_refused(version: Path, name: str, tmp_path: Path) -> None:
    """Even one to the very same bytes."""
    (version / name).rename(tmp_path / "elsewhere")
    (version / name).symlink_to(tmp_path / "elsewhere")

    with pytest.raises(PackageError, match="link"):
        open_package(version)


def test_pipe_in_place_of_a_file_is_refused_without_waiting(version: Path) -> None:
    """A named pipe would block whoever reads it."""
    (version / "golden.avro").unlink()
    os.mkfifo(version / "golden.avro")

    with pytest.raises(PackageError, match="is not a regular file"):
        open_package(version)


def test_missing_file_is_refused_at_the_hash(version: Path) -> None:
    """The manifest names more than there is."""
    (version / "golden.avro").unlink()

    with pytest.raises(PackageError, match=r"golden\.avro") as caught:
        open_package(version)

    assert "hash" == caught.value.step


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("version", 0), ("version", True), ("version", "1"), ("version", 2), ("name", "../m"), ("name", None),
        ("task", "oracle"), ("inputs", "tensor"), ("features", []), ("features", {}), ("features", [{"name": "a"}]),
        ("width", 3), ("classes", None), ("classes", [1, "a"]), ("answer", "bytes"), ("label", "guess"),
        ("score", "logit"), ("carry", "a"), ("carry", ["nowhere"]), ("probabilities", 1), ("tolerance", 5),
        ("tolerance", "1e-9"), ("tolerance", -1), ("libraries", {"numpy": 2}), ("metrics", {"auc": None}),
        ("files", {}), ("files", []), ("created", 5),
    ],
)  # fmt: skip
def test_manifest_with_a_wrong_key_is_refused(version: Path, key: str, value: object) -> None:
    """The step is named, and none of the package's code has run."""
    _rewrite(version, lambda document: document.update({key: value}))

    with pytest.raises(PackageError) as caught:
        open_package(version)

    assert "manifest" == caught.value.step


CREATED = "2026-11-23T22:41:00Z"


@pytest.mark.parametrize(
    "created",
    [
        CREATED + "\nok    signature  by us", CREATED + "\n", "\n" + CREATED, CREATED + "\x1b[8m", "yesterday", "",
        "2026-11-23", "2026-11-23T22:41:00", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-11-23T24:00:00Z",
        "２０２６-11-23T22:41:00Z", "2026-11-23T22:41:00+25:00", None, 1700000000, [CREATED],
    ],
)  # fmt: skip
def test_created_that_is_no_time_is_refused(version: Path, created: object) -> None:
    """RFC 3339 and nothing more: a line break in it would forge the line below."""
    _rewrite(version, lambda document: document.update(created=created))

    with pytest.raises(PackageError, match="created: expected an RFC 3339 time such as .*, found ") as caught:
        open_package(version)

    assert ("manifest", 2) == (caught.value.step, len(str(caught.value).splitlines()))


@pytest.mark.parametrize(
    "created",
    [CREATED, "2026-11-23t22:41:00.123456789z", "2024-02-29T00:00:00+00:00", "2016-12-31T23:59:60-05:30"],
)
def test_created_as_rfc_3339_has_it_is_taken(version: Path, created: str) -> None:
    """Fractions, other zones and leap seconds too."""
    _rewrite(version, lambda document: document.update(created=created))

    assert created == open_package(version).manifest.created


def test_notes_of_an_opened_version_are_shown(version: Path) -> None:
    """Whoever logs them logs lines of his own; `stream.load` does it with the user's own logging."""
    _rewrite(version, lambda document: document.update(libraries={"a\nb\x1b": "1\u202e"}))

    assert ("packed with a\\nb\\x1b 1\\u202e, running with none",) == open_package(version).notes


@pytest.mark.parametrize("key", ["name", "version", "features", "files", "tolerance", "classes", "score"])
def test_manifest_without_a_key_is_refused_by_name(version: Path, key: str) -> None:
    """The message says which."""
    _rewrite(version, lambda document: document.pop(key))

    with pytest.raises(PackageError, match=f"{key}: expected .* found no such key"):
        open_package(version)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff\xfe", b"[" * 100_000, b"null"])
def test_manifest_that_is_not_an_object_is_refused(version: Path, content: bytes) -> None:
    """Whatever it is instead."""
    (version / "manifest.json").write_bytes(content)

    with pytest.raises(PackageError) as caught:
        open_package(version)

    assert "manifest" == caught.value.step


@pytest.mark.parametrize(
    ("key", "value"),
    [("avro", "string"), ("avro", "float"), ("kind", "text"), ("nullable", True), ("path", "c")],
)
def test_feature_that_the_schema_has_otherwise_is_refused(version: Path, key: str, value: object) -> None:
    """What is decoded must be what the model's input is built from."""
    _rewrite(version, lambda document: document["features"][0].update({key: value}))

    with pytest.raises(PackageError, match=r"features\.avsc") as caught:
        open_package(version)

    assert "manifest" == caught.value.step


@pytest.mark.parametrize(
    "change",
    [
        lambda fields: fields.pop(0),
        lambda fields: fields.append({"name": "extra", "type": "string"}),
        lambda fields: fields[0].update(type="string"),
        lambda fields: fields[1].update(type=["null", "double"]),
        lambda fields: fields.reverse(),
    ],
    ids=["missing", "more", "retyped", "nullable", "order"],
)
def test_prediction_schema_that_does_not_fit_the_manifest_is_refused(
    version: Path, change: Callable[[list[dict[str, Any]]], object]
) -> None:
    """Its hash is right, but it is not the schema of this model's answers: found before the model is loaded."""
    document = json.loads((version / "prediction.avsc").read_text())
    change(document["fields"])
    _replace_file(version, "prediction.avsc", json.dumps(document).encode())

    with pytest.raises(
        PackageError, match=r"prediction\.avsc: does not fit the manifest: expected .*label"
    ) as error:
        open_package(version)

    assert "manifest" == error.value.step


def test_unknown_keys_are_tolerated(version: Path) -> None:
    """A later release may add some."""
    _rewrite(version, lambda document: document.update(colour="green"))

    assert "m@1" == open_package(version).manifest.model


def test_other_model_under_the_golden_rows_is_refused(version: Path, tmp_path: Path) -> None:
    """Its hash may be right: it still doesn't answer as what was packed."""
    estimator, frame = _fitted(scale=0.01)
    pack(estimator, PackRequest("m", tmp_path / "other"), sample=frame)
    _replace_file(
        version, "model.joblib", (tmp_path / "other" / "versions" / "1" / "model.joblib").read_bytes()
    )

    with pytest.raises(PackageError, match="golden rows no longer score the same: row 0: expected") as caught:
        open_package(version)

    assert "golden" == caught.value.step


def test_golden_rows_that_are_no_avro_are_refused(version: Path) -> None:
    """Hashes may be right all the same."""
    _replace_file(version, "golden.avro", b"Obj\x01 nothing")

    with pytest.raises(PackageError) as caught:
        open_package(version)

    assert "golden" == caught.value.step


def test_other_library_version_is_noted_not_refused(version: Path) -> None:
    """The golden rows decide whether it matters."""
    _rewrite(version, lambda document: document["libraries"].update({"scikit-learn": "0.1", "gone": "1"}))

    notes = open_package(version).notes

    assert any("scikit-learn 0.1, running with" in note for note in notes)
    assert "packed with gone 1, running with none" in notes


@pytest.mark.parametrize("content", ["1\n", "1", "versions/1", "versions/1/\n"])
def test_current_is_read_in_each_of_its_forms(package: Path, content: str) -> None:
    """A number, or the version's path."""
    (package / "current").write_text(content)

    assert 1 == open_package(package).manifest.version


def test_current_may_be_a_link(package: Path) -> None:
    """As some deployments have it."""
    (package / "current").unlink()
    (package / "current").symlink_to("versions/1")

    assert 1 == open_package(package).manifest.version


def test_package_may_be_reached_through_a_link(package: Path, tmp_path: Path) -> None:
    """Only the version's own files must be plain."""
    (tmp_path / "link").symlink_to(package)

    assert 1 == open_package(tmp_path / "link").manifest.version


@pytest.mark.parametrize("content", ["", "two", "../1x", "01", "-1", "9"])
def test_current_that_names_no_version_is_refused(package: Path, content: str) -> None:
    """The message shows what it holds, or which versions there are."""
    (package / "current").write_text(content)

    with pytest.raises(PackageError, match="current|no version 9"):
        open_package(package)


@pytest.mark.parametrize("version", [None, 3])
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda place: None, "there is no such folder"),
        (Path.mkdir, "it holds no version"),
        (lambda place: (place / "versions").mkdir(parents=True), "it holds no version"),
        (lambda place: place.write_bytes(b"x"), "it is a file"),
    ],
    ids=["nothing", "empty", "no version", "file"],
)
def test_place_without_package_is_refused_as_such_with_the_next_step(
    tmp_path: Path, make: Callable[[Path], object], said: str, version: int | None
) -> None:
    """A newcomer's first error: what is there, not which of a package's files is missing; a version is not to blame."""
    make(tmp_path / "m")

    with pytest.raises(PackageError, match=f"m: there is no model package here: {said}") as caught:
        open_package(tmp_path / "m", version)

    assert "stream pack" in caught.value.hint


def test_package_without_current_is_told_how_to_get_one(package: Path) -> None:
    """Its versions are named."""
    (package / "current").unlink()

    with pytest.raises(PackageError, match="has no file `current`.*; versions found: 1") as caught:
        open_package(package)

    assert "rollback --to N" in caught.value.hint


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("tolerance", 10**400, "tolerance: expected a number"),
        ("task", "clusterer", "score: expected none for a clusterer"),
    ],
)
def test_manifest_that_contradicts_itself_is_refused(
    version: Path, key: str, value: object, expected: str
) -> None:
    """A number that no float holds, and a score where the task has none, are the manifest's fault."""
    _rewrite(version, lambda document: document.update({key: value}))

    with pytest.raises(PackageError, match=expected) as caught:
        open_package(version)

    assert "manifest" == caught.value.step


def test_library_without_a_name_is_reported_as_not_there(version: Path) -> None:
    """What can't be a distribution is not installed; it stops nothing."""
    _rewrite(version, lambda document: document["libraries"].update({"": "1"}))

    assert ("packed with  1, running with none",) == open_package(version).notes


def test_folder_in_the_manifests_place_is_refused(version: Path) -> None:
    """Opening a folder succeeds where reading it fails."""
    (version / "manifest.json").unlink()
    (version / "manifest.json").mkdir()

    with pytest.raises(PackageError, match="is not a regular file") as caught:
        open_package(version.parents[1])

    assert "manifest" == caught.value.step


def test_schema_nested_too_deep_is_refused(version: Path) -> None:
    """A prediction.avsc whose hash is right and whose parser gives up."""
    _replace_file(version, "prediction.avsc", b"[" * 100_000)

    with pytest.raises(PackageError, match="nested too deeply") as caught:
        open_package(version)

    assert "manifest" == caught.value.step


def test_pickle_that_exits_is_refused(version: Path) -> None:
    """A model that calls sys.exit while it is loaded does not end whoever opens it."""
    _replace_file(version, "model.joblib", b"csys\nexit\n(I3\ntR.")

    with pytest.raises(PackageError, match="SystemExit: 3") as caught:
        open_package(version)

    assert "load" == caught.value.step


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("dtype", "timedelta64[ns]"), ("dtype", 7), ("dtype", "int64\n"), ("kind", "category"), ("kind", "period"),
        ("categories", ["a"]), ("categories", "a"), ("categories", [None]), ("ordered", 1), ("unknown", "guess"),
    ],
)  # fmt: skip
def test_feature_with_a_wrong_type_is_refused(version: Path, key: str, value: object) -> None:
    """Nothing but the types of pandas' columns, and categories where the kind has them."""
    _rewrite(version, lambda document: document["features"][0].update({key: value}))

    with pytest.raises(PackageError, match="manifest"):
        open_package(version)


def test_feature_of_an_older_package_has_the_kinds_own_type(version: Path) -> None:
    """Its manifest says nothing of types and categories."""

    def older(document: dict[str, Any]) -> None:
        for key in ("dtype", "categories", "ordered", "unknown"):
            del document["features"][0][key]

    _rewrite(version, older)

    assert ("", None) == (open_package(version).manifest.features[0].dtype, None)
