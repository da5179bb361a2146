"""Packages as model folders of MLflow, and what MLflow asks of them there."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

import stream
from stream.codec import RecordSchema
from stream.errors import InputError, PackageError
from stream.manifest import Feature, Manifest
from stream.mlflow import write_model_folder
from stream.mlflow.pyfunc_loader import PackageModel, load
from stream.mlflow.shipped_code import code_files
from stream.mlflow.signature import signature_of
from stream.store import open_package
from tests.unit.mlflow.folders import X, packed


def columns(field: dict[str, Any], *, taken: bool = True) -> dict[str, Any]:
    """The signature's input of one field of events, which the model takes or which is only carried."""
    fields = [{"name": "n", "type": "double"}, {"name": "x", **field}]
    schema = RecordSchema(json.dumps({"type": "record", "name": "E", "fields": fields}))
    paths = ("n", "x") if taken else ("n",)
    carried = "x.at" if "'record'" in str(field) else "x"
    features = tuple(Feature(path, path, "double", "number", False) for path in paths)
    manifest = Manifest("m", 1, "", "regressor", "frame", features, 2, carry=() if taken else (carried,))
    found = json.loads(signature_of(manifest, schema)["inputs"])
    return dict(next(one for one in found if one["name"] != "n"))


TYPES: list[tuple[Any, str]] = [
    ("boolean", "boolean"),
    ("int", "long"),
    ("long", "long"),
    ("float", "double"),
    ("double", "double"),
    ("string", "string"),
    ("bytes", "binary"),
    ({"type": "enum", "name": "C", "symbols": ["A"]}, "string"),
    ({"type": "fixed", "name": "F", "size": 4}, "binary"),
    ({"type": "string", "logicalType": "uuid"}, "string"),
    ({"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}, "any"),
    ({"type": "int", "logicalType": "date"}, "datetime"),
    ({"type": "int", "logicalType": "time-millis"}, "string"),
    ({"type": "long", "logicalType": "time-micros"}, "string"),
    ({"type": "long", "logicalType": "timestamp-millis"}, "any"),
    ({"type": "long", "logicalType": "timestamp-nanos"}, "any"),
    ({"type": "long", "logicalType": "local-timestamp-micros"}, "datetime"),
    (["null", "int"], "any"),
    (["null", "double"], "double"),
    (["null", "string"], "string"),
    (["null", "boolean"], "boolean"),
    (["int", "string"], "any"),
    ("null", "any"),
]


@pytest.mark.parametrize(("avro", "expected"), TYPES)
def test_each_avro_type_has_one_that_takes_all_of_its_values(avro: Any, expected: str) -> None:
    """`any` where each of MLflow's own refuses some."""
    assert expected == columns({"type": avro})["type"]


CONTAINERS = [
    ({"type": "array", "items": "double"}, {"type": "array", "items": {"type": "double"}}),
    ({"type": "array", "items": ["null", "double"]}, {"type": "array", "items": {"type": "any"}}),
    ({"type": "map", "values": "long"}, {"type": "map", "values": {"type": "long"}}),
    (
        {"type": "record", "name": "R", "fields": [{"name": "at", "type": {"type": "int", "logicalType": "date"}},
                                                   {"name": "s", "type": ["null", "string"], "default": None}]},
        {"type": "object", "properties": {"at": {"type": "any", "required": True},
                                          "s": {"type": "string", "required": False}}},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("avro", "expected"), CONTAINERS)
def test_containers_keep_their_shape(avro: Any, expected: dict[str, Any]) -> None:
    """Arrays, maps, records."""
    assert {**expected, "name": "x", "required": False} == columns({"type": avro}, taken=False)


@pytest.mark.parametrize(
    ("field", "taken", "required"),
    [
        ({"type": "double"}, True, True),
        ({"type": ["null", "double"]}, True, False),
        ({"type": "double", "default": 1.0}, True, False),
        ({"type": "double"}, False, False),
    ],
)
def test_what_may_be_missing_is_not_required(field: dict[str, Any], taken: bool, required: bool) -> None:
    """Null, a default, or a field that is only carried."""
    assert required == columns(field, taken=taken)["required"]


def test_an_input_has_its_original_name() -> None:
    """As the data's owner knows it; the Avro name where another field is called so."""
    assert "mean x" == columns({"type": "double", "feature": "mean x"})["name"]
    assert "x" == columns({"type": "double", "feature": "n"})["name"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package that carries a text, as a model folder."""
    place = tmp_path_factory.mktemp("folder")
    write_model_folder(packed(place / "m"), place / "out")
    return place / "out"


def test_the_head_says_where_the_package_is(folder: Path) -> None:
    """With its hash, and what loads it."""
    head = yaml.safe_load((folder / "MLmodel").read_text())
    assert {"name": "m", "version": 1, "package": "package"}.items() <= head["metadata"][
        "prediction_stream"
    ].items()
    assert "prediction_stream_pyfunc" == head["flavors"]["python_function"]["loader_module"]
    assert "m@1" == open_package(folder / head["flavors"]["python_function"]["data"]).manifest.model


def test_the_example_has_no_carried_values(folder: Path) -> None:
    """It is shown to whoever may look at the registry."""
    example = json.loads((folder / "input_example.json").read_text())
    assert ["b", "a"] == example["columns"]
    assert "row " not in (folder / "serving_input_example.json").read_text()


def test_the_requirements_are_the_packages_own_versions(folder: Path) -> None:
    """And what opens it."""
    lines = (folder / "requirements.txt").read_text().split()
    manifest = open_package(folder / "package").manifest
    assert f"scikit-learn=={manifest.libraries['scikit-learn']}" in lines
    assert {"mlflow>=3", "pyarrow>=21"} <= set(lines)


def test_the_same_package_makes_the_same_folder(folder: Path, tmp_path: Path) -> None:
    """Byte by byte; another version is not put beside it."""
    package = open_package(folder / "package")
    again = write_model_folder(package, tmp_path / "out")
    for path in again.files:
        assert (folder / path.relative_to(tmp_path / "out")).read_bytes() == path.read_bytes()
    other = packed(tmp_path / "m2")
    other_second = packed(tmp_path / "m2")
    assert (1, 2) == (other.manifest.version, other_second.manifest.version)
    with pytest.raises(PackageError, match="holds another version"):
        write_model_folder(other_second, folder)


def test_the_answers_are_those_of_python(folder: Path) -> None:
    """In the same columns, with the index; a row that can't be scored has its error only."""
    asked = X.assign(id=[f"row {i}" for i in range(len(X))]).set_index(X.index + 5)
    asked.loc[7, "b"] = None
    expected = stream.load(folder / "package").predict(asked)
    found = load(str(folder / "package")).predict(asked)
    assert list(expected.columns) == list(found.columns)
    assert expected.index.equals(found.index)
    answer = ["id", "label", "score", "model"]
    expected_rows, rows = (table[answer].to_dict("records") for table in (expected.drop(7), found.drop(7)))
    assert expected_rows == rows
    assert [None] * 4 == list(found.loc[[7], answer].iloc[0])
    assert expected["error"].dropna().to_dict() == found["error"].dropna().to_dict()


def test_an_empty_frame_has_an_empty_answer(folder: Path) -> None:
    """With the same columns."""
    found = load(str(folder / "package")).predict(X.head(0))
    assert ["id", "label", "score", "model", "error"] == list(found.columns)
    assert 0 == len(found)


@pytest.mark.parametrize("asked", [X.to_numpy(), pd.concat([X, X], axis=1), {"a": [1.0]}])
def test_what_is_not_a_frame_of_these_columns_is_refused(folder: Path, asked: Any) -> None:
    """As a whole."""
    model = PackageModel(open_package(folder / "package"))
    with pytest.raises(InputError):
        model.predict(asked)


def test_the_shipped_code_is_what_scoring_needs_and_no_more() -> None:
    """No client of a server, no commands, no Kafka; small enough for a registry's page."""
    files = code_files()
    with zipfile.ZipFile(io.BytesIO(files["prediction_stream.zip"])) as archive:
        rooms = {name.split("/")[1].removesuffix(".py") for name in archive.namelist()}
        mlflow = {name for name in archive.namelist() if name.startswith("stream/mlflow/")}
    assert {"store", "table", "scoring", "codec", "types"} <= rooms
    assert rooms.isdisjoint(
        {"cli", "transport", "worker", "app", "rest", "sql", "spark", "tasks", "training"}
    )
    assert {f"stream/mlflow/{name}.py" for name in ("__init__", "pyfunc_loader", "signature")} == mlflow
    assert len(files["prediction_stream.zip"]) < 500_000


@pytest.mark.slow
def test_the_shipped_code_opens_the_package_by_itself(folder: Path) -> None:
    """Where prediction-stream is not installed: its own folder is not on the path of this interpreter."""
    script = (
        "import sys, json\n"
        f"sys.path = [p for p in sys.path if p != {str(Path(stream.__file__).parent.parent)!r}]\n"
        "sys.meta_path = [f for f in sys.meta_path if 'editable' not in repr(f).lower()]\n"
        f"sys.path.insert(0, {str(folder / 'code')!r})\n"
        f"import prediction_stream_pyfunc as l, pandas as pd\n"
        f"m = l._load_pyfunc({str(folder / 'package')!r})\n"
        "import stream; print(stream.__file__); print(m.predict(pd.DataFrame({'b': [0.5], 'a': [0.1]})).to_json())"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", script], capture_output=True, text=True, cwd="/", check=True
    )
    place, answer = done.stdout.splitlines()
    assert place.startswith(str(folder / "code/prediction_stream.zip"))
    assert {"0": "m@1"} == json.loads(answer)["model"]
