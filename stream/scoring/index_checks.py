"""Numbers that say where something else is: each within what it points into."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = [
    "Unsound",
    "attribute",
    "check_centres",
    "check_encoder",
    "check_hasher",
    "check_jobs",
    "check_neighbours",
    "check_space_tree",
    "check_sparse",
    "check_spline",
    "check_support_vectors",
    "check_text_input",
    "check_vocabulary",
    "require",
    "within",
]

MAX_JOBS = 4_096
"""Threads or processes that an estimator may ask for at once."""


class Unsound(Exception):
    """What of an opened estimator must not be followed."""


def require(sound: bool, text: str) -> None:
    """Raises: Unsound."""
    if not sound:
        raise Unsound(text)


def attribute(item: Any, name: str) -> Any:
    """An attribute that a fitted estimator has. Raises: Unsound."""
    found = vars(item).get(name)
    require(found is not None, f"{type(item).__name__} has no {name}")
    return found


def within(what: str, numbers: Any, low: int, high: int) -> None:
    """Each number of an array is ≥ low and < high. Raises: Unsound naming the first that is not."""
    numbers = np.asarray(numbers)
    if not numbers.size:
        return
    require(numbers.dtype.kind in "iu", f"{what} is no whole number")
    if int(numbers.min()) < low or int(numbers.max()) >= high:
        wrong = numbers[(numbers < low) | (numbers >= high)].ravel()[0]
        raise Unsound(f"{what} is {wrong}, expected {low} to {high - 1}")


def check_sparse(matrix: Any) -> None:
    """SciPy's compiled code believes the indices of a sparse matrix."""
    full = getattr(matrix, "check_format", None)
    if full is not None:
        full(full_check=True)
    elif matrix.format == "coo":
        for numbers, size in zip(matrix.coords, matrix.shape, strict=True):
            require(len(numbers) == len(matrix.data), "has more values than places")
            within("an index", numbers, 0, size)


def check_space_tree(tree: Any) -> None:
    """KDTree and BallTree: nodes are found by number, 2i + 1 and 2i + 2, and points by the nodes' bounds."""
    points, order, nodes, bounds, _, _, count, *_, distance, weights = tree.__getstate__()
    size = len(points)
    distance._validate_data(points)  # has as many weights as there are columns
    shape = np.shape(distance.__getstate__()[2])
    require(shape[0] == shape[1], f"measures by a matrix of {shape}")
    require(order.shape == (size,), f"orders {order.size} of {size} points")
    within("a point's number", order, 0, size)
    require(1 <= count == len(nodes) and bounds.shape[1:] == (count, points.shape[1]), "nodes are missing")
    within("a node's first point", nodes["idx_start"], 0, size + 1)
    within("a node's last point", nodes["idx_end"], 0, size + 1)
    inner = np.flatnonzero(nodes["is_leaf"] == 0)
    within("a child's number", 2 * inner + 2, 1, count)
    require(weights is None or len(weights) == size, "weights are missing")


def check_neighbours(estimator: Any) -> None:
    """Rows are compared with points column by column; the labels of the points that are found are taken by number."""
    own = vars(estimator)
    points, labels = own.get("_fit_X"), own.get("_y")
    if points is None:
        return
    size, width = points.shape
    if own.get("_fit_method") == "brute":  # a tree counts the columns itself
        expected = attribute(estimator, "n_features_in_")
        require(width == expected, f"takes {expected} columns, its points have {width}")
    known = attribute(estimator, "n_samples_fit_")
    require(known == size, f"has {size} points, and says {known}")
    if labels is None:
        return
    require(labels.shape[0] == size, f"has {size} points, {labels.shape[0]} labels")
    if "classes_" in own:
        several = own["classes_"] if isinstance(own["classes_"], list) else [own["classes_"]]
        for column, classes in zip(labels.reshape(size, -1).T, several, strict=True):
            within("a label's number", column, 0, len(classes))


def check_spline(spline: Any) -> None:
    """Its compiled code believes how many knots and coefficients there are: its constructor looks."""
    type(spline)(spline.t, spline.c, spline.k)


def check_support_vectors(machine: Any) -> None:
    """libsvm takes each array's size from another."""
    own = vars(machine)
    if "support_vectors_" not in own:
        return
    counts, count = own["_n_support"], len(own["support_"])
    classes, sorts = len(counts), machine._impl in ("c_svc", "nu_svc")
    pairs = classes * (classes - 1) // 2
    require(classes >= 2 and (sorts or classes == 2), f"knows {classes} classes")
    if sorts:
        within("a class's number of support vectors", counts, 0, count + 1)
        require(int(counts.sum()) == count, f"has {count} support vectors, its classes {int(counts.sum())}")
    weights = own["_dual_coef_"]
    found = (weights.data if hasattr(weights, "indptr") else weights).size
    require(
        weights.shape == (classes - 1, count) and found == weights.shape[0] * count,
        f"has weights for {weights.shape}",
    )
    require(own["_intercept_"].size >= pairs, f"has {own['_intercept_'].size} intercepts for {pairs} pairs")
    for name in ("_probA", "_probB"):
        require(own[name].size in (0, pairs), f"has {own[name].size} of {name} for {pairs} pairs")
    require(own["_probA"].size == own["_probB"].size, "has one half of its probabilities")
    if machine.kernel == "precomputed" or callable(machine.kernel):
        within("a support vector's number", own["support_"], 0, attribute(machine, "shape_fit_")[0])
    else:
        width = attribute(machine, "n_features_in_")
        require(own["support_vectors_"].shape == (count, width), "has support vectors of another size")


def check_centres(estimator: Any) -> None:
    """The distance to a centre is over as many columns as the rows have."""
    centres = vars(estimator).get("cluster_centers_")
    if centres is not None:
        width = attribute(estimator, "n_features_in_")
        require(centres.ndim == 2 and centres.shape[1] == width, f"has centres of {centres.shape}")


def check_encoder(encoder: Any) -> None:
    """The places of categories are the columns of a sparse matrix, which nobody counts again."""
    own = vars(encoder)
    if "categories_" not in own:
        return
    dropped = own.get("_drop_idx_after_grouping")
    mappings = own.get("_default_to_infrequent_mappings") or [None] * len(own["categories_"])
    require(own["_n_features_outs"] == encoder._compute_n_features_outs(), "makes other columns than it says")
    for i, categories in enumerate(own["categories_"]):
        columns = own["_n_features_outs"][i]
        if dropped is not None and dropped[i] is not None:
            columns += 1
            require(0 <= dropped[i] < columns, "drops a category that it has not")
        if categories.dtype.kind in "iufb":
            known = categories[~np.isnan(categories)] if categories.dtype.kind == "f" else categories
            require(bool(np.all(known[:-1] < known[1:])), "its categories are not sorted")
        if own.get("_infrequent_enabled") and mappings[i] is not None:
            require(len(mappings[i]) == len(categories), "groups other categories than it has")
            within("a group of categories", mappings[i], 0, columns)


def check_text_input(vectorizer: Any) -> None:
    """A text of an event is a text, never the name of a file to be read."""
    require(
        vectorizer.input == "content",
        f"input={vectorizer.input!r}: whoever sends an event would choose the files that are read; fit it with "
        "input='content'",
    )


def check_vocabulary(vectorizer: Any) -> None:
    """Words are columns of a sparse matrix, which nobody counts again."""
    words = vars(vectorizer).get("vocabulary_")
    if words:
        within("a word's column", np.fromiter(words.values(), np.int64, len(words)), 0, len(words))


def check_hasher(hasher: Any) -> None:
    """A hash is taken modulo the number of columns."""
    within("n_features", hasher.n_features, 1, 2**31)


def check_jobs(estimator: Any) -> None:
    """Each job is a thread or a process."""
    jobs = vars(estimator).get("n_jobs")
    if jobs is not None:
        within("n_jobs", jobs, -MAX_JOBS, MAX_JOBS + 1)
