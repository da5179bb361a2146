"""
Training jobs, for `deploy.py` beside this file: `python deploy.py train --recipe train.py --input s3://…/rows.csv`.

The job runs the image `train` of prediction-stream: a recipe, and files that it reads, are uploaded as the channel
`code`; the rows in S3 are the channel `training`. What the job made is deployed by `deploy.py endpoint --job NAME`.
"""

from __future__ import annotations

import copy
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

__all__ = [
    "TAGS",
    "Export",
    "Failed",
    "begun",
    "digest_of",
    "found_by",
    "in_s3",
    "say",
    "train",
    "trained",
]

TAGS = [{"Key": "made-by", "Value": "prediction-stream"}]
"""On all that is made here: nothing else is deleted."""


class Failed(Exception):
    """Why nothing, or not all of it, was done."""


class Export(Protocol):
    """An export, and the account that it goes to."""

    plan: dict[str, Any]
    sagemaker: Any
    s3: Any
    wait_s: float

    def value(self, key: str) -> str:
        """A setting that the export may have left open."""

    def wait(self, look: Callable[[], Any]) -> Any:
        """Until a state does not pass."""


def train(
    export: Export,
    recipe: str | None,
    beside: Sequence[str],
    source: str | None,
    parameters: Sequence[str],
    again: bool,
) -> None:
    """
    Run a training job; one that ran with the same recipe, rows and parameters is not run again.

    Args:
        export: whose `sagemaker.json` has the job's image and instances.
        recipe: its file.
        beside: files that it reads, such as its schema.
        source: the rows in S3; None where the recipe has its own.
        parameters: hyperparameters, NAME=VALUE.
        again: also if it has run.
    """
    if recipe is None:
        raise Failed("--recipe: which? train needs a recipe's file")
    request = copy.deepcopy(export.plan["train"]["TrainingJob"])
    request["RoleArn"] = export.value("role")
    request["AlgorithmSpecification"]["TrainingImage"] = export.value("train_image")
    given = dict(_parameter(text) for text in parameters)
    request["HyperParameters"] |= {**given, "recipe": f"code/{Path(recipe).name}"}
    channels = {"code": _uploaded(export, [Path(name) for name in (recipe, *beside)])}
    if source is not None:
        channels["training"] = in_s3("--input", source)
    request["InputDataConfig"] = [_channel(name, place) for name, place in channels.items()]
    job = begun(
        f"{export.plan['train']['stem']}-{digest_of(request)}",
        export.sagemaker.get_paginator("list_training_jobs"),
        "TrainingJob",
        lambda name: export.sagemaker.create_training_job(TrainingJobName=name, **request, Tags=TAGS),
        again,
    )
    if export.wait_s:
        done = export.wait(lambda: export.sagemaker.describe_training_job(TrainingJobName=job))
        if done["TrainingJobStatus"] != "Completed":
            raise Failed(
                f"training job {job}: {done['TrainingJobStatus']}: {done.get('FailureReason')}; "
                f"see the log group /aws/sagemaker/TrainingJobs"
            )
        say(f"training job {job}: {trained(export, job)}; `python deploy.py endpoint --job {job}` deploys it")


def trained(export: Export, job: str) -> str:
    """Where in S3 is what a training job made."""
    found = found_by(export.sagemaker.describe_training_job, TrainingJobName=job)
    if found is None:
        raise Failed(f"--job: there is no training job {job}")
    if found["TrainingJobStatus"] != "Completed":
        raise Failed(f"--job: {job}: {found['TrainingJobStatus']}; only what is Completed can be deployed")
    place: str = found["ModelArtifacts"]["S3ModelArtifacts"]
    return place


def begun(stem: str, pages: Any, noun: str, create: Callable[[str], object], again: bool) -> str:
    """
    The job of a request: the last one, or a new one where there is none, the last one failed, or it shall run again.

    Args:
        stem: of its name; a number follows.
        pages: the paginator that lists such jobs.
        noun: TransformJob, TrainingJob.
        create: makes one of a name.
        again: also if it has run.
    """
    states = {
        one[f"{noun}Name"]: one[f"{noun}Status"]
        for page in pages.paginate(NameContains=stem)
        for one in page[f"{noun}Summaries"]
    }
    job = max(states, key=lambda name: int(name.rpartition("-")[2]), default="")
    if states.get(job) in ("Completed", "InProgress") and not again:
        say(f"{_words(noun)} {job}: {states[job]} (--again runs it once more)")
        return job
    job = f"{stem}-{len(states) + 1}"
    create(job)
    say(f"{_words(noun)} {job}: begun")
    return job


def in_s3(option: str, place: str) -> str:
    """A place that an option names. Raises: Failed where it is none."""
    if not re.match(r"s3://[a-z0-9][a-z0-9.-]+(/|$)", place):
        raise Failed(f"{option}: expected s3://bucket/…, found {place}")
    return place


def _words(noun: str) -> str:
    return noun.removesuffix("Job").lower() + " job"


def _parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise Failed(f"--set: expected NAME=VALUE, found {text}")
    if name == "recipe":
        raise Failed("--set recipe: --recipe names it")
    return name, value


def _channel(name: str, place: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": place, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def _uploaded(export: Export, files: Sequence[Path]) -> str:
    """Files in a folder of S3 that only the same files can have."""
    names = [file.name for file in files]
    if len(set(names)) < len(names):
        raise Failed(f"--file: two files have one name: {', '.join(names)}")
    content = {file.name: file.read_bytes() for file in files}
    digest = digest_of({name: hashlib.sha256(each).hexdigest() for name, each in content.items()})
    bucket, _, prefix = export.value("s3").removeprefix("s3://").partition("/")
    folder = "/".join(part for part in (prefix, export.plan["name"], "code", digest) if part)
    for name, each in content.items():
        if found_by(export.s3.head_object, Bucket=bucket, Key=f"{folder}/{name}") is None:
            export.s3.put_object(Bucket=bucket, Key=f"{folder}/{name}", Body=each)
            say(f"s3://{bucket}/{folder}/{name}: {len(each)} bytes uploaded")
    return f"s3://{bucket}/{folder}/"


def found_by(describe: Callable[..., Any], **names: str) -> Any:
    """What there is by a name; None where there is nothing."""
    from botocore.exceptions import ClientError

    try:
        return describe(**names)
    except ClientError as error:
        if re.search("could not find|does not exist|not found|404", str(error), re.IGNORECASE):
            return None
        raise


def digest_of(request: object) -> str:
    """Of what is made, for its name."""
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()[:8]


def say(text: str) -> None:
    """A line of the report."""
    print(text, flush=True)
