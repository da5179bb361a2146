"""
Models of an MLflow server: what they are called, and how they get onto this machine; runs, and how they are logged.
The only importer of MLflow, which is imported once something is asked of a server, and not before.
"""

from typing import TYPE_CHECKING

from stream.lazy import lazy_face

if TYPE_CHECKING:
    from stream.mlflow.artifacts import Artifacts
    from stream.mlflow.environment import without_secrets
    from stream.mlflow.experiments import Begun, begin_run
    from stream.mlflow.fetching_children import end_fetching
    from stream.mlflow.local_copy import kept_copies, local_copy, version_now
    from stream.mlflow.model_folder import METADATA, PushedFolder, write_model_folder
    from stream.mlflow.model_uri import ModelUri, is_uri, parse
    from stream.mlflow.named_place import is_model_folder, package_in, place_of
    from stream.mlflow.pull import Pulled, packed_copy, pull_model, pushed_package
    from stream.mlflow.push import Pushed, PushRequest, check_names, push_package
    from stream.mlflow.run_log import DataNote, RunLog, Status
    from stream.mlflow.run_values import Figure
    from stream.mlflow.server import ModelVersion, Server, client
    from stream.mlflow.webhook import WEBHOOK_PATH, Webhook

__all__ = [
    "METADATA",
    "WEBHOOK_PATH",
    "Artifacts",
    "Begun",
    "DataNote",
    "Figure",
    "ModelUri",
    "ModelVersion",
    "Pulled",
    "PushRequest",
    "Pushed",
    "PushedFolder",
    "RunLog",
    "Server",
    "Status",
    "Webhook",
    "begin_run",
    "check_names",
    "client",
    "end_fetching",
    "is_model_folder",
    "is_uri",
    "kept_copies",
    "local_copy",
    "package_in",
    "packed_copy",
    "parse",
    "place_of",
    "pull_model",
    "push_package",
    "pushed_package",
    "version_now",
    "without_secrets",
    "write_model_folder",
]

__getattr__ = lazy_face(__name__)
