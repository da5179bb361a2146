"""Numbers that a library would follow out of an estimator's memory, and texts that it would open as files."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    RandomTreesEmbedding,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import (
    KernelDensity,
    KNeighborsClassifier,
    KNeighborsRegressor,
    LocalOutlierFactor,
    RadiusNeighborsClassifier,
)
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, SplineTransformer
from sklearn.svm import SVC, SVR, OneClassSVM
from sklearn.tree import DecisionTreeClassifier, ExtraTreeRegressor

from stream.scoring import unsound_part

_RNG = np.random.default_rng(3)
X = np.column_stack([_RNG.normal(size=(60, 3)), np.arange(60) % 4])
Y = ((X[:, 0] + X[:, 3]) > 1).astype(int)
THREE = np.arange(60) % 3
TEXTS = ["one two", "two three", "three four five"] * 20


def _with_nodes(tree: Any, field: str, value: int, at: int = 0) -> None:
    state = tree.__getstate__()
    state["nodes"] = state["nodes"].copy()
    state["nodes"][field][at] = value
    tree.__setstate__(state)


def _wider(tree: Any) -> Any:
    """The same kind of tree, fitted on more columns than its holder lets pass."""
    return type(tree)(random_state=0).fit(np.hstack([X, X]), Y)


def _categorical() -> HistGradientBoostingClassifier:
    model = HistGradientBoostingClassifier(max_iter=3, categorical_features=[3], min_samples_leaf=2)
    return model.fit(X, np.isin(X[:, 3], [1, 3]))


def _predictor(model: Any) -> Any:
    return vars(model)["_predictors"][0][0]


def _set(target: Any, name: str, value: object) -> None:
    setattr(target, name, value)


def _state(target: Any, place: int, change: Callable[[Any], object]) -> None:
    state = list(target.__getstate__())
    state[place] = change(state[place])
    target.__setstate__(tuple(state))


def _distance(tree: Any, place: int, value: object) -> None:
    state = tree.__getstate__()
    found = list(state[11].__getstate__())
    found[place] = value
    state[11].__setstate__(tuple(found))
    tree.__setstate__(state)


def _edit(array: Any, at: Any, value: object) -> bool:
    array.flags.writeable = True
    array[at] = value
    return True


TREES: dict[str, tuple[Callable[[], Any], Callable[[Any], object]]] = {
    "child far away": (
        lambda: DecisionTreeClassifier().fit(X, Y),
        lambda m: _with_nodes(m.tree_, "left_child", 2**40),
    ),
    "child before the first": (
        lambda: DecisionTreeClassifier().fit(X, Y),
        lambda m: _with_nodes(m.tree_, "right_child", -7),
    ),
    "child one too far": (
        lambda: ExtraTreeRegressor().fit(X, Y),
        lambda m: _with_nodes(m.tree_, "left_child", m.tree_.node_count),
    ),
    "node below itself": (
        lambda: DecisionTreeClassifier().fit(X, Y),
        lambda m: _with_nodes(m.tree_, "left_child", 0),
    ),
    "both children the same": (
        lambda: DecisionTreeClassifier().fit(X, Y),
        lambda m: _with_nodes(m.tree_, "left_child", int(m.tree_.children_right[0])),
    ),
    "column that is not there": (
        lambda: DecisionTreeClassifier().fit(X, Y),
        lambda m: _with_nodes(m.tree_, "feature", 4),
    ),
    "column before the first": (
        lambda: RandomForestClassifier(n_estimators=3).fit(X, Y),
        lambda m: _with_nodes(m.estimators_[2].tree_, "feature", -2),
    ),
    "more nodes than there are": (
        lambda: DecisionTreeClassifier().fit(X, Y),
        lambda m: m.tree_.__setstate__(m.tree_.__getstate__() | {"node_count": 2**30}),
    ),
    "no node": (
        lambda: DecisionTreeClassifier().fit(X, Y),
        lambda m: m.tree_.__setstate__(m.tree_.__getstate__() | {"node_count": 0}),
    ),
    "width of the tree's holder": (
        lambda: DecisionTreeClassifier().fit(X, Y),
        lambda m: _set(m, "n_features_in_", 2),
    ),
    "no width": (lambda: DecisionTreeClassifier().fit(X, Y), lambda m: delattr(m, "n_features_in_")),
    "forest's second tree wider": (
        lambda: ExtraTreesRegressor(n_estimators=3).fit(X, Y),
        lambda m: m.estimators_.__setitem__(1, _wider(m.estimators_[1])),
    ),
    "embedding's tree wider": (
        lambda: RandomTreesEmbedding(n_estimators=3).fit(X),
        lambda m: m.estimators_.__setitem__(1, _wider(m.estimators_[1])),
    ),
    "isolation's tree wider": (
        lambda: IsolationForest(n_estimators=3).fit(X),
        lambda m: m.estimators_.__setitem__(1, _wider(m.estimators_[1])),
    ),
    "boosting's tree wider": (
        lambda: GradientBoostingClassifier(n_estimators=2).fit(X, Y),
        lambda m: m.estimators_.__setitem__((1, 0), _wider(m.estimators_[1, 0])),
    ),
    "boosting's trees for more outputs than it has": (
        lambda: GradientBoostingRegressor(n_estimators=2).fit(X, THREE),
        lambda m: vars(m).update(estimators_=np.hstack([m.estimators_] * 3), n_trees_per_iteration_=3),
    ),
    "boosting's loss of fewer classes": (
        lambda: GradientBoostingClassifier(n_estimators=2).fit(X, THREE),
        lambda m: _set(m, "_loss", vars(GradientBoostingClassifier(n_estimators=1).fit(X, Y))["_loss"]),
    ),
    "boosting begins with fewer classes": (
        lambda: GradientBoostingClassifier(n_estimators=2).fit(X, THREE),
        lambda m: _set(m.init_, "class_prior_", m.init_.class_prior_[:2]),
    ),
    "boosting's trees for more classes": (
        lambda: GradientBoostingClassifier(n_estimators=2).fit(X, Y),
        lambda m: _set(m, "estimators_", np.hstack([m.estimators_] * 3)),
    ),
}

HISTOGRAM_TREES: dict[str, tuple[Callable[[], Any], Callable[[Any], object]]] = {
    "child far away": (_categorical, lambda m: _edit(_predictor(m).nodes["left"], 0, 2**31)),
    "node below itself": (_categorical, lambda m: _edit(_predictor(m).nodes["right"], 0, 0)),
    "column that is not there": (_categorical, lambda m: _edit(_predictor(m).nodes["feature_idx"], 0, 4)),
    "column before the first": (_categorical, lambda m: _edit(_predictor(m).nodes["feature_idx"], 0, -1)),
    "no node": (_categorical, lambda m: _set(_predictor(m), "nodes", _predictor(m).nodes[:0])),
    "set of categories far away": (
        _categorical,
        lambda m: [
            _edit(t.nodes["bitset_idx"], slice(None), 9_999) for ts in vars(m)["_predictors"] for t in ts
        ],
    ),
    "category of a number": (
        _categorical,
        lambda m: [
            _edit(t.nodes["is_categorical"], slice(None), 1) for ts in vars(m)["_predictors"] for t in ts
        ],
    ),
    "width": (_categorical, lambda m: _set(m, "n_features_in_", 9)),
    "encoder that drops columns": (
        _categorical,
        lambda m: _set(vars(m)["_preprocessor"], "transformers_", vars(m)["_preprocessor"].transformers_[:1]),
    ),
}

INDICES: dict[str, tuple[Callable[[], Any], Callable[[Any], object]]] = {
    "sparse coefficients": (
        lambda: LogisticRegression().fit(X, Y).sparsify(),
        lambda m: _edit(m.coef_.indices, 0, 10**6),
    ),
    "sparse rows": (
        lambda: LogisticRegression().fit(X, THREE).sparsify(),
        lambda m: _edit(m.coef_.indptr, 1, 10**6),
    ),
    "sparse columns of a column matrix": (
        lambda: {"kept": [sp.csc_array(X)]},
        lambda m: _edit(m["kept"][0].indices, 0, -5),
    ),
    "sparse places": (
        lambda: np.array([sp.coo_array(X), None], dtype=object),
        lambda m: _edit(m[0].coords[0], 0, 10**6),
    ),
    "support vectors by class": (
        lambda: SVC().fit(X, Y),
        lambda m: _edit(vars(m)["_n_support"], 0, 10**6),
    ),
    "weights of support vectors": (
        lambda: SVC().fit(X, THREE),
        lambda m: _set(m, "_dual_coef_", vars(m)["_dual_coef_"][:, :2]),
    ),
    "intercepts": (lambda: SVC().fit(X, THREE), lambda m: _set(m, "_intercept_", vars(m)["_intercept_"][:1])),
    "support vectors": (
        lambda: SVR().fit(X, Y),
        lambda m: _set(m, "support_vectors_", m.support_vectors_[:2]),
    ),
    "sparse support vectors": (
        lambda: OneClassSVM().fit(sp.csr_matrix(X)),
        lambda m: _set(m, "support_vectors_", m.support_vectors_[:2]),
    ),
    "precomputed support": (
        lambda: SVC(kernel="precomputed").fit(X @ X.T, Y),
        lambda m: _edit(m.support_, 0, 10**6),
    ),
    "k-d tree's points": (
        lambda: KNeighborsClassifier(algorithm="kd_tree", leaf_size=5).fit(X, Y),
        lambda m: _state(vars(m)["_tree"], 1, lambda order: order + 60),
    ),
    "k-d tree's nodes": (
        lambda: KNeighborsClassifier(algorithm="kd_tree", leaf_size=5).fit(X, Y),
        lambda m: _state(vars(m)["_tree"], 2, lambda nodes: nodes[:1]),
    ),
    "ball tree's bounds": (
        lambda: KNeighborsRegressor(algorithm="ball_tree", leaf_size=5).fit(X, Y),
        lambda m: _edit(vars(m)["_tree"].__getstate__()[2]["idx_end"], 0, 10**6),
    ),
    "labels of neighbours": (
        lambda: KNeighborsClassifier(algorithm="brute").fit(X, Y),
        lambda m: _set(m, "_y", vars(m)["_y"][:3]),
    ),
    "centres": (
        lambda: KMeans(3, n_init=1).fit(X),
        lambda m: _set(m, "cluster_centers_", m.cluster_centers_[:, :2].copy()),
    ),
    "centres of small batches": (
        lambda: MiniBatchKMeans(3, n_init=1).fit(X),
        lambda m: _set(m, "n_features_in_", 400),
    ),
    "words": (
        lambda: make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(TEXTS, Y),
        lambda m: m[0].vocabulary_.update(two=10**9),
    ),
    "columns of categories": (
        lambda: make_pipeline(OneHotEncoder(), LogisticRegression()).fit(X[:, 3:], Y),
        lambda m: _set(m[0], "_n_features_outs", [2]),
    ),
    "categories in no order": (
        lambda: OneHotEncoder().fit(X[:, 3:]),
        lambda m: _set(m, "categories_", [m.categories_[0][::-1]]),
    ),
    "points of fewer columns than rows": (
        lambda: KNeighborsRegressor(algorithm="brute").fit(X, Y),
        lambda m: _set(m, "_fit_X", vars(m)["_fit_X"][:, :1].copy()),
    ),
    "sparse points of fewer columns than rows": (
        lambda: KNeighborsRegressor(algorithm="brute").fit(sp.csr_array(X), Y),
        lambda m: _set(m, "_fit_X", sp.csr_array(X[:, :1])),
    ),
    "fewer points than it says": (
        lambda: LocalOutlierFactor(novelty=True, algorithm="brute").fit(X),
        lambda m: _set(m, "_fit_X", vars(m)["_fit_X"][:9].copy()),
    ),
    "point of a class that is not there": (
        lambda: KNeighborsClassifier(algorithm="brute").fit(X, THREE),
        lambda m: _edit(vars(m)["_y"], 7, 3),
    ),
    "point of a class that is not there, of several outputs": (
        lambda: RadiusNeighborsClassifier().fit(X, np.column_stack([Y, THREE])),
        lambda m: _edit(vars(m)["_y"], (7, 0), 2**40),
    ),
    "distance with weights of fewer columns": (
        lambda: KNeighborsRegressor(
            algorithm="ball_tree", metric="seuclidean", metric_params={"V": np.ones(4)}
        ).fit(X, Y),
        lambda m: _distance(vars(m)["_tree"], 1, np.ones(1)),
    ),
    "distance by a matrix of fewer rows": (
        lambda: KernelDensity(
            algorithm="ball_tree", metric="mahalanobis", metric_params={"VI": np.eye(4)}
        ).fit(X),
        lambda m: _distance(m.tree_, 2, np.eye(1)),
    ),
    "distance by a matrix of fewer columns": (
        lambda: KernelDensity(
            algorithm="ball_tree", metric="mahalanobis", metric_params={"VI": np.eye(4)}
        ).fit(X),
        lambda m: _distance(m.tree_, 2, np.ones((4, 1))),
    ),
    "spline of fewer coefficients": (
        lambda: SplineTransformer().fit(X),
        lambda m: _set(m.bsplines_[0], "c", m.bsplines_[0].c[:1]),
    ),
    "spline of a degree without knots": (
        lambda: SplineTransformer().fit(X),
        lambda m: _set(m.bsplines_[2], "k", 10**7),
    ),
    "no columns to hash to": (
        lambda: make_pipeline(HashingVectorizer(n_features=8), LogisticRegression()).fit(TEXTS, Y),
        lambda m: _set(m[0], "n_features", 0),
    ),
    "a million threads": (
        lambda: RandomForestClassifier(n_estimators=2).fit(X, Y),
        lambda m: _set(m, "n_jobs", 10**6),
    ),
}


@pytest.mark.parametrize(
    ("build", "damage"),
    [
        pytest.param(*case, id=f"{kind}: {name}")
        for kind, cases in (("tree", TREES), ("histogram tree", HISTOGRAM_TREES), ("indices", INDICES))
        for name, case in cases.items()
    ],
)
def test_number_that_leads_out_of_the_estimator_is_found(
    build: Callable[[], Any], damage: Callable[[Any], object]
) -> None:
    """As it was fitted it is sound; with the one number changed it is not."""
    model = build()
    assert unsound_part(model) is None

    damage(model)

    assert isinstance(unsound_part(model), str)


class Own:
    """A class of somebody's own, with its parts where no library looks."""

    def __init__(self, part: object) -> None:
        self.kept: dict[str, object] = {"parts": (part, {"more": [part]})}


@pytest.mark.parametrize(
    "wrap",
    [
        lambda part: make_pipeline(FunctionTransformer(), part),
        lambda part: VotingClassifier([("a", part)]),
        lambda part: StackingClassifier([("a", part)], final_estimator=part),
        BaggingClassifier,
        lambda part: FeatureUnion([("a", FunctionTransformer()), ("b", part)]),
        lambda part: ColumnTransformer([("a", part, [0])]),
        lambda part: np.array([[None, part]], dtype=object),
        lambda part: np.array([(1, part)], dtype=[("a", int), ("b", object)]),
        lambda part: FunctionTransformer(func=part.predict),
        lambda part: FunctionTransformer(func=partial(print, part, x=part)),
        lambda part: FunctionTransformer(kw_args=MappingProxyType({"x": part})),
        lambda part: ({part},),
        Own,
    ],
    ids=[
        "pipeline",
        "vote",
        "stack",
        "bag",
        "union",
        "columns",
        "array",
        "structured array",
        "method",
        "partial",
        "read-only mapping",
        "set",
        "own class",
    ],
)
def test_unsound_part_is_found_however_deep_it_is(wrap: Callable[[Any], object]) -> None:
    """Whatever holds it."""
    tree = DecisionTreeClassifier().fit(X, Y)
    assert unsound_part(wrap(tree)) is None

    _with_nodes(tree.tree_, "left_child", 2**40)

    assert "Tree: a child's number is 1099511627776" in str(unsound_part(wrap(tree)))


@pytest.mark.parametrize("kind", [CountVectorizer, TfidfVectorizer, HashingVectorizer])
@pytest.mark.parametrize("source", ["filename", "file"])
def test_vectorizer_that_opens_what_events_name_is_found(kind: Any, source: str) -> None:
    """Its texts would be names of files on the machine that scores."""
    assert unsound_part(make_pipeline(kind(input="content"))) is None
    assert f"input='{source}'" in str(unsound_part(make_pipeline(kind(input=source))))


def test_what_refers_to_itself_is_looked_at_once() -> None:
    """No walk without an end."""
    own = Own(None)
    own.kept["parts"] = (own, own.kept)

    assert unsound_part(own) is None
