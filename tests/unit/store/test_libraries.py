"""Which libraries fitted a model, and which modules it needs."""

from __future__ import annotations

import sys
from pathlib import Path

import joblib
import pandas as pd
import pytest
import sklearn
import sklearn.base
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from stream.files import read_sample
from stream.store import PackRequest, Trust, open_package, pack_estimator_file, show_version
from stream.store.libraries import distributions_of, fitted_versions, own_modules

X = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0]})


def test_a_model_of_an_older_library_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it is packed, in its manifest, and whenever it is opened or shown."""
    fitted = LogisticRegression().fit(X, [0, 0, 1, 1])
    with monkeypatch.context() as older:
        older.setattr(sklearn.base, "__version__", "1.4.2")  # stamps the file as that version would
        joblib.dump(fitted, tmp_path / "m.joblib")
    X.to_csv(tmp_path / "rows.csv", index=False)
    request = PackRequest("m", tmp_path / "m")
    packed = pack_estimator_file(tmp_path / "m.joblib", request, sample=read_sample(tmp_path / "rows.csv"))

    assert packed.messages[0].startswith(
        f"fitted with scikit-learn 1.4.2, opened with {sklearn.__version__}:"
    )
    package = open_package(tmp_path / "m")
    assert {"scikit-learn": "1.4.2"} == package.manifest.fitted
    note = f"fitted with scikit-learn 1.4.2, running with {sklearn.__version__}"
    assert note in package.notes
    assert note in show_version(tmp_path / "m", None, Trust()).differences


def test_the_version_that_is_here_is_not_worth_a_word() -> None:
    """Nor one that nobody names."""
    assert ({}, []) == fitted_versions([], {"scikit-learn": sklearn.__version__})


def test_any_other_warning_while_opening_is_passed_on() -> None:
    """Each once, on one line."""
    warning = UserWarning("loaded a\n   serialized model")
    assert ["opening it warned: UserWarning: loaded a serialized model"] == fitted_versions(
        [warning] * 2, {}
    )[1]


def test_a_module_of_ones_own_is_named_with_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function of it in a step counts; libraries do not."""
    (tmp_path / "doubling.py").write_text("def double(x):\n    return x * 2\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import doubling  # type: ignore[import-not-found]

    model = make_pipeline(FunctionTransformer(doubling.double), LogisticRegression()).fit(X, [0, 0, 1, 1])
    try:
        [sentence] = own_modules(model)
    finally:
        del sys.modules["doubling"]
    assert f"the module doubling ({tmp_path / 'doubling.py'})" in sentence
    assert [] == own_modules(LogisticRegression())


def test_a_distribution_that_is_installed_later_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a notebook, whose process knows those that were there when it packed before."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def install(name: str) -> None:
        (tmp_path / f"{name}.py").touch()
        place = tmp_path / f"dist_of_{name}-1.0.dist-info"
        place.mkdir()
        (place / "METADATA").write_text(f"Metadata-Version: 2.1\nName: dist-of-{name}\nVersion: 1.0\n")
        (place / "RECORD").write_text(f"{name}.py,,\n")

    install("first_one")
    assert {"first_one": ["dist-of-first_one"]} == distributions_of(["first_one"])
    install("second_one")
    assert {"first_one": ["dist-of-first_one"], "second_one": ["dist-of-second_one"], "no_one": []} == (
        distributions_of(["first_one", "second_one", "no_one"])
    )
