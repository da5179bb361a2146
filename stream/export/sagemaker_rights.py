"""
IAM's policies for what `stream export --to sagemaker` writes: the least that the container's role and a deployer need.

Source: docs.aws.amazon.com/sagemaker, "SageMaker AI Roles", "Actions, resources, and condition keys for Amazon
SageMaker".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["deployer_policy", "role_policy", "trust_policy"]

_REGISTRY = re.compile(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/([^:@]+)")
"""An image of the account's own registry: account, region, repository."""


_WRITTEN = ("async", "answers", "trained")
"""The folders of answers and of what training jobs made."""


def trust_policy() -> dict[str, Any]:
    """Who may take the container's role: SageMaker."""
    principal = {"Principal": {"Service": "sagemaker.amazonaws.com"}}
    return _policy([{"Effect": "Allow", **principal, "Action": "sts:AssumeRole"}])


def role_policy(options: Mapping[str, str]) -> dict[str, Any]:
    """
    What the container's role may do: read models and rows, write answers, pull its image, log.

    Args:
        options: `image`, `role`, `s3`.
    """
    aws, bucket, objects = _places(options)
    repository = _REGISTRY.match(options["image"])
    region, account, name = ("*", "*", "*") if repository is None else repository.group(2, 1, 3)
    return _policy(
        [
            _allow(["s3:GetObject"], f"{objects}*"),
            _allow(["s3:PutObject", "s3:AbortMultipartUpload"], *(f"{objects}{each}/*" for each in _WRITTEN)),
            _allow(["s3:ListBucket"], bucket),
            _allow(
                ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"],
                *(f"{aws}:ecr:{region}:{account}:repository/{each}" for each in _both(name)),
            ),
            _allow(["ecr:GetAuthorizationToken", "cloudwatch:PutMetricData"], "*"),  # which know no resources
            _allow(
                [
                    "logs:CreateLogGroup",
                    "logs:CreateLogStream",
                    "logs:PutLogEvents",
                    "logs:DescribeLogStreams",
                ],
                f"{aws}:logs:*:*:log-group:/aws/sagemaker/*",
            ),
        ]
    )


def deployer_policy(options: Mapping[str, str], names: Sequence[str]) -> dict[str, Any]:
    """
    What whoever runs `deploy.py` may do.

    Args:
        options: as `role_policy`.
        names: of what is made; a digest follows.
    """
    aws, _, objects = _places(options)
    nouns = {
        "Model": "model",
        "EndpointConfig": "endpoint-config",
        "Endpoint": "endpoint",
        "TransformJob": "transform-job",
        "TrainingJob": "training-job",
        "ModelPackageGroup": "model-package-group",
        "ModelPackage": "model-package",
    }
    ours = [f"{aws}:sagemaker:*:*:{kind}/{name}*" for kind in nouns.values() for name in names]
    verbs = [f"sagemaker:{verb}{noun}" for noun in nouns for verb in ("Create", "Describe")]
    changes = [f"sagemaker:Delete{noun}" for noun in nouns if not noun.endswith("Job")]
    passed = {"Condition": {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}}
    lists = ["Models", "EndpointConfigs", "TransformJobs", "TrainingJobs", "ModelPackages"]
    more = [
        "sagemaker:UpdateEndpoint",
        "sagemaker:UpdateModelPackage",
        "sagemaker:AddTags",
        "sagemaker:ListTags",
    ]
    return _policy(
        [
            _allow([*verbs, *changes, *more], *ours),
            _allow([f"sagemaker:List{noun}" for noun in lists], "*"),  # which know no resources
            _allow(["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"], f"{objects}*"),
            {**_allow(["iam:PassRole"], options["role"]), **passed},
        ]
    )


def _both(repository: str) -> tuple[str, ...]:
    """The images that serve and that train."""
    return (repository,) if repository == "*" else (repository, f"{repository}-train")


def _places(options: Mapping[str, str]) -> tuple[str, str, str]:
    """The partition, the bucket, and where objects begin, as ARNs; what the export has left open stays open."""
    bucket, _, prefix = options["s3"].removeprefix("s3://").rstrip("/").partition("/")
    found = re.match(r"arn:aws[a-z-]*", options["role"])
    aws = found[0] if found else "arn:aws"
    return aws, f"{aws}:s3:::{bucket}", f"{aws}:s3:::{bucket}/{prefix + '/' if prefix else ''}"


def _allow(actions: Sequence[str], *resources: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": list(resources)}


def _policy(statements: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}
