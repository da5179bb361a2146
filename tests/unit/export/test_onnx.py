"""Models as ONNX: proven equal, or refused with the rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_wine
from sklearn.decomposition import PCA
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier, VotingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Binarizer, KBinsDiscretizer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from stream.errors import PackageError
from stream.export.bigquery import model_name
from stream.export.bigquery_model import model_ddl
from stream.export.onnx import compile_onnx
from stream.store import Package, PackRequest, golden_of, open_package, pack

pytestmark = pytest.mark.slow  # each compiles a graph


def packed(folder: Path, estimator: object, sample: pd.DataFrame, name: str = "small") -> Package:
    """A small package."""
    return pack(estimator, PackRequest(name, folder / name), sample=sample).package


def shop() -> tuple[object, pd.DataFrame]:
    """Three kinds of visitors, by a text, a number that may be missing, and a boolean."""
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            "channel": rng.choice(["mail", "search", "social"], 60),
            "seconds": np.where(rng.random(60) < 0.2, np.nan, rng.normal(60, 20, 60)),
            "member": rng.random(60) < 0.5,
        }
    )
    kind = np.where(frame["channel"] == "mail", "buys", np.where(frame["member"], "comes back", "leaves"))
    columns = ColumnTransformer(
        [
            ("text", OneHotEncoder(handle_unknown="ignore"), ["channel"]),
            ("number", make_pipeline(SimpleImputer(), StandardScaler()), ["seconds", "member"]),
        ]
    )
    return make_pipeline(columns, LogisticRegression()).fit(frame, kind), frame


def test_pipeline_answers_as_it_did(tmp_path: Path) -> None:
    """Labels are equal, scores to a double's last digits, on golden rows and beside them; any runtime can ask it."""
    estimator, frame = shop()
    package = packed(tmp_path, estimator, frame)

    compiled = compile_onnx(package, golden_of(package))

    assert (60, 0, 0, 1e-12) == (compiled.rows, compiled.left_out, compiled.ties, compiled.tolerance)
    assert compiled.tried > 10
    assert 0 <= compiled.difference < 1e-14
    assert (("channel", "string"), ("seconds", "double"), ("member", "double")) == compiled.inputs
    assert ("label", "score", "probabilities") == compiled.outputs
    session = onnxruntime.InferenceSession(compiled.content)
    asked = {
        "channel": np.array([["mail"]], dtype=object),
        "seconds": np.array([[np.nan]]),
        "member": np.array([[0.0]]),
    }
    assert ["buys"] == session.run(None, asked)[0].tolist()


def test_regressor_on_plain_columns(tmp_path: Path) -> None:
    """A model without column names has one input."""
    frame = pd.DataFrame({"a": np.arange(20.0), "b": np.arange(20.0)[::-1] ** 2})
    package = packed(tmp_path, LinearRegression().fit(frame.to_numpy(), frame["a"] + frame["b"]), frame)

    compiled = compile_onnx(package, golden_of(package))

    assert (("features", "double"),) == compiled.inputs
    assert "[CAST(`a` AS FLOAT64), CAST(`b` AS FLOAT64)] AS features" in model_ddl(
        package.manifest, compiled, "acme.shop", "gs://acme/onnx"
    )


@pytest.mark.parametrize(
    "estimator",
    [
        make_pipeline(StandardScaler(), LogisticRegression()),
        make_pipeline(PCA(3), LogisticRegression(max_iter=1_000)),
        RandomForestClassifier(5, random_state=0),
        GradientBoostingRegressor(n_estimators=5, random_state=0),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_estimators_fitted_on_a_frame(tmp_path: Path, estimator: BaseEstimator) -> None:
    """Bare estimators compile too, and a column that ONNX can't name has the same other name in BigQuery's script."""
    frame, kind = load_wine(return_X_y=True, as_frame=True)
    package = packed(tmp_path, estimator.fit(frame, kind), frame)

    compiled = compile_onnx(package, golden_of(package))

    assert 178 == compiled.rows
    assert 13 == len(compiled.inputs)
    assert ("od280_od315_of_diluted_wines", "double") in compiled.inputs
    assert "CAST(`od280_od315_of_diluted_wines` AS FLOAT64) AS `od280_od315_of_diluted_wines`" in model_ddl(
        package.manifest, compiled, "acme.shop", "gs://acme/onnx"
    )


def test_names_that_are_one_to_onnx(tmp_path: Path) -> None:
    """Columns are fed by place: `a/b` and `a_b` are two inputs, and each has its own values."""
    frame = pd.DataFrame({"a/b": np.arange(20.0), "a_b": np.arange(20.0)[::-1] ** 2})
    package = packed(tmp_path, LinearRegression().fit(frame, frame["a/b"] * 3 - frame["a_b"]), frame)

    compiled = compile_onnx(package, golden_of(package))

    assert 2 == len({name for name, _ in compiled.inputs})


def test_whole_numbers_beyond_float32(tmp_path: Path) -> None:
    """A tree that tells 16,777,216 from 16,777,217 does so compiled, since numbers before it are doubles."""
    frame = pd.DataFrame({"n": 2.0**24 + np.arange(30.0)})
    shifted = make_pipeline(StandardScaler(with_std=False), DecisionTreeRegressor(random_state=0))
    shifted.fit(frame, np.arange(30.0))
    package = packed(tmp_path, shifted, frame)

    assert 0.0 == compile_onnx(package, golden_of(package)).difference


def test_model_that_answers_otherwise_is_refused(tmp_path: Path) -> None:
    """Neighbours 1e-9 apart are one in float32, which is what skl2onnx's graph computes in: the rows are named."""
    frame = pd.DataFrame({"n": 1 + np.arange(30) * 1e-9})
    neighbours = KNeighborsRegressor(1).fit(frame, np.arange(30.0))
    package = packed(tmp_path, neighbours, frame)

    with pytest.raises(
        PackageError, match=r"compiled, it answers differently: row \d+: value was"
    ) as refused:
        compile_onnx(package, golden_of(package))

    assert "stream export --to bigquery" in refused.value.hint


def test_smooth_model_by_skl2onnx(tmp_path: Path) -> None:
    """What has no graph of ours is compiled in float32, within 1e-5."""
    frame = pd.DataFrame({"n": np.arange(30.0), "m": np.arange(30.0)[::-1] ** 2})
    package = packed(tmp_path, make_pipeline(StandardScaler(), SVR()).fit(frame, np.arange(30.0)), frame)

    compiled = compile_onnx(package, golden_of(package))

    assert (1e-5, (("n", "float"), ("m", "float"))) == (compiled.tolerance, compiled.inputs)


@pytest.mark.parametrize(
    ("estimator", "reason"),
    [
        (VotingClassifier([("tree", DecisionTreeClassifier(max_depth=2))]), "it has trees inside"),
        (make_pipeline(StandardScaler(), SVC()), "its score is a decision function"),
        (
            make_pipeline(KBinsDiscretizer(encode="ordinal"), GaussianNB()),
            "float32, and it has KBinsDiscretizer inside",
        ),
        (make_pipeline(Binarizer(threshold=1.1), GaussianNB()), "float32, and it has Binarizer inside"),
    ],
)
def test_model_without_a_graph_is_refused(tmp_path: Path, estimator: BaseEstimator, reason: str) -> None:
    """With what it is that has none, and why skl2onnx was not asked."""
    frame, kind = load_wine(return_X_y=True, as_frame=True)
    package = packed(tmp_path, estimator.fit(frame, kind == 1), frame)

    with pytest.raises(PackageError, match=f"there is no graph for .*; .*{reason}"):
        compile_onnx(package, golden_of(package))


def test_empty_text_beside_null_is_not_taken_for_it(tmp_path: Path) -> None:
    """Where both are categories, rows with a null are left out, and the query does not ask about them."""
    frame = pd.DataFrame({"text": pd.Series(["a", "", None] * 20, dtype=object)})
    estimator = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression())
    package = packed(tmp_path, estimator.fit(frame, [1, 2, 3] * 20), frame)

    compiled = compile_onnx(package, golden_of(package))

    assert (40, 20, False) == (compiled.rows, compiled.left_out, compiled.nulls)
    ddl = model_ddl(package.manifest, compiled, "acme.shop", "gs://acme/onnx")
    assert "--   CAST(`text` AS STRING) AS `text`\n" in ddl
    assert "a text that is missing can't be asked about" in ddl


@pytest.mark.parametrize(
    "steps",
    [
        (OneHotEncoder(handle_unknown="ignore"),),
        (OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=15),),
        (
            SimpleImputer(strategy="constant", fill_value="b", missing_values=None),
            OneHotEncoder(handle_unknown="ignore"),
        ),
    ],
    ids=["a category", "a rare one", "filled"],
)
def test_empty_text_that_is_unknown_is_not_null(tmp_path: Path, steps: tuple[BaseEstimator, ...]) -> None:
    """Where a null has an answer of its own, an empty text has that of any text that the model does not know."""
    frame = pd.DataFrame(
        {"text": pd.Series(["a", "b", "(empty)", None] * 10 + ["a", None] * 10, dtype=object)}
    )
    estimator = make_pipeline(*steps, LogisticRegression()).fit(frame, [1, 2, 3, 4] * 10 + [1, 4] * 10)
    package = packed(tmp_path, estimator, frame)

    compiled = compile_onnx(package, golden_of(package))

    session = onnxruntime.InferenceSession(compiled.content)
    asked = {"text": np.array([[""], [compiled.empty], ["x"]], object)}
    null, empty, unknown = session.run(["probabilities"], asked)[0].tolist()
    assert unknown == empty != null
    rows = pd.DataFrame({"text": pd.Series([None, "", "x"], dtype=object)})
    np.testing.assert_allclose([null, empty, unknown], estimator.predict_proba(rows), rtol=1e-12)
    ddl = model_ddl(package.manifest, compiled, "acme.shop", "gs://acme/onnx")
    text = "CAST(`text` AS STRING)"
    assert f"IF({text} = '', '(empty))', IFNULL({text}, '')) AS `text`\n" in ddl


def test_flights() -> None:
    """The demo's trees, which split on texts and on missing values."""
    package = open_package("models/flights")

    compiled = compile_onnx(package, golden_of(package))

    assert (200, 0, 0) == (compiled.rows, compiled.ties, compiled.left_out)
    assert compiled.tried > 500
    assert compiled.difference < 1e-14


def test_extremes_are_asked_without_a_warning(tmp_path: Path) -> None:
    """Infinities of both signs, and sums that overflow, are what is tried: a warning, here an error, says nothing."""
    frame = pd.DataFrame({"a": np.linspace(-1e300, 1e300, 20), "b": np.linspace(0.0, 1.0, 20)})
    package = packed(tmp_path, LinearRegression().fit(frame, frame["b"] * 1e200), frame)

    assert 0 < compile_onnx(package, golden_of(package)).tried


def test_ddl_names_every_input(tmp_path: Path) -> None:
    """What BigQuery is told: the model's folder, and each column in the type that ONNX takes."""
    estimator, frame = shop()
    package = packed(tmp_path, estimator, frame, "shop-visits")
    compiled = compile_onnx(package, golden_of(package))

    ddl = model_ddl(package.manifest, compiled, "acme.shop", "gs://acme/onnx/")

    assert (
        f"CREATE OR REPLACE MODEL `acme.shop.{model_name('shop-visits')}_1`\nOPTIONS (MODEL_TYPE = 'ONNX', MODEL_PATH = 'gs://acme/onnx/model.onnx');"
        in ddl
    )
    assert "--   CAST(`channel` AS STRING) AS `channel`,\n" in ddl
    assert "--   IFNULL(CAST(`seconds` AS FLOAT64), CAST('NaN' AS FLOAT64)) AS `seconds`,\n" in ddl
    assert "--   CAST(CAST(`member` AS INT64) AS FLOAT64) AS `member`\n" in ddl
