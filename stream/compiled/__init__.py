"""Fitted estimators as ONNX graphs that answer the same to a double's last digits; no other room writes one."""

from stream.compiled.compilation import (
    VECTOR,
    CompiledGraph,
    compile_graph,
    input_names,
    input_null,
    is_text,
    output_names,
)
from stream.compiled.composition import MODELS, STEPS
from stream.compiled.onnx_graph import Unsupported

__all__ = [
    "MODELS",
    "STEPS",
    "VECTOR",
    "CompiledGraph",
    "Unsupported",
    "compile_graph",
    "input_names",
    "input_null",
    "is_text",
    "output_names",
]
