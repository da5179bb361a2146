"""What answers few rows of an opened version, and what is said of it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.neighbors import KNeighborsRegressor

from stream.errors import PackageError
from stream.manifest import Compilation
from stream.scoring import Model
from stream.store import Package, PackRequest, golden_of, open_package, pack
from stream.store.engine_choice import choose_engine
from stream.store.manifests import ENGINE_FILE
from tests.damage import damage

CHANCE = np.random.default_rng(4)
ROWS = pd.DataFrame({"a": CHANCE.normal(size=60), "b": CHANCE.normal(size=60)})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a package with a compiled graph; not to be changed."""
    estimator = GradientBoostingRegressor(n_estimators=5, random_state=0).fit(ROWS, ROWS["a"] * ROWS["b"])
    folder = tmp_path_factory.mktemp("packed") / "m"
    pack(estimator, PackRequest("m", folder), sample=ROWS)
    return folder


def _ways(package: Package) -> list[str]:
    return [trial.way.name for trial in package.model.ways]


def test_version_is_packed_with_its_graph_and_opened_with_it(folder: Path) -> None:
    """The graph is a file of the version, under its hash; the manifest says what was compared."""
    opened = open_package(folder, engine="auto")

    assert "compiled" == _ways(opened)[0]
    assert ENGINE_FILE in opened.manifest.files
    assert opened.engine.startswith("compiled for ")
    assert opened.engine.endswith(f": {opened.manifest.compiled}")
    assert opened.manifest.compiled is not None
    assert opened.manifest.compiled.rows > 60


def test_engine_sklearn_opens_no_graph(folder: Path) -> None:
    """The estimator answers any number of rows."""
    opened = open_package(folder, engine="sklearn")

    assert ("sklearn, as is asked for", False) == (opened.engine, "compiled" in _ways(opened))


def test_changed_graph_is_refused_as_any_changed_file(folder: Path, tmp_path: Path) -> None:
    """Its hash is the manifest's."""
    copy = Path(shutil.copytree(folder, tmp_path / "m"))
    damage(copy / "versions" / "1" / ENGINE_FILE)

    with pytest.raises(PackageError) as caught:
        open_package(copy, engine="auto")

    assert "hash" == caught.value.step


def _said(package: Package, content: bytes | None, compiled: Compilation | None) -> str:
    manifest = replace(package.manifest, compiled=compiled)
    model = Model(package.model.estimator, manifest)
    said = choose_engine(model, golden_of(package), content, "auto")

    assert "compiled" not in [trial.way.name for trial in model.ways]
    return said


def test_version_without_a_graph_says_why(folder: Path) -> None:
    """An older release packed it, or there is no graph for the model."""
    opened = open_package(folder)

    assert "sklearn (it was packed by a release that compiled none: pack it again)" == _said(
        opened, None, None
    )
    assert "sklearn (there is no graph for X)" == _said(
        opened, None, Compilation(reason="there is no graph for X")
    )
    assert f"sklearn (its manifest speaks of a compiled graph, and names no {ENGINE_FILE})" == _said(
        opened, None, Compilation(9)
    )


def test_graph_that_cannot_be_opened_is_not_used(folder: Path) -> None:
    """Another version of the runtime may refuse it; the estimator answers."""
    said = _said(open_package(folder), b"no graph", Compilation(9))

    assert said.startswith("sklearn (the compiled graph can't be opened: ")


def test_graph_that_answers_a_golden_row_otherwise_here_is_not_used(folder: Path) -> None:
    """It is that of another model with the same columns."""
    opened = open_package(folder)
    other = GradientBoostingRegressor(n_estimators=4, random_state=1).fit(ROWS, ROWS["b"])
    graph = _graph(opened, other)

    assert _said(opened, graph, Compilation(9)).startswith("sklearn (golden row 0 is answered otherwise ")


def _graph(package: Package, estimator: object) -> bytes:
    from stream.compiled import prove_engine
    from stream.scoring import columns_of

    golden = golden_of(package)
    columns = columns_of(golden.events, package.manifest.features)
    content, _ = prove_engine(Model(estimator, package.manifest), columns, len(golden.events))  # type: ignore[arg-type]
    assert content is not None
    return content


def test_runtime_that_is_not_installed_is_named_with_its_extra(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The core has none."""
    opened = open_package(folder)
    monkeypatch.setattr("stream.extras.find_spec", lambda name: None)

    said = _said(opened, b"", Compilation(9))

    assert said.startswith("sklearn (its compiled graph needs onnxruntime, which is not installed: ")
    assert "compiled" in said.rpartition(": ")[2]


def test_model_without_a_graph_is_packed_with_the_reason(tmp_path: Path) -> None:
    """As the last of the messages, and in the manifest."""
    packed = pack(KNeighborsRegressor().fit(ROWS, ROWS["a"]), PackRequest("m", tmp_path / "m"), sample=ROWS)
    manifest = json.loads((packed.package.path / "manifest.json").read_text())

    assert "no compiled graph: there is no graph for KNeighborsRegressor" == packed.messages[-1]
    assert "there is no graph for KNeighborsRegressor" == manifest["compiled"]["reason"]
    assert ENGINE_FILE not in manifest["files"]


def test_large_estimator_is_not_compiled(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its graph would be as large again, and be read at every start."""
    monkeypatch.setattr("stream.store.engine_file.MAX_MODEL_BYTES", 100)
    estimator = open_package(folder).model.estimator

    packed = pack(estimator, PackRequest("m", tmp_path / "m"), sample=ROWS)

    assert packed.messages[-1].endswith("bytes, at most 100 are compiled")
