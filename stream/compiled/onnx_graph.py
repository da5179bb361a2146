"""
An ONNX graph as it is written: inputs, constants, nodes.

It is written for the oldest runtime that matters, BigQuery's: ONNX Runtime 1.12, which reads IR 8, operators of opset
17 and those of `ai.onnx.ml` 3. Every number is a double. Newer runtimes run the same file.

Source: onnxruntime.ai/docs/reference/compatibility.html; github.com/onnx/onnx, docs/Operators.md and Operators-ml.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import onnx

__all__ = ["ML", "Graph", "Unsupported", "Value"]

_IR, _OPSET, _ML_OPSET = 8, 17, 3

_ALMOST = 1e-3
"""Nearer to what changes nothing than this, a single constant is not trusted to the runtime's optimizer."""

ML = "ai.onnx.ml"
"""The domain of the operators for models."""

Value: TypeAlias = str
"""The name of a tensor in a graph."""


class Unsupported(Exception):
    """A part of an estimator for which there is no graph with the same answers; the message is the reason."""


class Graph:
    """A graph under construction; each tensor that it makes has a name of its own."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []
        self._names = 0

    def input(self, name: str, width: int, *, text: bool = False) -> Value:
        """An input of shape (n, width), of doubles or texts."""
        self._inputs.append(_declared(name, "STRING" if text else "DOUBLE", [None, width]))
        return name

    def output(self, name: str, value: Value, element: str, width: int | None = None) -> None:
        """
        An output.

        Args:
            name: its own.
            value: the tensor.
            element: `DOUBLE`, `INT64`, `BOOL` or `STRING`.
            width: of shape (n, width); None for (n,).
        """
        from onnx import helper

        self._nodes.append(helper.make_node("Identity", [value], [name]))
        self._outputs.append(_declared(name, element, [None] if width is None else [None, width]))

    def constant(self, content: npt.ArrayLike) -> Value:
        """A tensor that is part of the file; texts are an array of objects."""
        from onnx import numpy_helper

        name = self._name("constant")
        self._constants.append(numpy_helper.from_array(np.asarray(content), name))
        return name

    def add(self, operator: str, *inputs: Value, domain: str = "", **attributes: Any) -> Value:
        """
        A node with one output.

        Args:
            operator: of ONNX, such as `Add`.
            inputs: tensors.
            domain: of the operator.
            attributes: of the node.
        Returns: its output.
        """
        from onnx import helper

        name = self._name(operator.lower())
        self._nodes.append(helper.make_node(operator, list(inputs), [name], domain=domain, **attributes))
        return name

    def combined(self, operator: str, value: Value, numbers: npt.ArrayLike) -> Value:
        """
        `Add`, `Sub`, `Mul` or `Div` of a matrix and constant doubles, shape () or (1, width).

        ONNX Runtime leaves out what adds almost 0 or multiplies by almost 1 (`NoopElimination` allows 1e-8 and 1e-5),
        where the constant is one number; so two of them stand where one such number would.
        """
        content = np.asarray(numbers, np.float64)
        neutral = 0.0 if operator in ("Add", "Sub") else 1.0
        if content.size == 1 and content.item() != neutral and abs(content.item() - neutral) < _ALMOST:
            twice = self.add(
                operator, self.taken(value, [0, 0]), self.constant(np.full((1, 2), content.item()))
            )
            return self.taken(twice, [0])
        return self.add(operator, value, self.constant(content))

    def cast(self, value: Value, element: str) -> Value:
        """Another type of the same values: `DOUBLE`, `FLOAT`, `INT64`, `BOOL`."""
        from onnx import TensorProto

        return self.add("Cast", value, to=TensorProto.DataType.Value(element))

    def rounded(self, value: Value) -> Value:
        """
        Doubles, each rounded to the nearest float32.

        Runtime 1.12 takes one cast after the other for none at all; so the sign is turned between them.
        """
        turned = self.add("Neg", self.cast(value, "FLOAT"))
        return self.add("Neg", self.cast(turned, "DOUBLE"))

    def joined(self, values: Sequence[Value]) -> Value:
        """Matrices side by side."""
        return values[0] if len(values) == 1 else self.add("Concat", *values, axis=1)

    def taken(self, value: Value, columns: Sequence[int]) -> Value:
        """Some columns of a matrix, in this order."""
        return self.add("Gather", value, self.constant(np.array(columns, np.int64)), axis=1)

    def two_largest(self, value: Value) -> Value:
        """Of each row of a matrix of two columns or more, the two largest, the larger first: shape (n, 2)."""
        from onnx import helper

        found, places = self._name("largest"), self._name("places")
        count = self.constant(np.array([2], np.int64))
        self._nodes.append(helper.make_node("TopK", [value, count], [found, places], axis=1))
        return found

    def flat(self, value: Value) -> Value:
        """A matrix of one column, shape (n, 1), as a vector, shape (n,)."""
        return self.add("Reshape", value, self.constant(np.array([-1], np.int64)))

    def is_missing(self, value: Value) -> Value:
        """Where a matrix of doubles is NaN: where it is not itself, since runtime 1.12 has `IsNaN` for float32 only."""
        return self.add("Not", self.add("Equal", value, value))

    def asks(self, operator: str) -> bool:
        """Whether a node is of that kind."""
        return any(node.op_type == operator for node in self._nodes)

    def content(self, name: str, said: Mapping[str, str] | None = None) -> bytes:
        """
        The file.

        Args:
            name: of the graph.
            said: what the file says of itself beside the graph.
        Raises: Unsupported when it is larger than a file of ONNX can be.
        """
        from onnx import helper

        graph = helper.make_graph(self._nodes, name, self._inputs, self._outputs, self._constants)
        opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(ML, _ML_OPSET)]
        model = helper.make_model(
            graph, opset_imports=opsets, ir_version=_IR, producer_name="prediction-stream"
        )
        helper.set_model_props(model, dict(said or {}))
        if model.ByteSize() >= 2**31:
            raise Unsupported(
                f"it takes {model.ByteSize() / 1e9:.1f} GB, and a file of ONNX has at most 2 GB"
            )
        content: bytes = model.SerializeToString()
        return content

    def _name(self, stem: str) -> str:
        self._names += 1
        return f"_{stem}_{self._names}"


def _declared(name: str, element: str, shape: list[int | None]) -> onnx.ValueInfoProto:
    from onnx import TensorProto, helper

    return helper.make_tensor_value_info(name, TensorProto.DataType.Value(element), shape)
