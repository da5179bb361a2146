"""
Models of an MLflow server: what they are called, and how they get onto this machine. The only importer of MLflow, which
is imported once such a model is asked for, and not before.
"""

from typing import TYPE_CHECKING

from stream.lazy import lazy_face

if TYPE_CHECKING:
    from stream.mlflow.artifacts import Artifacts
    from stream.mlflow.model_uri import ModelUri, is_uri, parse
    from stream.mlflow.server import ModelVersion, Server, client

__all__ = ["Artifacts", "ModelUri", "ModelVersion", "Server", "client", "is_uri", "parse"]

__getattr__ = lazy_face(__name__)
