"""What another system needs to give a model's answers, as files: BigQuery, ONNX."""

from stream.export.bigquery import Names, remote_function
from stream.export.onnx import Compiled, compile_onnx, model_ddl

__all__ = ["Compiled", "Names", "compile_onnx", "model_ddl", "remote_function"]
