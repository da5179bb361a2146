"""Model folders of MLflow → packages here."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import skops.io
import yaml

from stream.errors import PackageError, StreamError
from stream.mlflow import packed_copy, pushed_package, write_model_folder
from stream.store import SigningKey, Trust, open_package
from tests.damage import damage
from tests.unit.mlflow.folders import X, logistic, packed, write_folder


def skops_folder(folder: Path, **keys: Any) -> Path:
    """As `mlflow.sklearn.save_model` writes it by itself."""
    about = {"pickled_model": "model.skops", "serialization_format": "skops"}
    return write_folder(folder, {"sklearn": about}, {"model.skops": skops.io.dumps(logistic())}, **keys)


def pickle_folder(folder: Path, **keys: Any) -> Path:
    """With a bare pickle."""
    about = {"pickled_model": "model.pkl", "serialization_format": "cloudpickle"}
    return write_folder(folder, {"sklearn": about}, {"model.pkl": pickle.dumps(logistic())}, **keys)


def test_a_skops_model_of_a_stranger_is_packed_and_proven(tmp_path: Path) -> None:
    """Its contract is the signature's, its golden rows are the example's."""
    pulled = packed_copy(skops_folder(tmp_path / "m"), tmp_path / "out", name="m")
    manifest = pulled.manifest
    assert ("m@1", False, True) == (manifest.model, pulled.pushed, pulled.new)
    assert ["b", "a"] == [feature.name for feature in manifest.features]
    assert manifest.proof is not None
    assert (2, 0) == (manifest.proof.rows, manifest.proof.different)


def test_a_version_is_the_next_or_the_one_that_is_asked_for(tmp_path: Path) -> None:
    """The number that a registry gave, say."""
    folder = skops_folder(tmp_path / "m")
    numbers = [
        packed_copy(folder, tmp_path / "out", name="m", version=version).manifest.version
        for version in (7, None)
    ]
    assert [7, 8] == numbers


def test_without_an_example_nothing_is_compared_and_that_is_said(tmp_path: Path) -> None:
    """Golden rows are made up from the signature."""
    pulled = packed_copy(skops_folder(tmp_path / "m", example=False), tmp_path / "out", name="m")
    assert any("nothing was compared" in message for message in pulled.messages)


def test_with_neither_signature_nor_example_it_is_refused(tmp_path: Path) -> None:
    """Nothing says what events look like."""
    folder = skops_folder(tmp_path / "m", example=False, signature=None)
    with pytest.raises(PackageError, match="neither a signature nor an input example") as caught:
        packed_copy(folder, tmp_path / "out", name="m")
    assert "input example" in caught.value.hint
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("pyfunc", "why"),
    [
        ({"loader_module": "mlflow.sklearn"}, "model.pkl is a bare pickle"),
        ({"loader_module": "evil"}, "a module of its own .loader_module 'evil'"),
        ({"loader_module": "mlflow.sklearn", "code": "code"}, "modules of its own .code 'code'"),
    ],
)
def test_a_strangers_code_is_refused_unless_the_registry_is_trusted(
    pyfunc: dict[str, Any], why: str, tmp_path: Path
) -> None:
    """Trusted, the estimator is packed, and neither module is imported."""
    folder = pickle_folder(tmp_path / "m", pyfunc=pyfunc)
    with pytest.raises(PackageError, match=why) as caught:
        packed_copy(folder, tmp_path / "out", name="m")
    assert "trusted = true" in caught.value.hint
    assert 1 == packed_copy(folder, tmp_path / "out", name="m", trusted=True).manifest.version


def test_a_pushed_package_comes_back_byte_by_byte(tmp_path: Path) -> None:
    """And its signature is still good."""
    key = SigningKey(b"\x07" * 32)
    package = packed(tmp_path / "m", signer=key)
    folder = tmp_path / "folder"
    write_model_folder(package, folder)

    pulled = packed_copy(folder, tmp_path / "out", trust=Trust((key.public,), True))

    assert pulled.pushed
    assert (package.path.parent.parent / "current").read_bytes() == (tmp_path / "out/current").read_bytes()
    files = {path.name: path.read_bytes() for path in package.path.iterdir()}
    assert files == {path.name: path.read_bytes() for path in pulled.path.iterdir()}
    assert "manifest.sig" in files
    again = packed_copy(folder, tmp_path / "out", name="other")
    assert not again.new
    assert any("is here already" in message for message in again.messages)
    assert any("keeps its own name" in message for message in again.messages)


def test_a_pushed_package_that_was_touched_is_refused(tmp_path: Path) -> None:
    """Before anything of it is here."""
    folder = tmp_path / "folder"
    write_model_folder(packed(tmp_path / "m"), folder)
    model = folder / "package/versions/1/model.joblib"
    damage(model)
    with pytest.raises(PackageError, match="step hash"):
        packed_copy(folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_number_that_is_another_versions_is_refused(tmp_path: Path) -> None:
    """A version never changes."""
    folder = tmp_path / "folder"
    write_model_folder(packed(tmp_path / "m"), folder)
    packed(tmp_path / "other")
    with pytest.raises(PackageError, match="is another version than m@1"):
        packed_copy(folder, tmp_path / "other")


def test_a_link_in_place_of_the_package_is_refused(tmp_path: Path) -> None:
    """It may lead anywhere."""
    folder = tmp_path / "folder"
    write_model_folder(packed(tmp_path / "m"), folder)
    (folder / "package").rename(tmp_path / "elsewhere")
    (folder / "package").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PackageError, match="holds no package"):
        pushed_package(folder)


def test_what_signature_and_example_say_differently_is_named(tmp_path: Path) -> None:
    """And params, which events don't have."""
    folder = skops_folder(tmp_path / "m")
    head = yaml.safe_load((folder / "MLmodel").read_text())
    head["signature"]["params"] = json.dumps([{"name": "k", "type": "long", "default": 1, "shape": None}])
    (folder / "MLmodel").write_text(yaml.safe_dump(head))
    example = {"columns": ["b", "a", "more"], "data": [[0, 1, 2], [1, 2.5, 3]]}
    (folder / "input_example.json").write_text(json.dumps(example))
    messages = packed_copy(folder, tmp_path / "out", name="m").messages
    assert any("the signature has params, k" in message for message in messages)
    assert any("columns that the signature lacks: 'more'" in message for message in messages)


def test_an_example_that_the_signature_does_not_allow_is_refused_with_its_place(tmp_path: Path) -> None:
    """Here a value is missing that is required."""
    folder = skops_folder(tmp_path / "m")
    (folder / "input_example.json").write_text(
        json.dumps({"columns": ["b", "a"], "data": [[0, 1], [None, 2]]})
    )
    with pytest.raises(StreamError, match="input_example.json:2:b"):
        packed_copy(folder, tmp_path / "out", name="m")


def test_a_model_of_plain_arrays_takes_one_array(tmp_path: Path) -> None:
    """As its signature of a tensor says; never the columns by position."""
    from sklearn.linear_model import LogisticRegression

    estimator = LogisticRegression().fit(X.to_numpy(), (X["a"] > 0.3).astype(int))
    about = {"pickled_model": "model.skops"}
    tensor = [{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 2]}}]
    folder = write_folder(
        tmp_path / "m",
        {"sklearn": about},
        {"model.skops": skops.io.dumps(estimator), "input_example.json": b"[[0, 1], [1, 2.5]]"},
        example=False,
        signature={"inputs": json.dumps(tensor)},
        saved_input_example_info={"artifact_path": "input_example.json", "type": "ndarray"},
    )
    manifest = packed_copy(folder, tmp_path / "out", name="m").manifest
    assert ("vector", ["features"]) == (manifest.inputs, [feature.path for feature in manifest.features])
    assert manifest.proof is not None
    assert 2 == manifest.proof.rows


def test_a_pulled_package_opens(tmp_path: Path) -> None:
    """As any other."""
    packed_copy(skops_folder(tmp_path / "m"), tmp_path / "out", name="m")
    assert "m@1" == open_package(tmp_path / "out").manifest.model
