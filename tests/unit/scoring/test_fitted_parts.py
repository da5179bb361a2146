"""What is inside an estimator, and which of it answers."""

from __future__ import annotations

import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

from stream.scoring.fitted_parts import answering, inside, walk

NAMES = ("n", "a")
FRAME = pd.DataFrame({"n": range(16), "a": pd.Series([*"xxyy"] * 4, dtype=object)})
LABELS = [0, 1] * 8


def _search() -> GridSearchCV:
    scaled = FeatureUnion([("standard", StandardScaler()), ("range", MinMaxScaler())])
    columns = ColumnTransformer([("t", OneHotEncoder(), ["a"]), ("n", scaled, [0])])
    pipeline = make_pipeline(columns, PCA(2), LogisticRegression())
    return GridSearchCV(pipeline, {"logisticregression__C": [1.0]}, cv=2).fit(FRAME, LABELS)


def test_walk_comes_through_searches_pipelines_transformers_and_unions() -> None:
    """Each part comes before what it holds, with the columns that it sees."""
    found = [(type(part.estimator).__name__, part.columns) for part in walk(_search(), NAMES)]

    assert [
        ("GridSearchCV", NAMES),
        ("Pipeline", NAMES),
        ("ColumnTransformer", NAMES),
        ("OneHotEncoder", ("a",)),
        ("FeatureUnion", ("n",)),
        ("StandardScaler", ("n",)),
        ("MinMaxScaler", ("n",)),
        ("PCA", NAMES),
        ("LogisticRegression", NAMES),
    ] == found


def test_answering_part_is_the_last_step_of_a_searchs_best() -> None:
    """An estimator of one piece answers itself; an encoder that gradient boosting holds does not answer for it."""
    boosting = HistGradientBoostingClassifier(categorical_features=["a"]).fit(FRAME, LABELS)

    assert "LogisticRegression" == type(answering(_search())).__name__
    assert ["ColumnTransformer"] == [type(part.estimator).__name__ for part in inside(boosting, NAMES)]
    assert boosting is answering(boosting)


def test_subclass_of_a_pipeline_is_looked_into_as_one() -> None:
    """Other libraries' pipelines are scikit-learn's with more to them."""

    class Longer(Pipeline):  # type: ignore[misc]  # scikit-learn has no types
        pass

    last = LogisticRegression()

    assert [False, True] == [p.answers for p in inside(Longer([("a", StandardScaler()), ("b", last)]), ())]
