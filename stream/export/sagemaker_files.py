"""
What SageMaker needs of a package: `model.tar.gz`, settings in its API's own words, rights, and a script that deploys.

Source: docs.aws.amazon.com/sagemaker, "CreateModel", "CreateEndpointConfig", "CreateTransformJob",
"CreateTrainingJob", "CreateModelPackage", "Use your own inference code with hosting services".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from stream.errors import SettingsError
from stream.export import sagemaker_deploy, sagemaker_training
from stream.export.distinct_names import distinct_name
from stream.export.exporter import write_files
from stream.export.model_archive import Archive, write_archive
from stream.export.sagemaker_rights import deployer_policy, role_policy, trust_policy
from stream.export.trust_variables import trust_variables
from stream.manifest import Manifest
from stream.settings import Settings

if TYPE_CHECKING:
    from stream.store import Package

__all__ = ["environment", "export_sagemaker", "plan", "sagemaker_name", "train_image"]

_MOST_NAME = 40
"""Characters of 63 that a name may have: the rest is for what is appended, such as `-serverless` and a digest."""

_PAYLOAD = "25MiB"
"""SageMaker's largest request to an endpoint; a serverless one has 4 MB. The platform refuses larger ones itself."""

_TIMEOUT, _DRAIN = "55s", "25s"
"""SageMaker waits 60 s for an answer, and 30 s after SIGTERM: this process says so first, and ends in good order."""

_INSTANCE = "ml.m5.large"
"""The smallest common one: 2 cores, 8 GB."""

_READS = ["text/csv", "application/json", "application/jsonlines", "application/x-npy"]
_WRITES = ["application/json", "text/csv", "application/jsonlines"]

_MOST_VALUE, _MOST_METRICS = 256, 40
"""Of the registry's own properties: characters of a value, and how many of 50 are left to metrics."""


_DOCKERFILE = """\
# docker build --build-arg IMAGE=prediction-stream-serve -t IMAGE_URI . && docker push IMAGE_URI
ARG IMAGE=prediction-stream-serve
FROM $IMAGE
# SageMaker mounts what it brings as root's, and expects root.
USER root
LABEL com.amazonaws.sagemaker.capabilities.multi-models=true \\
      com.amazonaws.sagemaker.capabilities.accept-bind-to-port=true
# It asks /ping itself.
HEALTHCHECK NONE
EXPOSE 8080
"""
"""Makes this project's image one of SageMaker's."""


def export_sagemaker(
    package: Package, settings: Settings, options: Mapping[str, str], folder: Path
) -> tuple[tuple[Path, ...], str]:
    """
    Write the files.

    Args:
        package: opened.
        settings: whose trust the container shares.
        options: `image`, `role`, `s3`.
        folder: for the files; made when it is not there.
    Returns: the files' paths, and a note.
    Raises: SettingsError, and nothing was written; PackageError when the package changes meanwhile; OSError.
    """
    variables = environment(settings)
    folder.mkdir(parents=True, exist_ok=True)
    archive = write_archive(package, folder / "model.tar.gz")
    content = plan(package.manifest, archive, variables, options)
    names = [content["name"], content["multi-model"]["EndpointName"]]
    files = {
        "sagemaker.json": _readable(content),
        "role-trust.json": _readable(trust_policy()),
        "role-policy.json": _readable(role_policy(options)),
        "deployer-policy.json": _readable(deployer_policy(options, names)),
        "Dockerfile": _DOCKERFILE.encode(),
        "deploy.py": _program(sagemaker_deploy).encode(),
        "training_job.py": _program(sagemaker_training).encode(),
    }
    note = f"{package.manifest.model} in {archive.size_bytes} bytes; `python {folder / 'deploy.py'} --help` says more"
    return (folder / "model.tar.gz", *write_files(folder, files)), note


def _program(module: ModuleType) -> str:
    """A module's text, which finds the other one beside it, not in this project."""
    text = Path(str(module.__file__)).read_text("utf-8")
    return text.replace(f"from {sagemaker_training.__name__} import", "from training_job import")


def sagemaker_name(model: str) -> str:
    """A model's name as SageMaker takes it: letters, digits and single hyphens between them; as `distinct_name`."""
    return distinct_name(model, re.sub(r"[^A-Za-z0-9]+", "-", model).strip("-"), _MOST_NAME)


def environment(settings: Settings) -> dict[str, str]:
    """
    The container's variables.

    Args:
        settings: whose signatures, types and sizes the container asks for as well.
    Raises: SettingsError when one of them is a text that a variable can't hold.
    """
    found = {
        "STREAM_SERVE__MAX_BODY": _PAYLOAD,
        "STREAM_SERVE__TIMEOUT": _TIMEOUT,
        "STREAM_SERVE__DRAIN_TIMEOUT": _DRAIN,
        "STREAM_MODEL__RELOAD": "off",
        **trust_variables(settings),
    }
    for name, value in found.items():
        if len(value) > 10_240:  # CreateModel's limit
            raise SettingsError(
                f"{name}: has {len(value)} characters, SageMaker takes 10240", hint="shorten it"
            )
    return found


def plan(
    manifest: Manifest, archive: Archive, variables: Mapping[str, str], options: Mapping[str, str]
) -> dict[str, Any]:
    """
    `sagemaker.json`: what `deploy.py` makes.

    Args:
        manifest: of the version.
        archive: `model.tar.gz`.
        variables: `environment`.
        options: `image`, `role`, `s3`.
    """
    stem = sagemaker_name(manifest.name)
    s3 = options["s3"].rstrip("/")
    instances = {"InstanceType": _INSTANCE, "InitialInstanceCount": 1}
    return {
        "name": stem,
        "version": manifest.version,
        "archive": {"file": "model.tar.gz", "sha256": archive.sha256, "bytes": archive.size_bytes},
        "image": options["image"],
        "train_image": train_image(options["image"]),
        "role": options["role"],
        "s3": s3,
        "environment": dict(variables),
        "network_isolation": True,
        "endpoint": {"EndpointName": stem, "ProductionVariant": instances},
        "serverless": {
            "EndpointName": f"{stem}-serverless",
            "ProductionVariant": {"ServerlessConfig": {"MemorySizeInMB": 2_048, "MaxConcurrency": 5}},
        },
        "async": {
            "EndpointName": f"{stem}-async",
            "ProductionVariant": instances,
            "EndpointConfig": {"AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": f"{s3}/async"}}},
        },
        "multi-model": {"EndpointName": "multi-model", "ProductionVariant": instances},
        "transform": {"stem": f"{stem}-transform", "TransformJob": _job(s3)},
        "train": {"stem": f"{stem}-train", "TrainingJob": _training(s3)},
        "package": _registered(manifest, stem, archive),
    }


def train_image(image: str) -> str:
    """The training image's address: the other one's, with `-train` after the repository's name."""
    found = re.fullmatch(r"(.+/[^/:@]+)(:[^/:@]+)?", image)
    return f"{found[1]}-train{found[2] or ''}" if found else "TRAIN_IMAGE_URI"


def _training(s3: str) -> dict[str, Any]:
    """All of a job but its code, rows and image."""
    return {
        "AlgorithmSpecification": {"TrainingInputMode": "File"},
        "HyperParameters": {},
        "OutputDataConfig": {"S3OutputPath": f"{s3}/trained"},
        "ResourceConfig": {"InstanceType": _INSTANCE, "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3_600},
        "EnableNetworkIsolation": True,
    }


def _job(s3: str) -> dict[str, Any]:
    """A line in is a line out; each is joined to its row."""
    return {
        "TransformInput": {
            "ContentType": "text/csv",
            "SplitType": "Line",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"{s3}/rows/"}},
        },
        "TransformOutput": {"S3OutputPath": f"{s3}/answers/", "Accept": "text/csv", "AssembleWith": "Line"},
        "TransformResources": {"InstanceType": _INSTANCE, "InstanceCount": 1},
        "DataProcessing": {"JoinSource": "Input"},
        "ModelClientConfig": {"InvocationsTimeoutInSeconds": 60, "InvocationsMaxRetries": 1},
    }


def _registered(manifest: Manifest, stem: str, archive: Archive) -> dict[str, Any]:
    """A version of the model registry, with what can be looked up there."""
    metrics = {
        re.sub(r"[^\w.:/=+@-]", "_", name, flags=re.ASCII)[:128]: str(value)[:_MOST_VALUE]
        for name, value in list(manifest.metrics.items())[:_MOST_METRICS]
    }
    return {
        "ModelPackageGroupName": stem,
        "ModelPackageDescription": f"{manifest.model}, packed {manifest.created}",
        "ModelApprovalStatus": "PendingManualApproval",
        "CustomerMetadataProperties": {**metrics, "model": manifest.model, "sha256": archive.sha256},
        "InferenceSpecification": {
            "SupportedContentTypes": _READS,
            "SupportedResponseMIMETypes": _WRITES,
            "SupportedRealtimeInferenceInstanceTypes": [_INSTANCE],
            "SupportedTransformInstanceTypes": [_INSTANCE],
        },
    }


def _readable(content: object) -> bytes:
    return json.dumps(content, indent=2, ensure_ascii=False).encode() + b"\n"
