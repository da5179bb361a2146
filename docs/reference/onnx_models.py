"""What becomes an ONNX graph of our own → a Markdown table."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from stream.compiled import MODELS, OTHERS, STEPS

__all__ = ["text"]

_MODELS = {
    "histogram_boosting": "histogram boosting: categories, missing values, every loss",
    "forest": "forests, also fitted with missing values",
    "boosting": "gradient boosting, but not from another estimator",
    "single_tree": "single trees",
    "logistic_regression": "two classes or more, with probabilities",
    "linear_regressor": "weighted sums; Poisson, gamma and Tweedie through their link",
    "linear_classifier": "decisions; probabilities of `log_loss`",
    "ridge_classifier": "decisions, no probabilities",
    "perceptron": "layers of weighted sums",
    "lightgbm": "LightGBM: categories, missing values, every objective but ranking and cross-entropy",
}
_STEPS = {
    "imputed": "also texts, and `add_indicator`",
    "rescaled": "the same operations in the same order",
    "encoded": "texts, numbers and booleans; unknown, missing and rare categories",
    "projected": "also whitened",
    "selected": "columns that are kept",
}


def text() -> str:
    """The table, a row for each way."""
    lines = ["| scikit-learn's | |", "|---|---|"]
    for table, words in ((MODELS, _MODELS), (OTHERS, _MODELS), (STEPS, _STEPS)):
        for way, names in _by_way(table).items():
            lines.append(f"| {', '.join(_code(name) for name in names)} | {words[way]} |")
    lines.append(
        "| `Pipeline`, `ColumnTransformer`, `FeatureUnion`, `FunctionTransformer` without a function, "
        "`GridSearchCV` and its like, `FrozenEstimator` | any of these inside |"
    )
    return "\n".join(lines)


def _code(name: str) -> str:
    return f"`{name.rpartition('.')[2]}`"


def _by_way(table: Mapping[str, Callable[..., object]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, way in table.items():
        found.setdefault(way.__name__, []).append(name)
    return found
