"""
Deploys what `stream export --to sagemaker` wrote beside this file. Needs Python 3.11 and boto3.

    python deploy.py endpoint        a real-time endpoint; after another export: an update without a gap
    python deploy.py serverless      an endpoint that costs nothing while nobody asks
    python deploy.py async           an endpoint that reads requests from S3 and writes answers there
    python deploy.py multi-model     an endpoint of many packages; this one is added to it
    python deploy.py transform --input s3://…/rows.csv --output s3://…/answers
    python deploy.py train --recipe train.py --file schema.avsc --input s3://…/rows.csv
    python deploy.py endpoint --job NAME            of what a training job made; serverless, async, transform too
    python deploy.py package         a version in the model registry; --approve
    python deploy.py endpoint --delete

Everything is named after its content: running it again changes nothing, and an older export's deploy.py is the way
back to it. What is made stands in sagemaker.json, in the words of SageMaker's API.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stream.export.sagemaker_training import (
    TAGS,
    Failed,
    begun,
    digest_of,
    found_by,
    in_s3,
    say,
    train,
    trained,
)

KINDS = ("endpoint", "serverless", "async", "multi-model", "transform", "train", "package")
ENDED = ("InService", "Failed", "OutOfService", "UpdateRollbackFailed", "Completed", "Stopped", "gone")
"""States that don't pass."""


class Deployment:
    """An export, and the account that it goes to."""

    def __init__(self, folder: Path, sagemaker: Any, s3: Any, wait_s: float, pause_s: float = 15.0) -> None:
        """The export's folder; AWS's clients; how long to wait (0: not at all), and between two looks."""
        self.plan: dict[str, Any] = json.loads((folder / "sagemaker.json").read_text("utf-8"))
        self.folder, self.sagemaker, self.s3 = folder, sagemaker, s3
        self.wait_s, self.pause_s = wait_s, pause_s
        self.job: str | None = None
        """The training job whose archive is deployed; None: the export's own is."""

    def deploy(self, kind: str) -> None:
        """Make or update an endpoint: 1 archive and model, 2 configuration, 3 endpoint."""
        part = self.plan[kind]
        name = part["EndpointName"]
        model = self.model(kind, name)
        variant = {"VariantName": "AllTraffic", "ModelName": model, **part["ProductionVariant"]}
        config = {"ProductionVariants": [variant], **part.get("EndpointConfig", {})}
        config_name = f"{name}-{digest_of(config)}"
        if found_by(self.sagemaker.describe_endpoint_config, EndpointConfigName=config_name) is None:
            self.sagemaker.create_endpoint_config(EndpointConfigName=config_name, **config, Tags=TAGS)
            say(f"endpoint configuration {config_name}: made")
        self.endpoint(name, config_name, part.get("UpdateEndpoint", {}))

    def endpoint(self, name: str, config: str, update: dict[str, Any]) -> None:
        """Let an endpoint have a configuration."""
        found = self.look(name)
        if found is not None and found["EndpointStatus"] not in ENDED:
            say(f"endpoint {name}: is {found['EndpointStatus']}; waiting for that first")
            found = self.wait(lambda: self.look(name))
        if found is not None and found["EndpointStatus"] == "Failed":
            say(f"endpoint {name}: had failed ({found.get('FailureReason')}), and is made anew")
            self.sagemaker.delete_endpoint(EndpointName=name)
            found = self.wait(lambda: self.look(name), ("gone",))
        if found is None:
            self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config, Tags=TAGS)
            say(f"endpoint {name}: is being made with {config}")
        elif found["EndpointConfigName"] == config:
            say(f"endpoint {name}: has {config} already")
        else:
            self.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config, **update)
            say(f"endpoint {name}: changes from {found['EndpointConfigName']} to {config}")
        if self.wait_s:
            found = self.wait(lambda: self.look(name)) or {"EndpointStatus": "gone"}
            if (found["EndpointStatus"], found.get("EndpointConfigName")) != ("InService", config):
                raise Failed(
                    f"endpoint {name}: {found['EndpointStatus']} with {found.get('EndpointConfigName')}: "
                    f"{found.get('FailureReason')}; see the log group /aws/sagemaker/Endpoints/{name}"
                )
            say(f"endpoint {name}: in service with {config}")

    def model(self, kind: str, stem: str) -> str:
        """The model of an endpoint or a job, whose name is a digest of what it is."""
        container = {"Image": self.value("image"), "Environment": self.plan["environment"]}
        if kind == "multi-model":
            target = f"{self.plan['name']}-{self.plan['version']}.tar.gz"
            say(f"TargetModel={target}: {self.upload(f'multi-model/{target}')}")
            container |= {"Mode": "MultiModel", "ModelDataUrl": f"{self.value('s3')}/multi-model/"}
        else:
            container |= {"ModelDataUrl": trained(self, self.job) if self.job else self.upload()}
        request: dict[str, Any] = {"ExecutionRoleArn": self.value("role"), "PrimaryContainer": container}
        if kind != "serverless":  # which can't have it
            request["EnableNetworkIsolation"] = self.plan["network_isolation"]
        name = f"{stem}-{digest_of(request)}"
        if found_by(self.sagemaker.describe_model, ModelName=name) is None:
            self.sagemaker.create_model(ModelName=name, **request, Tags=TAGS)
            say(f"model {name}: made")
        return name

    def upload(self, key: str = "") -> str:
        """The archive at a place in S3, unless it is there: by default where only the same archive can be."""
        archive, file = self.plan["archive"], self.folder / self.plan["archive"]["file"]
        key = key or f"{self.plan['name']}/{self.plan['version']}/{archive['sha256'][:12]}/{file.name}"
        bucket, _, prefix = self.value("s3").removeprefix("s3://").partition("/")
        key = f"{prefix}/{key}" if prefix else key
        with file.open("rb") as content:
            found = hashlib.file_digest(content, "sha256").hexdigest()
        if found != archive["sha256"]:
            raise Failed(f"{file}: is not what was exported: its sha256 is another; export it again")
        there = found_by(self.s3.head_object, Bucket=bucket, Key=key)
        if there is None or there["Metadata"].get("sha256") != archive["sha256"]:
            self.s3.upload_file(str(file), bucket, key, ExtraArgs={"Metadata": {"sha256": archive["sha256"]}})
            say(f"s3://{bucket}/{key}: {archive['bytes']} bytes uploaded")
        return f"s3://{bucket}/{key}"

    def transform(self, source: str | None, target: str | None, again: bool) -> None:
        """Run a batch transform job; one that ran with the same rows and model is not run again."""
        request = copy.deepcopy(self.plan["transform"]["TransformJob"])
        place, output = request["TransformInput"]["DataSource"]["S3DataSource"], request["TransformOutput"]
        place["S3Uri"] = source or place["S3Uri"]
        output["S3OutputPath"] = target or output["S3OutputPath"]
        in_s3("--input", place["S3Uri"])
        in_s3("--output", output["S3OutputPath"])
        request["ModelName"] = self.model("transform", self.plan["transform"]["stem"])
        job = begun(
            f"{self.plan['transform']['stem']}-{digest_of(request)}",
            self.sagemaker.get_paginator("list_transform_jobs"),
            "TransformJob",
            lambda name: self.sagemaker.create_transform_job(TransformJobName=name, **request, Tags=TAGS),
            again,
        )
        if self.wait_s:
            done = self.wait(lambda: self.sagemaker.describe_transform_job(TransformJobName=job))
            if done["TransformJobStatus"] != "Completed":
                raise Failed(
                    f"transform job {job}: {done['TransformJobStatus']}: {done.get('FailureReason')}"
                )

    def package(self, approve: bool) -> None:
        """A version of the model registry, with its approval."""
        part = self.plan["package"]
        group, approval = (
            part["ModelPackageGroupName"],
            "Approved" if approve else part["ModelApprovalStatus"],
        )
        if found_by(self.sagemaker.describe_model_package_group, ModelPackageGroupName=group) is None:
            self.sagemaker.create_model_package_group(ModelPackageGroupName=group, Tags=TAGS)
            say(f"model package group {group}: made")
        url = self.upload()
        for one in self.packages(group):
            arn, status = one["ModelPackageArn"], approval if approve else one["ModelApprovalStatus"]
            if status != one["ModelApprovalStatus"]:
                self.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus=status)
            say(f"model package {arn}: is there, {status}")
            return
        container = {
            "Image": self.value("image"),
            "ModelDataUrl": url,
            "Environment": self.plan["environment"],
        }
        specification = {"Containers": [container], **part["InferenceSpecification"]}
        made = self.sagemaker.create_model_package(
            **{**part, "InferenceSpecification": specification, "ModelApprovalStatus": approval}
        )
        say(f"model package {made['ModelPackageArn']}: {approval}")

    def packages(self, group: str) -> list[dict[str, Any]]:
        """The versions of a group that are this export's."""
        pages = self.sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
        arns = [one["ModelPackageArn"] for page in pages for one in page["ModelPackageSummaryList"]]
        every = [self.sagemaker.describe_model_package(ModelPackageName=arn) for arn in arns]
        mine = self.plan["archive"]["sha256"]
        return [one for one in every if one.get("CustomerMetadataProperties", {}).get("sha256") == mine]

    def delete(self, kind: str) -> None:
        """Delete what was made; archives and answers in S3 stay."""
        if kind == "train":
            raise Failed("--delete: a training job can't be deleted; one that has ended costs nothing")
        if kind == "package":
            for one in self.packages(self.plan[kind]["ModelPackageGroupName"]):
                self.sagemaker.delete_model_package(ModelPackageName=one["ModelPackageArn"])
                say(f"model package {one['ModelPackageArn']}: deleted")
            return
        stem = self.plan[kind].get("EndpointName") or self.plan[kind]["stem"]
        if kind != "transform" and self.look(stem) is not None:
            self.sagemaker.delete_endpoint(EndpointName=stem)
            self.wait(lambda: self.look(stem), ("gone",))
            say(f"endpoint {stem}: deleted")
        for operation, noun in (("endpoint_config", "EndpointConfig"), ("model", "Model")):
            pages = self.sagemaker.get_paginator(f"list_{operation}s").paginate(NameContains=stem)
            for one in [one for page in pages for one in page[f"{noun}s"]]:
                name = one[f"{noun}Name"]
                ours = re.fullmatch(rf"{re.escape(stem)}-[0-9a-f]{{8}}", name)
                if ours and TAGS[0] in self.sagemaker.list_tags(ResourceArn=one[f"{noun}Arn"])["Tags"]:
                    getattr(self.sagemaker, f"delete_{operation}")(**{f"{noun}Name": name})
                    say(f"{noun} {name}: deleted")

    def look(self, name: str) -> Any:
        """An endpoint; None where there is none."""
        return found_by(self.sagemaker.describe_endpoint, EndpointName=name)

    def wait(self, look: Callable[[], Any], ended: tuple[str, ...] = ENDED) -> Any:
        """Until a state does not pass, at most as long as is waited. Returns: what there is then."""
        began, said = time.monotonic(), ""
        while True:
            found = look()
            keys = ("EndpointStatus", "TransformJobStatus", "TrainingJobStatus")
            state = "gone" if found is None else next(found[key] for key in keys if key in found)
            if state != said:
                say(f"  {time.monotonic() - began:4.0f} s  {state}")
                said = state
            if state in ended:
                return found
            if time.monotonic() - began >= self.wait_s:
                raise Failed(f"still {state} after {self.wait_s:.0f} s; run it again to go on waiting")
            time.sleep(self.pause_s)

    def value(self, key: str) -> str:
        """A setting that the export may have left open."""
        value: str = self.plan[key]
        if not re.search("[a-z]", value.removeprefix("s3://")):
            raise Failed(f"sagemaker.json: {key}: fill in {value}")
        return value.rstrip("/")


def arguments_of(words: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser("deploy.py", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--delete", action="store_true", help="delete what was made; nothing in S3")
    parser.add_argument("--region", help="default: of the profile, or AWS_REGION")
    parser.add_argument("--timeout", type=float, default=1_800, help="seconds to wait; 0: don't (1800)")
    parser.add_argument("--pause", type=float, default=15, help="seconds between two looks (15)")
    parser.add_argument("--input", help="transform, train: the rows: a file's s3://…, or a prefix")
    parser.add_argument("--output", help="transform: where the answers go, s3://…")
    parser.add_argument("--again", action="store_true", help="transform, train: also if it has run")
    parser.add_argument("--recipe", help="train: the recipe's file")
    parser.add_argument("--file", action="append", default=[], help="train: a file that the recipe reads")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="train: a hyperparameter"
    )
    parser.add_argument("--job", help="deploy what this training job made, not the export's package")
    parser.add_argument("--approve", action="store_true", help="package: approve it")
    return parser.parse_args(words)


def main() -> None:
    """Exits with 1 where something failed."""
    given = arguments_of(sys.argv[1:])
    try:
        import boto3
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError:
        sys.exit("error: boto3 is missing: python -m pip install boto3")
    try:
        sagemaker, s3 = (boto3.client(name, region_name=given.region) for name in ("sagemaker", "s3"))
        deployment = Deployment(Path(__file__).resolve().parent, sagemaker, s3, given.timeout, given.pause)
        if given.job and given.kind in ("multi-model", "train", "package"):
            raise Failed(f"--job: {given.kind} can't have it; endpoint, serverless, async and transform can")
        deployment.job = given.job
        if given.delete:
            deployment.delete(given.kind)
        elif given.kind == "transform":
            deployment.transform(given.input, given.output, given.again)
        elif given.kind == "train":
            train(deployment, given.recipe, given.file, given.input, given.set, given.again)
        elif given.kind == "package":
            deployment.package(given.approve)
        else:
            deployment.deploy(given.kind)
    except (Failed, BotoCoreError, Boto3Error, ClientError, OSError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
