"""What BigQuery is given: SQL, a service for Cloud Run, a script; read as their readers do."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlglot
import yaml
from sqlglot import exp

from stream.errors import SettingsError
from stream.export import EXPORTERS, filled, left_open
from stream.export.bigquery import feature_types, model_name, remote_function
from stream.export.bigquery_model import model_ddl
from stream.export.cloud_run import deploy_script, service_file, service_name
from stream.export.onnx import compile_onnx
from stream.export.sagemaker_files import sagemaker_name
from stream.manifest import Manifest
from stream.settings import Settings
from stream.store import Package, golden_of, open_package
from tests.conftest import had
from tests.deploy.prometheus import find_tool
from tests.unit.rest.models import GIVEN, door, pack_kinds, pack_people

NAMES = ("acme.flights", "acme.eu.scoring", "https://scorer.example/bigquery")


def flights() -> Package:
    """The demo's model."""
    return open_package("models/flights")


def script_of(package: Package) -> str:
    """The functions of a package."""
    return remote_function(package.manifest, feature_types(package), *NAMES)


def statements(script: str) -> list[Any]:
    """What BigQuery reads of a script, and the queries in its comments."""
    queries = re.findall(r"^-- SELECT.*?;$", script, re.MULTILINE | re.DOTALL)
    texts = [script, *(re.sub(r"^-- ?", "", query, flags=re.MULTILINE) for query in queries)]
    found = [one for text in texts for one in sqlglot.parse(text, dialect="bigquery")]
    return [one for one in found if one is not None and not isinstance(one, exp.Semicolon)]


def test_remote_function_asks_the_service() -> None:
    """The address, the connection, and a query that reads the answer in its types."""
    script = script_of(flights())

    assert (
        "CREATE OR REPLACE FUNCTION `acme.flights.flights_predict`(event JSON) RETURNS JSON\n"
        "REMOTE WITH CONNECTION `acme.eu.scoring`\n"
        "OPTIONS (\n"
        "  endpoint = 'https://scorer.example/bigquery',\n"
        "  max_batching_rows = 2000," in script
    )
    assert (
        "--   BOOL(prediction.label) AS label,\n"
        "--   FLOAT64(prediction.score) AS score,\n"
        "--   STRING(prediction.error.message) AS error\n" in script
    )
    assert "TO_JSON(event, stringify_wide_numbers => TRUE)" in script


def test_sql_is_bigquery_s() -> None:
    """Two functions and a query for each, a model and a query: what is to be run, and what is a comment."""
    package = flights()
    compiled = compile_onnx(package, golden_of(package))

    functions = statements(script_of(package))
    model = statements(model_ddl(package.manifest, compiled, "acme.flights", "gs://acme/onnx"))

    assert [exp.Create, exp.Create, exp.Select, exp.Select] == [type(one) for one in functions]
    assert [exp.Create, exp.Select] == [type(one) for one in model]
    kinds = {
        definition.kind.sql("bigquery") for one in functions for definition in one.find_all(exp.ColumnDef)
    }
    assert {"JSON", "STRING", "FLOAT64", "INT64"} == kinds


def test_arguments_are_in_the_order_that_the_service_takes(tmp_path: Path) -> None:
    """The schema's, which is not the estimator's; asked by place, it answers as by name."""
    path = pack_people(tmp_path / "people")
    types = feature_types(open_package(path))

    assert {"body_mass__kg_": "FLOAT64", "age": "INT64", "city": "STRING"} == types
    assert list(types) == ["body_mass__kg_", "age", "city"]
    with door(path) as (client, _):
        by_name, by_place = client.post(
            "/bigquery", json={"calls": [[GIVEN], [GIVEN["body mass (kg)"], "40", GIVEN["city"]]]}
        ).json()["replies"]
    assert by_name == by_place


def test_arrays_are_read_in_their_type_and_no_argument(tmp_path: Path) -> None:
    """JSON's functions give a list of JSON; a remote function takes no ARRAY, so there is one function only."""
    script = script_of(open_package(pack_kinds(tmp_path / "kinds")))

    assert (
        "ARRAY(SELECT FLOAT64(item) FROM UNNEST(JSON_QUERY_ARRAY(prediction.probabilities)) AS item)"
        in script
    )
    assert "a remote function has no such argument (x is ARRAY<FLOAT64>)" in script
    assert [exp.Create, exp.Select] == [type(one) for one in statements(script)]


def test_names_that_are_one_to_bigquery() -> None:
    """Arguments have no case and no dots."""
    types = {"a.b": "INT64", "A_B": "INT64", "a_b_2": "INT64"}
    manifest = Manifest("m", 1, "", "regressor", "frame", (), 3)

    script = remote_function(manifest, types, *NAMES)

    assert "(\n  `a_b` INT64,\n  `A_B_2` INT64,\n  `a_b_2_2` INT64\n)" in script
    assert "(event.`a`.`b`, event.`A_B`, event.`a_b_2`)" in script


def test_service_file_is_the_service() -> None:
    """The image, the port that is listened on, probes that exist, settings that exist, room for BigQuery's requests."""
    service = yaml.safe_load(service_file(flights().manifest, "europe-docker.pkg.dev/acme/models/flights:1"))

    assert ("serving.knative.dev/v1", "Service") == (service["apiVersion"], service["kind"])
    spec = service["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    assert "europe-docker.pkg.dev/acme/models/flights:1" == container["image"]
    assert ["serve"] == container["args"]
    serve = Settings().serve
    assert serve.port == container["ports"][0]["containerPort"]
    assert spec["timeoutSeconds"] > serve.timeout
    assert spec["containerConcurrency"] * 2_000 < serve.queue_rows
    for variable in container["env"]:
        section, key = variable["name"].removeprefix("STREAM_").lower().split("__")
        assert hasattr(getattr(Settings(), section), key)
    with door(Path("models/flights")) as (client, _):
        for probe in ("startupProbe", "livenessProbe"):
            assert 200 == client.get(container[probe]["httpGet"]["path"]).status_code


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("flights", "stream-flights"),
        ("Shop.Visits_2", "stream-shop-visits-2-16a20286"),
        ("a" * 42, f"stream-{'a' * 42}"),
    ],
)
def test_service_name_is_cloud_run_s(model: str, name: str) -> None:
    """Small letters, digits and dashes."""
    assert name == service_name(model)


def test_names_that_begin_alike_are_two_services() -> None:
    """Of 49 characters at most; the second would take the first's place, and answer for it."""
    found = {service_name(f"{'a' * 89}{end}") for end in "bc"}

    assert 2 == len(found)
    assert {49} == {len(name) for name in found}


@pytest.mark.parametrize("named", [service_name, model_name, sagemaker_name])
def test_names_that_differ_in_what_a_platform_does_not_take_stay_apart(named: Callable[[str], str]) -> None:
    """The second to be deployed would take the first's place, and answer for it."""
    models = ["a.b", "a-b", "a_b", "a b", "A-B", "a.b.", "é", "ü", f"{'x' * 300}.", f"{'x' * 300}-"]

    assert len(models) == len({named(model) for model in models})


@pytest.mark.parametrize("image", ["1", "1:30", "null", "i:", "@i"])
def test_image_is_a_text_to_yaml(image: str) -> None:
    """Also where it looks like a number, nothing, or a key."""
    service = yaml.safe_load(service_file(flights().manifest, image))

    assert image == service["spec"]["template"]["spec"]["containers"][0]["image"]


FAKE = """#!/usr/bin/env bash
echo "${0##*/} $*" >>"$CALLS"
case "$*" in
    "show --connection "*) [ -f "$CALLS.made" ] ;;
    "mk --connection "*) touch "$CALLS.made" ;;
    "show --format=json "*) echo '{"cloudResource": {"serviceAccountId": "bqcx@acme.example"}}' ;;
    *describe*) echo https://stream-flights-1.a.run.app ;;
    "query "*) cat >"$CALLS.sql" ;;
esac
"""


@pytest.mark.parametrize("times", [1, 2])
def test_deploy_script_puts_all_in_place(times: int, tmp_path: Path) -> None:
    """Service, connection, right, functions at the service's address; a second run makes no second connection."""
    given = {
        "dataset": "acme.flights",
        "connection": "acme.eu.scoring",
        "region": "europe-west1",
        "image": "i:1",
    }
    out, tools = tmp_path / "out", tmp_path / "tools"
    EXPORTERS["bigquery"].export(flights(), Settings(), filled(EXPORTERS["bigquery"], given), out)
    tools.mkdir()
    for name in ("bq", "gcloud"):
        (tools / name).write_text(FAKE)
        (tools / name).chmod(0o755)
    calls = tmp_path / "calls"

    for _ in range(times):
        calls.write_text("")
        environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "CALLS": str(calls)}
        subprocess.run([out / "deploy.sh"], check=True, env=environment, cwd=tmp_path, capture_output=True)

    made = "bq mk --connection --location=eu --project_id=acme --connection_type=CLOUD_RESOURCE scoring"
    where = "stream-flights --project acme --region europe-west1"
    assert [
        "gcloud run services replace service.yaml --project acme --region europe-west1",
        "bq show --connection acme.eu.scoring",
        *([made] if times == 1 else []),
        "bq show --format=json --connection acme.eu.scoring",
        f"gcloud run services add-iam-policy-binding {where} "
        "--member serviceAccount:bqcx@acme.example --role roles/run.invoker",
        f"gcloud run services describe {where} --format value(status.url)",
        "bq query --project_id=acme --location=eu --use_legacy_sql=false",
    ] == calls.read_text().splitlines()
    sql = calls.with_suffix(".sql").read_text()
    assert 2 == sql.count("endpoint = 'https://stream-flights-1.a.run.app/bigquery'")
    assert "HOST" not in sql


@pytest.mark.parametrize("connection", ["acme.eu.scoring", "eu.scoring"])
def test_deploy_script_is_sound(connection: str, tmp_path: Path) -> None:
    """As shellcheck sees it."""
    script = tmp_path / "deploy.sh"
    script.write_text(deploy_script(flights().manifest, connection, "europe-west1", NAMES[2]))

    checker = had(lambda: find_tool("shellcheck"))

    found = subprocess.run([checker, script], capture_output=True, text=True, check=False)

    assert "" == found.stdout


@pytest.mark.parametrize(
    ("target", "option", "value"),
    [
        ("bigquery", "dataset", "a`b.c"),
        ("bigquery", "connection", "only-one-part"),
        ("bigquery", "endpoint", "http://host/bigquery"),
        ("bigquery", "endpoint", "https://host/predict"),
        ("bigquery", "endpoint", "https://host|e id/bigquery"),
        ("bigquery", "image", "image:1\nargs: [worker]"),
        ("bigquery", "region", "eu'; id; '"),
        ("onnx", "dataset", "a`b.c"),
        ("onnx", "bucket", "s3://bucket"),
    ],
)
def test_name_that_can_t_be_is_refused(target: str, option: str, value: str) -> None:
    """It would end in files that their readers refuse, or that do something else."""
    with pytest.raises(SettingsError, match=f"--{option}: expected something like"):
        filled(EXPORTERS[target], {option: value})


def test_endpoint_that_the_script_fills_in_is_not_asked_for() -> None:
    """Whoever follows the page gives all but the service's address, which is known when the service runs."""
    given = {"dataset": "a.b", "connection": "p.eu.c", "image": "i", "region": "europe-west1"}

    assert [] == left_open(EXPORTERS["bigquery"], given)


def test_names_that_were_not_given_are_known() -> None:
    """The command says which words in the files are to be replaced."""
    given = {"dataset": "a.b", "endpoint": "https://h/bigquery", "image": "i", "region": "europe-west1"}

    assert ["--connection"] == left_open(EXPORTERS["bigquery"], given)
    assert {**given, "connection": "PROJECT.LOCATION.CONNECTION"} == filled(EXPORTERS["bigquery"], given)
