"""A model under its contract as an ONNX graph with the same inputs and answers."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stream.compiled.answer_graph import Answer
from stream.compiled.composition import answered
from stream.compiled.onnx_graph import Graph, Unsupported
from stream.compiled.tensor_table import Block, Element, Origin, Table
from stream.compiled.thresholds import Thresholds
from stream.manifest import Feature, Manifest, NullText

__all__ = [
    "VECTOR",
    "CompiledGraph",
    "check_contract",
    "compile_graph",
    "element_of",
    "input_names",
    "input_null",
    "is_text",
    "output_names",
    "score_of",
]

VECTOR = "features"
"""The one input of a model that takes an array."""


@dataclass(frozen=True, slots=True)
class CompiledGraph:
    """
    A model as a graph.

    Attributes:
        content: of the `.onnx` file.
        thresholds: by feature's place, where its trees tell one number from the next.
    """

    content: bytes
    thresholds: dict[int, npt.NDArray[np.float64]]


def compile_graph(estimator: object, manifest: Manifest) -> CompiledGraph:
    """
    Write the graph.

    Args:
        estimator: fitted.
        manifest: its contract.
    Returns: a graph with an input of shape (n, 1) per feature (doubles, texts), or one of all; its outputs are those of
        `output_names`.
    Raises: Unsupported with the reason.
    """
    check_contract(manifest)
    graph, seen = Graph(), Thresholds()
    answer = answered(graph, estimator, _given(graph, manifest), seen)
    _declare(graph, manifest, answer)
    return CompiledGraph(graph.content(re.sub(r"\W", "_", manifest.name)), seen.by_place())


def input_names(manifest: Manifest) -> tuple[str, ...]:
    """The graph's inputs in the features' order: as BigQuery takes names of columns, which have no case."""
    if manifest.is_array:
        return (VECTOR,)
    found: list[str] = []
    for feature in manifest.features:
        stem = re.sub(r"\W", "_", feature.name, flags=re.ASCII) or "_"
        name = stem = f"_{stem}" if stem[0].isdigit() else stem
        number = 1
        while name.lower() in {one.lower() for one in found}:
            number += 1
            name = f"{stem}_{number}"
        found.append(name)
    return tuple(found)


def output_names(manifest: Manifest) -> dict[str, str]:
    """
    The graph's outputs.

    Returns: `value`; or `label`, and `score` and `probabilities` where there are such; each → its name, which begins
        with `predicted_` where an input is called like one of them.
    """
    if manifest.task == "regressor":
        fields = ["value"]
    else:
        fields = ["label"] + ["score"] * (manifest.score is not None)
        fields += ["probabilities"] * (manifest.score == "predict_proba")
    taken = {name.lower() for name in input_names(manifest)}
    prefix = "predicted_" if taken & set(fields) else ""
    return {field: f"{prefix}{field}" for field in fields}


def input_null(feature: Feature) -> NullText | None:
    """What an empty text of an input stands for; None where it stands for itself, since no text can be null."""
    if feature.kind not in ("text", "category") or not feature.nullable:
        return None
    return "NaN" if feature.kind == "category" or feature.dtype in ("str", "string") else feature.null


def check_contract(manifest: Manifest) -> None:
    """Raises: Unsupported for a task or an input for which there is no graph."""
    if manifest.task not in ("classifier", "regressor"):
        raise Unsupported(f"it is a {manifest.task}, neither a classifier nor a regressor")
    if manifest.inputs == "series":
        raise Unsupported("it reads a sequence of texts")
    times = [feature.name for feature in manifest.features if feature.kind == "datetime"]
    if times:
        raise Unsupported(f"ONNX has no dates and times, and it takes {', '.join(map(repr, times))}")


def _given(graph: Graph, manifest: Manifest) -> Table:
    """The inputs as a table."""
    if manifest.is_array:
        origins = tuple(Origin(place) for place in range(manifest.width))
        return Table((Block(graph.input(VECTOR, manifest.width), origins),))
    blocks = []
    for place, (feature, name) in enumerate(zip(manifest.features, input_names(manifest), strict=True)):
        text = is_text(feature)
        value = graph.input(name, 1, text=text)
        blocks.append(Block(value, (Origin(place),), text, input_null(feature), element_of(feature)))
    return Table(tuple(blocks), tuple(feature.name for feature in manifest.features))


def is_text(feature: Feature) -> bool:
    """Whether a feature reaches the graph as a text."""
    if feature.kind == "category":
        return all(isinstance(category, str) for category in feature.categories or ())
    return feature.kind == "text"


def element_of(feature: Feature) -> Element:
    """The type in which a number reaches the estimator."""
    if feature.dtype == "float32":
        return "float32"
    short = feature.dtype in ("int8", "int16", "uint8", "uint16", "float16")
    return "narrow" if short or feature.avro == "boolean" else "double"


def _declare(graph: Graph, manifest: Manifest, answer: Answer) -> None:
    """The outputs."""
    names = output_names(manifest)
    if manifest.task == "regressor":
        if answer.value is None:
            raise Unsupported("it answers with no number")
        graph.output(names["value"], graph.flat(answer.value), "DOUBLE")
        return
    if answer.which is None or manifest.classes is None:
        raise Unsupported("it answers with no class")
    elements = {"string": "STRING", "boolean": "BOOL"}
    kinds = {"string": object, "boolean": np.bool_}
    classes = graph.constant(np.array(manifest.classes, kinds.get(manifest.answer, np.int64)))
    label = graph.add("Gather", classes, answer.which, axis=0)
    graph.output(names["label"], label, elements.get(manifest.answer, "INT64"))
    if manifest.score is None:
        return
    scores = answer.probabilities if manifest.score == "predict_proba" else answer.decision
    if scores is None:
        raise Unsupported(f"there is no graph for its {manifest.score}")
    count = len(manifest.classes)
    graph.output(names["score"], score_of(graph, manifest, answer, scores), "DOUBLE")
    if "probabilities" in names:
        graph.output(names["probabilities"], scores, "DOUBLE", count)


def score_of(graph: Graph, manifest: Manifest, answer: Answer, scores: str) -> str:
    """As a prediction has it: of two classes the second's, else the label's own; shape (n,)."""
    if len(manifest.classes or ()) == 2:
        last = 1 if manifest.score == "predict_proba" else 0
        return graph.flat(graph.taken(scores, [last]))
    which = graph.add("Reshape", answer.which or "", graph.constant(np.array([-1, 1], np.int64)))
    return graph.flat(graph.add("GatherElements", scores, which, axis=1))
