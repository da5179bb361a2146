"""Fitted estimators as ONNX graphs that answer the same to a double's last digits; no other room writes one."""

from typing import TYPE_CHECKING

from stream.lazy import lazy_face

if TYPE_CHECKING:
    from stream.compiled.compilation import (
        VECTOR,
        CompiledGraph,
        compile_graph,
        input_names,
        input_null,
        is_text,
        output_names,
    )
    from stream.compiled.compiled_way import CompiledWay, open_way
    from stream.compiled.composition import MODELS, OTHERS, STEPS
    from stream.compiled.engine_proof import MAX_MODEL_BYTES, prove_engine
    from stream.compiled.onnx_graph import Unsupported
    from stream.compiled.tried_values import evenly, trial_numbers, trial_values

__all__ = [
    "MAX_MODEL_BYTES",
    "MODELS",
    "OTHERS",
    "STEPS",
    "VECTOR",
    "CompiledGraph",
    "CompiledWay",
    "Unsupported",
    "compile_graph",
    "evenly",
    "input_names",
    "input_null",
    "is_text",
    "open_way",
    "output_names",
    "prove_engine",
    "trial_numbers",
    "trial_values",
]

__getattr__ = lazy_face(__name__)
