"""scikit-learn's estimators of one piece, on frames with names and on arrays without."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.cluster import Birch, BisectingKMeans, KMeans, MeanShift, MiniBatchKMeans
from sklearn.covariance import EllipticEnvelope
from sklearn.cross_decomposition import PLSRegression
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import (
    BayesianRidge,
    ElasticNet,
    HuberRegressor,
    Lasso,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    QuantileRegressor,
    RANSACRegressor,
    RidgeClassifier,
    SGDClassifier,
    SGDOneClassSVM,
    TheilSenRegressor,
    TweedieRegressor,
)
from sklearn.mixture import GaussianMixture
from sklearn.naive_bayes import BernoulliNB, GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor, LocalOutlierFactor, NearestCentroid
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.semi_supervised import LabelSpreading
from sklearn.svm import SVC, SVR, LinearSVR, NuSVC
from sklearn.tree import DecisionTreeClassifier

from tests.estimators.owned import Owned, air, flights, grade, late, named, numbers, unnamed

__all__ = ["PLAIN"]


def _several(*, texts: bool) -> np.ndarray:
    first, second = late().to_numpy(), (numbers()["distance"] > 900).astype(int).to_numpy()
    both = np.column_stack([first, second])
    return np.where(both == 1, "yes", "no").astype(object) if texts else both


def _pair() -> np.ndarray:
    return np.column_stack([air(), numbers()["dep_delay"]])


def _awkward() -> Owned:
    frame = numbers().set_axis(["dep delay (min)", "dep-delay", "2nd", "größe"], axis=1)
    return named(GaussianNB(), frame, grade())


def _vector() -> Owned:
    x = numbers().to_numpy()
    frame = pd.DataFrame({"embedding": [list(row) for row in x]})
    fitted = LogisticRegression(max_iter=2000).fit(x, grade())
    return Owned(fitted, x, frame, {"vector": "embedding"})


PLAIN = {
    "logistic regression": lambda: named(LogisticRegression(max_iter=2000), numbers(), grade()),
    "random forest with missing values": lambda: named(
        RandomForestClassifier(8, random_state=0), flights("temp", "distance", "hour", "weekend"), late()
    ),
    "decision tree": lambda: named(DecisionTreeClassifier(max_depth=4), numbers(), grade()),
    "extra trees": lambda: named(ExtraTreesClassifier(5, random_state=0), numbers(), late().astype(bool)),
    "gradient boosting": lambda: named(GradientBoostingClassifier(n_estimators=5), numbers(), grade()),
    "histogram regressor": lambda: named(
        HistGradientBoostingRegressor(max_iter=8), flights("temp", "distance", "hour"), air()
    ),
    "AdaBoost": lambda: named(AdaBoostClassifier(n_estimators=5, random_state=0), numbers(), late()),
    "bagging regressor": lambda: named(
        BaggingRegressor(n_estimators=4, max_features=2, random_state=0), numbers(), air()
    ),
    "linear regression": lambda: named(LinearRegression(), numbers(), air()),
    "linear regression with one column of answers": lambda: named(
        LinearRegression(), numbers(), air().to_frame()
    ),
    "lasso": lambda: named(Lasso(), numbers(), air()),
    "elastic net": lambda: unnamed(ElasticNet(), air()),
    "Bayesian ridge": lambda: named(BayesianRidge(), numbers(), air()),
    "Poisson regression": lambda: named(PoissonRegressor(max_iter=500), numbers() / 1000, late()),
    "Tweedie regression": lambda: unnamed(TweedieRegressor(power=0), air()),
    "Huber regression": lambda: named(HuberRegressor(max_iter=2000), numbers() / 100, air()),
    "quantile regression": lambda: named(QuantileRegressor(alpha=0.01), numbers() / 100, air()),
    "RANSAC": lambda: named(RANSACRegressor(random_state=0), numbers(), air()),
    "Theil-Sen": lambda: unnamed(TheilSenRegressor(random_state=0, max_iter=1000), air()),
    "ridge classifier": lambda: named(RidgeClassifier(), numbers(), grade()),
    "hinge loss": lambda: named(SGDClassifier(random_state=0), numbers() / 100, grade()),
    "SVC": lambda: named(SVC(), numbers(), grade()),
    "nu-SVC": lambda: unnamed(NuSVC(nu=0.2), late()),
    "SVR": lambda: named(SVR(), numbers(), air()),
    "linear SVR": lambda: unnamed(LinearSVR(max_iter=20_000), air(), numbers() / 1000),
    "kernel ridge": lambda: named(KernelRidge(), numbers(), air()),
    "Gaussian process": lambda: named(GaussianProcessRegressor(alpha=1.0), numbers() / 1000, air()),
    "nearest neighbours": lambda: named(KNeighborsClassifier(3), numbers(), grade()),
    "neighbours, several labels": lambda: unnamed(KNeighborsClassifier(3), _several(texts=False)),
    "neighbours regression, several values": lambda: named(KNeighborsRegressor(3), numbers(), _pair()),
    "nearest centroid": lambda: named(NearestCentroid(), numbers(), grade()),
    "Gaussian naive Bayes": lambda: named(GaussianNB(), numbers(), grade()),
    "Bernoulli naive Bayes": lambda: named(BernoulliNB(), flights("weekend", "hour"), late()),
    "linear discriminant": lambda: named(LinearDiscriminantAnalysis(), numbers(), grade()),
    "quadratic discriminant": lambda: unnamed(
        QuadraticDiscriminantAnalysis(reg_param=0.1), late(), numbers() / 100
    ),
    "neural network": lambda: named(
        MLPClassifier((4,), solver="lbfgs", max_iter=2000, random_state=0), numbers() / 100, late()
    ),
    "neural network, several labels": lambda: named(
        MLPClassifier((4,), solver="lbfgs", max_iter=2000, random_state=0),
        numbers() / 100,
        _several(texts=False),
    ),
    "neural network, several values": lambda: unnamed(
        MLPRegressor(hidden_layer_sizes=(4,), solver="lbfgs", max_iter=5000, random_state=0),
        _pair(),
        numbers() / 100,
    ),
    "forest, several texts": lambda: named(
        RandomForestClassifier(4, random_state=0), numbers(), _several(texts=True)
    ),
    "forest, several values": lambda: named(RandomForestRegressor(4, random_state=0), numbers(), _pair()),
    "label spreading": lambda: named(LabelSpreading(kernel="knn"), numbers(), late()),
    "partial least squares": lambda: named(PLSRegression(2), numbers(), air()),
    "k-means": lambda: named(KMeans(3, n_init=1, random_state=0), numbers()),
    "mini-batch k-means": lambda: unnamed(MiniBatchKMeans(3, n_init=1, random_state=0)),
    "bisecting k-means": lambda: named(BisectingKMeans(3, random_state=0), numbers()),
    "Birch": lambda: named(Birch(n_clusters=3), numbers()),
    "mean shift": lambda: named(MeanShift(bandwidth=600.0), numbers()),
    "Gaussian mixture": lambda: named(GaussianMixture(2, random_state=0), numbers()),
    "isolation forest": lambda: named(IsolationForest(n_estimators=8, random_state=0), numbers()),
    "local outlier factor": lambda: unnamed(LocalOutlierFactor(novelty=True)),
    "elliptic envelope": lambda: named(EllipticEnvelope(random_state=0), numbers()),
    "one-class SGD": lambda: unnamed(SGDOneClassSVM(random_state=0), x=numbers() / 100),
    "dummy regressor": lambda: named(DummyRegressor(), numbers(), air()),
    "names that Avro can't hold": _awkward,
    "one array field": _vector,
}
