"""scikit-learn's linear models and perceptrons as graphs."""

from __future__ import annotations

from typing import Any

import numpy as np

from stream.compiled.answer_graph import Answer, binary, by_softmax, largest, logistic
from stream.compiled.onnx_graph import Graph, Unsupported, Value
from stream.compiled.tensor_table import Table

__all__ = ["linear_classifier", "linear_regressor", "logistic_regression", "perceptron", "ridge_classifier"]


def linear_regressor(graph: Graph, estimator: Any, table: Table, _: object) -> Answer:
    """A weighted sum; of a generalised linear model, through its link."""
    raw = _weighted(graph, table, estimator.coef_, estimator.intercept_)
    match type(getattr(getattr(estimator, "_base_loss", None), "link", None)).__name__:
        case "NoneType" | "IdentityLink":
            return Answer(value=raw)
        case "LogLink":
            return Answer(value=graph.add("Exp", raw))
        case link:
            raise Unsupported(f"it has the link {link}")


def logistic_regression(graph: Graph, estimator: Any, table: Table, _: object) -> Answer:
    """Two classes by the logistic function, more by softmax."""
    raw = _weighted(graph, table, estimator.coef_, estimator.intercept_)
    return (
        binary(graph, raw, logistic(graph, raw)) if len(estimator.classes_) == 2 else by_softmax(graph, raw)
    )


def linear_classifier(graph: Graph, estimator: Any, table: Table, _: object) -> Answer:
    """Weighted sums; probabilities only where the loss is that of logistic regression, one class against the rest."""
    raw = _weighted(graph, table, estimator.coef_, estimator.intercept_)
    if not hasattr(estimator, "predict_proba"):
        return _decided(graph, estimator, raw)
    if estimator.loss != "log_loss":
        raise Unsupported(f"its probabilities are those of the loss {estimator.loss}")
    if len(estimator.classes_) == 2:
        return binary(graph, raw, logistic(graph, raw))
    each = logistic(graph, raw)
    total = graph.add("ReduceSum", each, graph.constant(np.array([1], np.int64)), keepdims=1)
    return Answer(None, largest(graph, raw), raw, graph.add("Div", each, total))


def ridge_classifier(graph: Graph, estimator: Any, table: Table, _: object) -> Answer:
    """Weighted sums of two classes or more, without probabilities."""
    return _decided(graph, estimator, _weighted(graph, table, estimator.coef_, estimator.intercept_))


def perceptron(graph: Graph, estimator: Any, table: Table, _: object) -> Answer:
    """Layers of weighted sums: `MLPClassifier`, `MLPRegressor`."""
    value, last = table.matrix(graph).value, len(estimator.coefs_) - 1
    for layer, (weights, shift) in enumerate(zip(estimator.coefs_, estimator.intercepts_, strict=True)):
        if weights.dtype != np.float64:
            raise Unsupported("it was fitted in float32")
        value = graph.add("MatMul", value, graph.constant(weights))
        value = graph.combined("Add", value, shift.reshape(1, -1))
        if layer < last:
            value = _activated(graph, value, estimator.activation)
    if not hasattr(estimator, "classes_"):
        match estimator.out_activation_:
            case "identity":
                return Answer(value=value)
            case "exp":
                return Answer(value=graph.add("Exp", value))
            case last_layer:
                raise Unsupported(f"its last layer is {last_layer}")
    if len(estimator.classes_) == 2:
        return binary(graph, value, logistic(graph, value))
    return by_softmax(graph, value)


def _activated(graph: Graph, value: Value, name: str) -> Value:
    operators = {"relu": "Relu", "tanh": "Tanh", "logistic": "Sigmoid"}
    return value if name == "identity" else graph.add(operators[name], value)


def _decided(graph: Graph, estimator: Any, raw: Value) -> Answer:
    if len(estimator.classes_) == 2:
        return binary(graph, raw, None)
    return Answer(which=largest(graph, raw), decision=raw)


def _weighted(graph: Graph, table: Table, weights: Any, shift: Any) -> Value:
    """x · w + b, shape (n, outputs)."""
    found = np.atleast_2d(np.asarray(weights))
    if found.dtype != np.float64:
        raise Unsupported(f"it was fitted in {found.dtype}")
    product = graph.add("MatMul", table.matrix(graph).value, graph.constant(np.ascontiguousarray(found.T)))
    return graph.combined("Add", product, np.asarray(shift, np.float64).reshape(1, -1))
