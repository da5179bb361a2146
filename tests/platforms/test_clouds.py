"""KServe, Vertex AI, Azure ML and Databricks as far as they are HTTP: their clients, files and limits, our process."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from stream.mlflow import ModelVersion, client
from stream.settings import MlflowSettings, Settings
from tests.acceptance.process import READY_S, ROOT, Process
from tests.kafka.process import free_ports, is_listening
from tests.platforms.environments import environment

pytestmark = [pytest.mark.platform, pytest.mark.timeout(300)]

DEPLOY = ROOT / "deploy"
FLIGHTS = ROOT / "models" / "flights"
ROW = {
    "carrier": "UA", "origin": "EWR", "dest": "ORD", "distance": 719, "dep_delay": 40, "weekday": 4, "hour": 17,
}  # fmt: skip
SCORE = 0.7964468732279556

LIMIT = 1_500_000
"""Bytes of a request to a shared endpoint of Vertex AI."""


@pytest.fixture(scope="module")
def python() -> Path:
    """The Python that has the clouds' clients."""
    return environment("clouds") / "bin" / "python"


@contextmanager
def served(folder: Path, arguments: Sequence[str], environ: Mapping[str, str], port: int) -> Iterator[str]:
    """`stream …` as a container runs it, in a folder without a configuration; its address."""
    command = [sys.executable, "-m", "stream", *arguments]
    with Process("serve", command, folder, environ) as process:
        process.until(lambda: is_listening(port), READY_S, "it to listen")
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def kserve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The runtime's container, for an InferenceService with another name than the package's."""
    folder = tmp_path_factory.mktemp("kserve")
    shutil.copytree(FLIGHTS, folder / "models")
    [port] = free_ports(1)
    runtime = yaml.safe_load((DEPLOY / "kserve" / "runtime.yaml").read_text("utf-8"))
    [container] = runtime["spec"]["containers"]
    environ = {each["name"]: each["value"].replace("{{.Name}}", "late-flights") for each in container["env"]}
    arguments = [word.replace("/mnt/models", str(folder / "models")) for word in container["args"]]
    with served(folder, arguments, {**environ, "STREAM_SERVE__PORT": str(port)}, port) as url:
        yield url


def output_of(python: Path, program: str, *arguments: str) -> Any:
    """What a program of the environment prints."""
    path = Path(__file__).parent / "clouds" / program
    done = subprocess.run([python, path, *arguments], capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_kserve_s_client_finds_the_model_under_the_service_s_name(kserve: str, python: Path) -> None:
    """Live, ready, and the same answer over both protocols; an unknown model is a 404."""
    said = output_of(python, "kserve_calls.py", kserve, "late-flights", json.dumps(ROW))

    assert (True, True, [True, True]) == (said["live"], said["ready"], said["model ready"])
    [first] = said["v1"]["predictions"]
    assert (True, SCORE, "flights@1") == (first["label"], first["score"], first["model"])
    assert {"label": [True], "score": [SCORE]} == {name: said["v2"][name] for name in ("label", "score")}
    assert "late-flights" == said["v2 model"]
    assert [404, 404] == said["unknown"]


def test_files_are_what_the_clouds_own_clients_take(python: Path, tmp_path: Path) -> None:
    """Vertex AI's messages, Azure ML's schemas and Databricks' classes; each refuses a misspelt key."""
    wrong = tmp_path / "deployment.yml"
    text = (DEPLOY / "azure-ml" / "deployment.yml").read_text("utf-8")
    wrong.write_text(text.replace("instance_count", "instance_counts"))

    said = output_of(python, "accepted.py", str(DEPLOY), str(wrong))

    assert {} == {name: fault for name, fault in said["found"].items() if fault is not None}
    assert "imageUrl" in said["wrong"]["vertex-ai"]
    assert "served_entity" in said["wrong"]["databricks"]
    assert "instance_counts" in said["wrong"]["azure-ml"]


def test_vertex_ai_gets_what_its_gateway_passes_on(python: Path, tmp_path: Path) -> None:
    """Whole numbers arrive as floats; the answer is that of any door; an error is JSON; a large body is answered."""
    request = output_of(python, "accepted.py", str(DEPLOY), str(tmp_path))["vertex request"]
    [port] = free_ports(1)
    spec = json.loads((DEPLOY / "vertex-ai" / "model.json").read_text("utf-8"))["model"]["containerSpec"]
    environ = {each["name"]: each["value"] for each in spec["env"]} | {
        "STREAM_MODEL__URI": str(FLIGHTS),
        "AIP_HTTP_PORT": str(port),
        "AIP_HEALTH_ROUTE": spec["healthRoute"],
        "AIP_PREDICT_ROUTE": spec["predictRoute"],
        "AIP_STORAGE_URI": "gs://bucket/flights",
        "AIP_MODE": "PREDICTION",
    }
    with served(tmp_path, spec["args"], environ, port) as url:
        health = httpx.get(f"{url}{spec['healthRoute']}")
        answer = httpx.post(f"{url}{spec['predictRoute']}", json=request, timeout=30)
        refused = httpx.post(f"{url}{spec['predictRoute']}", json={"instances": [{"carrier": 3}]})
        many = {"instances": [ROW] * 15_000}
        large = httpx.post(f"{url}{spec['predictRoute']}", json=many, timeout=60)

    assert 200 == health.status_code
    assert [(True, SCORE)] == [(one["label"], one["score"]) for one in answer.json()["predictions"]]
    assert (422, "application/json") == (refused.status_code, refused.headers["content-type"])
    assert "error" in refused.json()
    assert 1_400_000 < len(large.request.content) < LIMIT
    assert 15_000 == len(large.json()["predictions"])


def test_azure_ml_s_routes_answer_with_its_headers(tmp_path: Path) -> None:
    """The folder lies where Azure ML mounts it; a probe is 200; the scoring route takes its clients' headers."""
    file = yaml.safe_load((DEPLOY / "azure-ml" / "deployment.yml").read_text("utf-8"))
    variables = file["environment_variables"]
    mounted = tmp_path / variables["STREAM_MODEL__URI"].removeprefix("/")
    shutil.copytree((DEPLOY / "azure-ml" / file["model"]["path"]).resolve(), mounted)
    [port] = free_ports(1)
    environ = {**variables, "STREAM_MODEL__URI": str(mounted), "STREAM_SERVE__PORT": str(port)}
    routes = {name: one["path"] for name, one in file["environment"]["inference_config"].items()}
    headers = {
        "content-type": "application/json",
        "authorization": "Bearer the-endpoint-s-own-key",
        "azureml-model-deployment": "blue",
        "x-ms-client-request-id": "6b3c",
        "x-request-id": "6b3c",
    }
    body = (DEPLOY / "azure-ml" / "request.json").read_bytes()
    with served(tmp_path, ["serve"], environ, port) as url:
        probes = [
            httpx.get(f"{url}{routes[name]}").status_code for name in ("liveness_route", "readiness_route")
        ]
        answer = httpx.post(f"{url}{routes['scoring_route']}", content=body, headers=headers, timeout=30)
        refused = httpx.post(f"{url}{routes['scoring_route']}", content=b"{}", headers=headers)

    assert [200, 200] == probes
    assert [(True, SCORE)] == [(one["label"], one["score"]) for one in answer.json()["predictions"]]
    assert (422, "BAD_REQUEST") == (refused.status_code, refused.json()["error_code"])


def test_databricks_clients_need_only_another_address(kserve: str) -> None:
    """The body of a Databricks serving endpoint is that of `/invocations`."""
    body = (DEPLOY / "databricks" / "request.json").read_bytes()
    answer = httpx.post(f"{kserve}/invocations", content=body, headers={"content-type": "application/json"})

    assert [(True, SCORE)] == [(one["label"], one["score"]) for one in answer.json()["predictions"]]


@pytest.mark.parametrize(
    ("registry", "repository"),
    [
        ("databricks-uc", "UnityCatalogModelsArtifactRepository"),
        ("databricks-uc://work", "UnityCatalogModelsArtifactRepository"),
        ("databricks", "DatabricksModelsArtifactRepository"),
    ],
)
def test_models_of_databricks_are_fetched_by_its_own_way(
    registry: str, repository: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """By temporary credentials, and not from the storage's bare address. Nothing is asked yet."""
    (tmp_path / "databrickscfg").write_text("[work]\nhost = http://127.0.0.1:1\ntoken = t\n")
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(tmp_path / "databrickscfg"))
    monkeypatch.setenv("DATABRICKS_HOST", "http://127.0.0.1:1")
    monkeypatch.setenv("DATABRICKS_TOKEN", "t")
    settings = Settings(mlflow=MlflowSettings(tracking_uri="databricks", registry_uri=registry))

    with client(settings) as server:
        found = server.artifacts(ModelVersion("main.ml.flights", 3))

    assert repository == type(found.repository).__name__
