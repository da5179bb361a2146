"""The manifests as `kubectl apply -k` would send them, and what they say of our own processes."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.kafka.artifacts import Unavailable

__all__ = ["KUBERNETES", "Resource", "container", "pod", "rendered", "schema", "workloads"]

KUBERNETES = Path(__file__).parents[2] / "deploy" / "kubernetes"

Resource = dict[str, Any]


@cache
def rendered(name: str) -> tuple[Resource, ...]:
    """What a folder with a kustomization comes to; raises Unavailable without `kubectl` and `kustomize`."""
    if (kubectl := shutil.which("kubectl")) is not None:
        command = [kubectl, "kustomize"]
    elif (kustomize := shutil.which("kustomize")) is not None:
        command = [kustomize, "build"]
    else:
        raise Unavailable("neither kubectl nor kustomize")
    done = subprocess.run([*command, str(KUBERNETES / name)], capture_output=True, text=True, check=False)
    assert (0, "") == (done.returncode, done.stderr)
    return tuple(yaml.safe_load_all(done.stdout))


def workloads(resources: tuple[Resource, ...]) -> Iterator[Resource]:
    """What starts pods."""
    return (each for each in resources if each["kind"] in ("StatefulSet", "Deployment"))


def pod(workload: Resource) -> Resource:
    """The specification of its pods."""
    found = workload["spec"]["template"]["spec"]
    assert isinstance(found, dict)
    return found


def container(workload: Resource) -> Resource:
    """Its one container."""
    [found] = pod(workload)["containers"]
    assert isinstance(found, dict)
    return found


def schema(resource: Resource) -> Mapping[str, Any] | None:
    """The schema of a custom resource; None for Kubernetes' own."""
    version = resource["apiVersion"].rpartition("/")[2]
    path = Path(__file__).parent / "schemas" / f"{resource['kind'].lower()}-{version}.json"
    found = json.loads(path.read_text("utf-8")) if path.exists() else None
    assert found is None or isinstance(found, dict)
    return found
