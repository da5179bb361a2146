"""
A model under its contract as a graph for one process: one matrix of doubles in, numbers out.

Texts and categories go in as their codes in a lexicon, and a class comes out as its place among the classes: a runtime
takes 0.5 µs for each further input, and texts cost it more than that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stream.compiled.answer_graph import Answer
from stream.compiled.compilation import check_contract, element_of, input_null, score_of
from stream.compiled.composition import answered
from stream.compiled.engine_layout import MATRIX, Lexicon, is_coded
from stream.compiled.onnx_graph import Graph, Unsupported, Value
from stream.compiled.tensor_table import Block, Origin, Table
from stream.compiled.thresholds import Thresholds
from stream.manifest import Manifest

__all__ = ["EngineGraph", "engine_graph"]

_TEXTS = ("string", "enum", "uuid")
_NUMBERS = ("int", "long", "float", "double", "boolean")
_DTYPES = ("", "float64", "float32", "int64", "int32", "bool")
"""Types of a column of numbers that are the same numbers as doubles."""


@dataclass(frozen=True, slots=True)
class EngineGraph:
    """
    A graph, and what it is to be asked with.

    Attributes:
        graph: complete.
        name: of it.
        lexicons: by feature's place, of those that go in as codes.
        thresholds: by feature's place (of a vector: by item's), where its trees tell one number from the next.
    """

    graph: Graph
    name: str
    lexicons: dict[int, Lexicon]
    thresholds: dict[int, npt.NDArray[np.float64]]

    @property
    def sums(self) -> bool:
        """Whether it adds up products of an event's numbers, in an order of its own."""
        return self.graph.asks("MatMul")

    def content(self, said: Mapping[str, str]) -> bytes:
        """The file, with what it says of itself."""
        return self.graph.content(self.name, said)


def engine_graph(estimator: object, manifest: Manifest, texts: Mapping[str, Sequence[str]]) -> EngineGraph:
    """
    Write the graph.

    Args:
        estimator: fitted.
        manifest: its contract.
        texts: by feature's name, those that the estimator knows.
    Returns: a graph with the outputs `value`; or `which` (a class's place), `score`, `gap` (between the two largest
        scores), and `probabilities` where they are published.
    Raises: Unsupported with the reason.
    """
    check_contract(manifest)
    lexicons = _lexicons(manifest, texts)
    graph, seen = Graph(), Thresholds()
    answer = answered(graph, estimator, _given(graph, manifest, lexicons), seen)
    _declare(graph, manifest, answer)
    return EngineGraph(graph, re.sub(r"\W", "_", manifest.name), lexicons, seen.by_place())


def _lexicons(manifest: Manifest, texts: Mapping[str, Sequence[str]]) -> dict[int, Lexicon]:
    """Raises: Unsupported for a feature that can't go in."""
    found: dict[int, Lexicon] = {}
    for place, feature in enumerate(manifest.features):
        if manifest.is_array:
            continue
        if is_coded(feature):
            if feature.kind == "text" and feature.avro not in _TEXTS:
                raise Unsupported(f"{feature.name!r} is a {feature.avro}")
            values = texts.get(feature.name, ()) if feature.kind == "text" else feature.categories or ()
            found[place] = Lexicon(tuple(dict.fromkeys(values)))
        elif feature.avro not in _NUMBERS or feature.dtype not in _DTYPES:
            raise Unsupported(
                f"{feature.name!r} is a {feature.avro} in a column of {feature.dtype or feature.kind}"
            )
    return found


def _given(graph: Graph, manifest: Manifest, lexicons: Mapping[int, Lexicon]) -> Table:
    """The input as a table: a block for each run of like numbers, and for each column of codes."""
    matrix = graph.input(MATRIX, manifest.width)
    if manifest.is_array:
        return Table((Block(matrix, tuple(map(Origin, range(manifest.width)))),))
    blocks: list[Block] = []
    runs: list[list[int]] = []
    features = manifest.features
    for place, feature in enumerate(features):
        alike = runs and not is_coded(feature) and not is_coded(features[runs[-1][-1]])
        if alike and element_of(feature) == element_of(features[runs[-1][-1]]):
            runs[-1].append(place)
        else:
            runs.append([place])
    for places in runs:
        first = features[places[0]]
        value = matrix if len(runs) == 1 else graph.taken(matrix, places)
        lexicon = lexicons.get(places[0])
        coded = lexicon is not None
        missing = input_null(first) if coded else None
        origins = tuple(map(Origin, places))
        blocks.append(Block(value, origins, coded, missing, element_of(first), lexicon))
    return Table(tuple(blocks), tuple(feature.name for feature in features))


def _declare(graph: Graph, manifest: Manifest, answer: Answer) -> None:
    """The outputs."""
    if manifest.task == "regressor":
        if answer.value is None:
            raise Unsupported("it answers with no number")
        graph.output("value", graph.flat(answer.value), "DOUBLE")
        return
    if answer.which is None or manifest.classes is None or manifest.score is None:
        raise Unsupported("it answers with no class, or no score of it")
    scores = answer.probabilities if manifest.score == "predict_proba" else answer.decision
    if scores is None:
        raise Unsupported(f"there is no graph for its {manifest.score}")
    graph.output("which", answer.which, "INT64")
    graph.output("score", score_of(graph, manifest, answer, scores), "DOUBLE")
    graph.output("gap", _gap(graph, manifest, scores), "DOUBLE")
    if manifest.probabilities:
        graph.output("probabilities", scores, "DOUBLE", len(manifest.classes))


def _gap(graph: Graph, manifest: Manifest, scores: Value) -> Value:
    """How far the label's score is from the next one, shape (n,)."""
    if len(manifest.classes or ()) == 2 and manifest.score == "decision_function":
        return graph.flat(graph.add("Abs", scores))
    two = graph.two_largest(scores)
    return graph.flat(graph.add("Sub", graph.taken(two, [0]), graph.taken(two, [1])))
