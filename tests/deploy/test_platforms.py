"""deploy/ of KServe, Vertex AI, Azure ML and Databricks: the schemas that are here, and our own code."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from stream.app.vertex_container import in_vertex
from stream.configuration import load_settings
from stream.rest.application import ENDPOINTS
from stream.settings import Settings
from tests.deploy.manifests import schema
from tests.docker.cli import parse

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
KSERVE = ("runtime.yaml", "flights.yaml")


def _yaml(path: str) -> dict[str, Any]:
    found = yaml.safe_load((DEPLOY / path).read_text("utf-8"))
    assert isinstance(found, dict)
    return found


def _json(path: str) -> dict[str, Any]:
    found = json.loads((DEPLOY / path).read_text("utf-8"))
    assert isinstance(found, dict)
    return found


def _faults(resource: dict[str, Any]) -> list[str]:
    known = schema(resource)
    assert known is not None
    return [f"{each.json_path}: {each.message}" for each in Draft202012Validator(known).iter_errors(resource)]


def _is_answered(path: str, method: str = "GET") -> bool:
    return any(
        one.method == method and path == one.path.format(name="flights", version="1") for one in ENDPOINTS
    )


@pytest.mark.parametrize("name", KSERVE)
def test_kserve_s_resources_fit_its_schemas(name: str) -> None:
    """Strictly: a misspelt key is an error."""
    resource = _yaml(f"kserve/{name}")
    wrong = copy.deepcopy(resource)
    wrong["spec"]["misspelt"] = True

    assert [] == _faults(resource)
    assert _faults(wrong)


def test_kserve_s_model_finds_its_runtime() -> None:
    """By name, format and protocol."""
    runtime, [predictor] = _yaml("kserve/runtime.yaml"), _yaml("kserve/flights.yaml")["spec"].values()
    model = predictor["model"]

    assert runtime["metadata"]["name"] == model["runtime"]
    assert model["modelFormat"]["name"] in {each["name"] for each in runtime["spec"]["supportedModelFormats"]}
    assert model["protocolVersion"] in runtime["spec"]["protocolVersions"]


def test_kserve_s_container_is_a_command_of_ours() -> None:
    """Its arguments parse, its variables are settings, its probes are answered where it listens."""
    [container] = _yaml("kserve/runtime.yaml")["spec"]["containers"]
    variables = {each["name"]: each["value"].replace("{{.Name}}", "flights") for each in container["env"]}
    settings = load_settings(None, variables)

    parse([word.replace("/mnt/models", str(ROOT / "models" / "flights")) for word in container["args"]])
    assert ("flights", "0.0.0.0") == (settings.serve.name, settings.serve.host)
    assert [settings.serve.port] == [port["containerPort"] for port in container["ports"]]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert settings.serve.port == container[probe]["httpGet"]["port"]
        assert _is_answered(container[probe]["httpGet"]["path"])


def test_vertex_ai_s_container_is_a_command_of_ours() -> None:
    """Its arguments parse, its variables are settings, and its paths are ones at which it may ask."""
    spec = _json("vertex-ai/model.json")["model"]["containerSpec"]
    parse(spec["args"])
    load_settings(None, {each["name"]: each["value"] for each in spec["env"]})
    [port] = spec["ports"]

    settings, more = in_vertex(
        Settings(),
        {
            "AIP_HTTP_PORT": str(port["containerPort"]),
            "AIP_HEALTH_ROUTE": spec["healthRoute"],
            "AIP_PREDICT_ROUTE": spec["predictRoute"],
        },
    )

    assert ("0.0.0.0", 8080) == (settings.serve.host, settings.serve.port)
    assert [("POST", spec["predictRoute"])] == [(one.method, one.path) for one in more]
    assert not any(each["name"].startswith("AIP_") for each in spec["env"])


def test_gcloud_command_on_the_page_says_what_the_file_says() -> None:
    """The same model by `gcloud ai models upload` as by model.json."""
    page = (ROOT / "docs" / "vertex-ai.md").read_text("utf-8")
    [command] = re.findall(r"^gcloud ai models upload.*?(?<!\\)$", page, re.MULTILINE | re.DOTALL)
    given = dict(re.findall(r"--([a-z-]+)=(\S+)", command))

    model = _json("vertex-ai/model.json")["model"]
    spec = model["containerSpec"]
    assert given == {
        "region": "europe-west1",
        "display-name": model["displayName"],
        "version-aliases": ",".join(model["versionAliases"]),
        "container-image-uri": spec["imageUri"],
        "container-args": ",".join(spec["args"]),
        "container-env-vars": ",".join(f"{each['name']}={each['value']}" for each in spec["env"]),
        "container-ports": ",".join(str(each["containerPort"]) for each in spec["ports"]),
        "container-health-route": spec["healthRoute"],
        "container-predict-route": spec["predictRoute"],
    }


def test_azure_ml_s_container_listens_where_its_routes_are() -> None:
    """Its variables are settings, the routes are answered at their port, and the model is where it is mounted."""
    deployment, endpoint = _yaml("azure-ml/deployment.yml"), _yaml("azure-ml/endpoint.yml")
    model = deployment["model"]
    settings = load_settings(None, deployment["environment_variables"])
    routes = deployment["environment"]["inference_config"]
    mounted = f"/var/azureml-app/azureml-models/{model['name']}/{model['version']}/{Path(model['path']).name}"

    assert endpoint["name"] == deployment["endpoint_name"]
    assert mounted == settings.model.uri
    assert (DEPLOY / "azure-ml" / model["path"] / "current").is_file()
    assert {settings.serve.port} == {route["port"] for route in routes.values()}
    assert "0.0.0.0" == settings.serve.host
    assert all(_is_answered(routes[name]["path"]) for name in ("liveness_route", "readiness_route"))
    assert _is_answered(routes["scoring_route"]["path"], "POST")


def test_databricks_serves_and_scores_the_same_model() -> None:
    """The endpoint's model is the job's."""
    [served] = _json("databricks/endpoint.json")["config"]["served_entities"]
    [task] = _json("databricks/job.json")["tasks"]
    uri = task["spark_python_task"]["parameters"][0]

    assert uri == f"models:/{served['entity_name']}@champion"
    assert Path(task["spark_python_task"]["python_file"]).name == "score.py"
    compile((DEPLOY / "databricks" / "score.py").read_text("utf-8"), "score.py", "exec")
