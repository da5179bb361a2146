"""
Whether an opened estimator may be asked at all: libraries believe what a file says of memory, and so must not we.

scikit-learn's trees, nearest neighbours and support vector machines, and SciPy's sparse matrices, are scored by
compiled code that follows the numbers in them without looking: a child number past the last node reads foreign memory,
and ends the process; a node that is its own descendant never returns. Types alone do not show that. A class whose
numbers are followed in that way is a row of the table `_CHECKS`; no row imports its library.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeAlias

from stream.scoring.attempt import Raised, attempt
from stream.scoring.held_objects import held_objects
from stream.scoring.index_checks import (
    Unsound,
    check_centres,
    check_encoder,
    check_hasher,
    check_jobs,
    check_neighbours,
    check_space_tree,
    check_sparse,
    check_spline,
    check_support_vectors,
    check_text_input,
    check_vocabulary,
)
from stream.scoring.tree_checks import (
    check_boosted,
    check_decision_tree,
    check_forest,
    check_histogram_boosted,
    check_histogram_tree,
    check_isolation_forest,
    check_tree,
)

__all__ = ["unsound_part"]

Check: TypeAlias = Callable[[Any], None]

_CHECKS: tuple[tuple[str, str, Check], ...] = (
    ("sklearn.tree._tree", "Tree", check_tree),
    ("sklearn.tree._classes", "BaseDecisionTree", check_decision_tree),
    ("sklearn.ensemble._forest", "BaseForest", check_forest),
    ("sklearn.ensemble._iforest", "IsolationForest", check_isolation_forest),
    ("sklearn.ensemble._gb", "BaseGradientBoosting", check_boosted),
    ("sklearn.ensemble._hist_gradient_boosting.predictor", "TreePredictor", check_histogram_tree),
    (
        "sklearn.ensemble._hist_gradient_boosting.gradient_boosting",
        "BaseHistGradientBoosting",
        check_histogram_boosted,
    ),
    ("sklearn.neighbors._kd_tree", "BinaryTree64", check_space_tree),
    ("sklearn.neighbors._kd_tree", "BinaryTree32", check_space_tree),
    ("sklearn.neighbors._ball_tree", "BinaryTree64", check_space_tree),
    ("sklearn.neighbors._ball_tree", "BinaryTree32", check_space_tree),
    ("sklearn.neighbors._base", "NeighborsBase", check_neighbours),
    ("sklearn.svm._base", "BaseLibSVM", check_support_vectors),
    ("sklearn.cluster._kmeans", "_BaseKMeans", check_centres),
    ("sklearn.preprocessing._encoders", "OneHotEncoder", check_encoder),
    ("sklearn.feature_extraction.text", "_VectorizerMixin", check_text_input),
    ("sklearn.feature_extraction.text", "CountVectorizer", check_vocabulary),
    ("sklearn.feature_extraction._dict_vectorizer", "DictVectorizer", check_vocabulary),
    ("sklearn.feature_extraction.text", "HashingVectorizer", check_hasher),
    ("sklearn.feature_extraction._hash", "FeatureHasher", check_hasher),
    ("sklearn.base", "BaseEstimator", check_jobs),
    ("scipy.interpolate", "BSpline", check_spline),
    ("scipy.sparse", "sparray", check_sparse),
    ("scipy.sparse", "spmatrix", check_sparse),
)
"""Module, class, and what its instances must hold; subclasses as well."""


def unsound_part(estimator: object) -> str | None:
    """
    Look for numbers that a library would follow out of an estimator's own memory, and for what reads files.

    Args:
        estimator: as it was opened; it is not asked anything.
    Returns: the first part that must not be asked, with the reason; None for a sound one.
    """
    rows: dict[type, list[Check]] = {}
    for item in held_objects(estimator):
        kind = type(item)
        if kind not in rows:
            rows[kind] = _checks_of(kind)
        for check in rows[kind]:
            try:
                failure = attempt(lambda check=check, item=item: check(item))  # type: ignore[misc]
            except MemoryError:
                return f"{kind.__name__}: checking it takes more memory than there is"
            if isinstance(failure, Raised):
                what = "" if failure.exception.endswith(Unsound.__name__) else f"{failure.exception}: "
                return f"{kind.__name__}: {what}{failure.message}"
    return None


def _checks_of(kind: type) -> list[Check]:
    found = []
    for module, name, check in _CHECKS:
        known = getattr(sys.modules.get(module), name, None)
        if known is not None and issubclass(kind, known) and check not in found:
            found.append(check)
    return found
