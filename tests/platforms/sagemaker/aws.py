"""
An AWS on the loopback: moto's server, with what it lacks of SageMaker, whose endpoints take their time and may fail.

Run by the environment's own Python: `python aws.py PORT`. A first line says that it listens; from then on, each line
in is a line out, both JSON: a call of boto3 and its answer, or a program of boto3's to run, and what came of it.
"""

from __future__ import annotations

import io
import json
import os
import runpy
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import boto3
from moto.sagemaker.models import sagemaker_backends
from moto.sagemaker.responses import SageMakerResponse
from moto.server import ThreadedMotoServer

LOOKS = 2
"""Times that what changes is described until it has changed."""

CHANGES: dict[str, list[str]] = {}
"""By name, the states that an endpoint or a job will be seen in."""

BREAKING = "breaking"
"""In the address of an image that can't start."""

FAILURE = "The container did not pass the ping health check."

OURS = (
    "create_endpoint",
    "create_model",
    "delete_model_package",
    "describe_endpoint",
    "describe_training_job",
    "describe_transform_job",
    "update_endpoint",
    "update_model_package",
)
"""The calls that this module answers, some with moto's help."""

THEIRS = {name: getattr(SageMakerResponse, name, None) for name in OURS}


def backend_of(response: SageMakerResponse) -> Any:
    """The state of the account and region that is asked."""
    return sagemaker_backends[response.current_account][response.region]


def breaks(backend: Any, model: str) -> bool:
    """Whether a model's container can't start."""
    return BREAKING in str(backend.describe_model(model).primary_container["Image"])


def variant_breaks(backend: Any, config: str) -> bool:
    """Whether a configuration's container can't start."""
    return breaks(backend, backend.endpoint_configs[config].production_variants[0]["ModelName"])


def theirs(self: SageMakerResponse, call: str) -> Any:
    """Moto's own answer."""
    answer = THEIRS[call]
    assert answer is not None
    return answer(self)


def create_model(self: SageMakerResponse) -> Any:
    """As moto, which forgets whether the container has a network."""
    answer = theirs(self, "create_model")
    model = backend_of(self).describe_model(self._get_param("ModelName"))
    model.enable_network_isolation = bool(self._get_param("EnableNetworkIsolation"))
    return answer


def create_endpoint(self: SageMakerResponse) -> Any:
    """As moto, and then it is being made for a while."""
    answer = theirs(self, "create_endpoint")
    broken = variant_breaks(backend_of(self), self._get_param("EndpointConfigName"))
    CHANGES[self._get_param("EndpointName")] = ["Creating"] * LOOKS + ["Failed" if broken else "InService"]
    return answer


def update_endpoint(self: SageMakerResponse) -> str:
    """The new configuration, or the old one still where its container can't start."""
    name, config = self._get_param("EndpointName"), self._get_param("EndpointConfigName")
    backend = backend_of(self)
    endpoint, broken = backend.endpoints[name], variant_breaks(backend, config)
    CHANGES[name] = ["Updating"] * LOOKS + ["InService"]
    endpoint.failure_reason = FAILURE if broken else None
    if not broken:
        endpoint.endpoint_config_name = config
    return json.dumps({"EndpointArn": endpoint.arn})


def describe_endpoint(self: SageMakerResponse) -> Any:
    """As moto, in the state whose turn it is."""
    name = self._get_param("EndpointName")
    states, endpoint = CHANGES.get(name, []), backend_of(self).endpoints.get(name)
    if endpoint is not None and states:
        endpoint.endpoint_status = states.pop(0) if len(states) > 1 else states[0]
        if endpoint.endpoint_status == "Failed":
            endpoint.failure_reason = FAILURE
    return theirs(self, "describe_endpoint")


def describe_transform_job(self: SageMakerResponse) -> Any:
    """As moto, in the state whose turn it is."""
    name = self._get_param("TransformJobName")
    job = backend_of(self).transform_jobs[name]
    last = "Failed" if breaks(backend_of(self), job.model_name) else "Completed"
    states = CHANGES.setdefault(name, ["InProgress"] * LOOKS + [last])
    job.transform_job_status = states.pop(0) if len(states) > 1 else states[0]
    job.failure_reason = FAILURE if job.transform_job_status == "Failed" else None
    return theirs(self, "describe_transform_job")


def describe_training_job(self: SageMakerResponse) -> Any:
    """As moto, in the state whose turn it is."""
    name = self._get_param("TrainingJobName")
    job = backend_of(self).training_jobs.get(name)
    if job is not None:
        last = "Failed" if BREAKING in str(job.algorithm_specification["TrainingImage"]) else "Completed"
        states = CHANGES.setdefault(name, ["InProgress"] * LOOKS + [last])
        job.training_job_status = states.pop(0) if len(states) > 1 else states[0]
        job.failure_reason = FAILURE if job.training_job_status == "Failed" else None
    return theirs(self, "describe_training_job")


def delete_model_package(self: SageMakerResponse) -> str:
    """A version of a group."""
    packages, arn = backend_of(self).model_packages, self._get_param("ModelPackageName")
    for key in [key for key, one in packages.items() if one.arn == arn]:
        del packages[key]
    return "{}"


def update_model_package(self: SageMakerResponse) -> Any:
    """As moto, which forgets the properties that the request leaves as they are."""
    package = backend_of(self).model_packages[self._get_param("ModelPackageArn")]
    properties = package.customer_metadata_properties
    answer = theirs(self, "update_model_package")
    package.customer_metadata_properties = properties
    return answer


def said(line: str) -> None:
    """A line to whoever asked."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def outcome(program: str, arguments: list[str]) -> list[object]:
    """Run a program here, where boto3 is imported already. Returns: its exit code, output and errors."""
    sys.argv = [program, *arguments]
    sys.path.insert(0, str(Path(program).parent))  # as for a program of its own
    out, err, code = io.StringIO(), io.StringIO(), 0
    with redirect_stdout(out), redirect_stderr(err):
        try:
            runpy.run_path(program, run_name="__main__")
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
            err.write(f"{ended.code}\n" if isinstance(ended.code, str) else "")
    sys.path.pop(0)
    sys.modules.pop("training_job", None)
    return [code, out.getvalue(), err.getvalue()]


def main() -> None:
    """Serve until standard input ends."""
    for name in OURS:
        setattr(SageMakerResponse, name, globals()[name])
    server = ThreadedMotoServer("127.0.0.1", int(sys.argv[1]), verbose=False)
    server.start()
    os.environ["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{sys.argv[1]}"
    clients = {name: boto3.client(name) for name in ("sagemaker", "s3")}
    said("listens")
    for line in sys.stdin:
        service, call, arguments = json.loads(line)
        if service == "run":
            said(json.dumps(outcome(call, arguments)))
            continue
        try:
            answer = getattr(clients[service], call)(**arguments)
        except clients[service].exceptions.ClientError as error:
            answer = {"error": str(error)}
        said(json.dumps(answer, default=str))
    server.stop()


if __name__ == "__main__":
    main()
