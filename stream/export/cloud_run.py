"""
`stream serve` on Cloud Run, for BigQuery: the service, and a script that puts all of it in place.

Source: cloud.google.com/run/docs/reference/yaml/v1; cloud.google.com/bigquery/docs/remote-functions, "Set up access".
"""

from __future__ import annotations

import json
import re

from stream.export.bigquery import HOST
from stream.export.distinct_names import distinct_name
from stream.manifest import Manifest

__all__ = ["deploy_script", "service_file", "service_name"]

_NAME_CHARS = 49
"""Of a service of Cloud Run."""

_PREFIX = "stream-"


def service_name(model: str) -> str:
    """
    A model's name as Cloud Run takes it: small letters, digits and `-`, beginning with a letter.

    As `distinct_name`: another model's name, which differs in what Cloud Run does not take, is another service's.
    """
    fitting = re.sub(r"[^a-z0-9]+", "-", model.lower()).strip("-")
    return _PREFIX + distinct_name(model, fitting, _NAME_CHARS - len(_PREFIX))


def service_file(manifest: Manifest, image: str) -> str:
    """
    `service.yaml`.

    Args:
        manifest: of the model.
        image: a container image of `stream serve` with the model in it.
    Returns: a service of Knative as Cloud Run reads it, ending with a newline.
    """
    return f"""\
# {manifest.model}: `stream serve` for BigQuery's remote functions. Cloud Run decides who may call it: the connection's
# service account, which deploy.sh lets in, and nobody else.
apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: {service_name(manifest.name)}
  labels: {{model: {service_name(manifest.name)}, version: "{manifest.version}"}}
  annotations:
    run.googleapis.com/ingress: all
spec:
  template:
    metadata:
      annotations:
        # 0: nothing runs, or costs, between queries; the first request of one waits some seconds for an instance.
        autoscaling.knative.dev/minScale: "0"
        # What a query can cost: its rows are spread over so many instances at most.
        autoscaling.knative.dev/maxScale: "10"
        run.googleapis.com/startup-cpu-boost: "true"
        run.googleapis.com/execution-environment: gen2
    spec:
      # Requests that one instance has at a time: with 2,000 rows each, less than [serve] queue_rows; beyond it, 503,
      # which BigQuery tries again.
      containerConcurrency: 8
      # More than [serve] timeout, which answers 504: BigQuery tries that again, too.
      timeoutSeconds: 60
      containers:
        - image: {json.dumps(image)}
          args: [serve]
          ports:
            - {{name: http1, containerPort: 8080}}
          env:
            - {{name: STREAM_SERVE__HOST, value: 0.0.0.0}}
            - {{name: STREAM_MODEL__RELOAD, value: "off"}}
            - {{name: STREAM_LOGGING__FORMAT, value: json}}
          resources:
            limits: {{cpu: "1", memory: 1Gi}}
          startupProbe:
            httpGet: {{path: /v2/health/ready, port: 8080}}
            periodSeconds: 2
            timeoutSeconds: 2
            failureThreshold: 60
          livenessProbe:
            httpGet: {{path: /v2/health/live, port: 8080}}
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 3
"""


def deploy_script(manifest: Manifest, connection: str, region: str, endpoint: str) -> str:
    """
    `deploy.sh`: the service, the connection, its right to call, the functions.

    Args:
        manifest: of the model.
        connection: `project.location.connection`, or without the project.
        region: of Cloud Run.
        endpoint: the address that is in `remote_function.sql`; where that stands for one that is not known yet, the
            script puts the service's own in its place.
    Returns: a script for bash, ending with a newline.
    """
    *project, location, name = connection.split(".")
    found = f"'{project[0]}'" if project else '"$(gcloud config get-value project)"'
    address = f'"s|{HOST}|$address/bigquery|"' if endpoint == HOST else "''"
    return f"""\
#!/usr/bin/env bash
# {manifest.model} for BigQuery: the service on Cloud Run, a connection that may call it, the functions. Each step may
# be repeated. It takes the roles Cloud Run Admin, BigQuery Connection Admin and BigQuery Data Editor.
set -euo pipefail
cd "$(dirname "$0")"
project={found} region='{region}' location='{location}' connection='{name}' service='{service_name(manifest.name)}'

# 1. The service.
gcloud run services replace service.yaml --project "$project" --region "$region"

# 2. The connection, which is a service account of Google's.
if ! bq show --connection "$project.$location.$connection" >/dev/null; then
    bq mk --connection --location="$location" --project_id="$project" --connection_type=CLOUD_RESOURCE "$connection"
fi
account=$(bq show --format=json --connection "$project.$location.$connection" |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["cloudResource"]["serviceAccountId"])')

# 3. It, and nobody else, may call the service. A new account takes up to a minute to be known.
gcloud run services add-iam-policy-binding "$service" --project "$project" --region "$region" \\
    --member "serviceAccount:$account" --role roles/run.invoker

# 4. The functions.
address=$(gcloud run services describe "$service" --project "$project" --region "$region" \\
    --format 'value(status.url)')
echo "the service is at $address"
sed {address} remote_function.sql |
    bq query --project_id="$project" --location="$location" --use_legacy_sql=false
"""
