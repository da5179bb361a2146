"""
Models of an MLflow server: what they are called, and how they get onto this machine. The only importer of MLflow, which
is imported once such a model is asked for, and not before.
"""

from typing import TYPE_CHECKING

from stream.lazy import lazy_face

if TYPE_CHECKING:
    from stream.mlflow.artifacts import Artifacts
    from stream.mlflow.model_folder import PushedFolder, write_model_folder
    from stream.mlflow.model_uri import ModelUri, is_uri, parse
    from stream.mlflow.pull import Pulled, packed_copy, pushed_package
    from stream.mlflow.server import ModelVersion, Server, client

__all__ = [
    "Artifacts",
    "ModelUri",
    "ModelVersion",
    "Pulled",
    "PushedFolder",
    "Server",
    "client",
    "is_uri",
    "packed_copy",
    "parse",
    "pushed_package",
    "write_model_folder",
]

__getattr__ = lazy_face(__name__)
