"""
Which of the files in deploy/ the platforms' own clients take: `accepted.py DEPLOY_FOLDER`, run in this environment.

Prints one JSON object: for each file what its client said against it, and the requests and answers as it makes them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def vertex(name: str) -> Callable[[Any], Any]:
    """Vertex AI's own message of a request's body; an unknown key is an error."""
    from google.cloud.aiplatform_v1 import types
    from google.protobuf.json_format import MessageToDict, ParseDict

    message = getattr(types, name)

    def take(body: Any) -> Any:
        return MessageToDict(ParseDict(body, message.pb(message())), preserving_proto_field_name=False)

    return take


def databricks(room: str, name: str) -> Callable[[Any], Any]:
    """Databricks' own class; what it doesn't know is not in what it gives back."""
    from databricks.sdk.service import jobs, serving

    kind = getattr({"jobs": jobs, "serving": serving}[room], name)

    def take(body: Any) -> Any:
        back = kind.from_dict(body).as_dict()
        if back != body:
            raise ValueError(f"unknown keys or values: {body} came back as {back}")
        return back

    return take


def azure(load: str, path: Path) -> str:
    """What Azure ML's command line makes of a file."""
    from azure.ai import ml

    return str(getattr(ml, load)(source=path).name)


def told(check: Callable[[], Any]) -> str | None:
    """What it raised; None for nothing."""
    try:
        check()
    except Exception as error:  # noqa: BLE001 - each client has errors of its own, and all of them are answers
        return f"{type(error).__name__}: {error}"
    return None


def main() -> None:
    """Every file, and beside each kind a body with a misspelt key."""
    deploy = Path(sys.argv[1])

    def read(path: str) -> Any:
        return json.loads((deploy / path).read_text("utf-8"))

    model, endpoint = vertex("UploadModelRequest"), vertex("Endpoint")
    deployment, predict = vertex("DeployModelRequest"), vertex("PredictRequest")
    served, job = read("databricks/endpoint.json"), databricks("jobs", "JobSettings")
    serving = databricks("serving", "EndpointCoreConfigInput")
    config = {"name": served["name"], **served["config"]}
    found = {
        "vertex-ai/model.json": told(lambda: model(read("vertex-ai/model.json"))),
        "vertex-ai/endpoint.json": told(lambda: endpoint(read("vertex-ai/endpoint.json"))),
        "vertex-ai/deployment.json": told(lambda: deployment(read("vertex-ai/deployment.json"))),
        "databricks/endpoint.json": told(lambda: serving(config)),
        "databricks/job.json": told(lambda: job(read("databricks/job.json"))),
        "azure-ml/endpoint.yml": told(
            lambda: azure("load_online_endpoint", deploy / "azure-ml" / "endpoint.yml")
        ),
        "azure-ml/deployment.yml": told(
            lambda: azure("load_online_deployment", deploy / "azure-ml" / "deployment.yml")
        ),
    }
    wrong = {
        "vertex-ai": told(lambda: model({"model": {"containerSpec": {"imageUrl": "x"}}})),
        "databricks": told(lambda: serving({**config, "served_entity": []})),
        "azure-ml": told(lambda: azure("load_online_deployment", Path(sys.argv[2]))),
    }
    asked = predict(read("vertex-ai/request.json"))
    print(json.dumps({"found": found, "wrong": wrong, "vertex request": asked}))  # noqa: T201


if __name__ == "__main__":
    main()
