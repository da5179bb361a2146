"""What an estimator answers, in a graph: scores, probabilities, and which class is the label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stream.compiled.onnx_graph import Graph, Value

__all__ = ["Answer", "binary", "by_softmax", "by_vote", "largest", "logistic"]


@dataclass(frozen=True, slots=True)
class Answer:
    """
    An estimator's answer for n rows.

    Attributes:
        value: of a regressor, shape (n, 1).
        which: of a classifier, the label's place among the classes, shape (n,).
        decision: `decision_function`, shape (n, classes), or (n, 1) of two classes.
        probabilities: `predict_proba`, shape (n, classes).
    """

    value: Value | None = None
    which: Value | None = None
    decision: Value | None = None
    probabilities: Value | None = None


def logistic(graph: Graph, value: Value) -> Value:
    """1 / (1 + exp(-x)), as a double."""
    return graph.add("Sigmoid", value)


def binary(graph: Graph, decision: Value, second: Value | None, *, at_zero: bool = False) -> Answer:
    """
    Two classes, told apart by one decision.

    Args:
        graph: where it is computed.
        decision: shape (n, 1).
        second: the second class's probability, shape (n, 1).
        at_zero: whether a decision of exactly 0 is for the second class.
    """
    zero = graph.constant(np.float64(0))
    above = graph.add("GreaterOrEqual" if at_zero else "Greater", decision, zero)
    which = graph.flat(graph.cast(above, "INT64"))
    if second is None:
        return Answer(which=which, decision=decision)
    first = graph.add("Sub", graph.constant(np.float64(1)), second)
    return Answer(which=which, decision=decision, probabilities=graph.joined([first, second]))


def by_softmax(graph: Graph, decision: Value) -> Answer:
    """Three classes or more, with a decision each, whose softmax are the probabilities."""
    return Answer(
        which=largest(graph, decision),
        decision=decision,
        probabilities=graph.add("Softmax", decision, axis=1),
    )


def by_vote(graph: Graph, probabilities: Value) -> Answer:
    """The most probable class, the first of several."""
    return Answer(which=largest(graph, probabilities), probabilities=probabilities)


def largest(graph: Graph, scores: Value) -> Value:
    """The place of each row's largest score, the first of several, shape (n,)."""
    return graph.add("ArgMax", scores, axis=1, keepdims=0)
