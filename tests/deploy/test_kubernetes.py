"""deploy/kubernetes against the schemas of Kubernetes and its operators, and against our own code."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from jsonschema import Draft202012Validator

from docs.reference import manifests as written
from docs.reference.alerts import RULES
from stream.app.worker_service import STOP_S
from stream.configuration import load_settings
from stream.rest.application import ENDPOINTS
from stream.rights import RIGHTS, rights_of
from stream.settings import Settings
from tests.conftest import had
from tests.deploy.manifests import KUBERNETES, Resource, container, pod, rendered, schema, workloads
from tests.docker.cli import parse
from tests.docker.dockerfile import context, target

FOLDERS = ("base", "serve", "example")
VERSIONS = ("1.31", "1.37")
"""The oldest Kubernetes that these manifests are for, and the newest whose schemas are here."""

KINDS = (
    *(
        "ConfigMap",
        "Deployment",
        "HorizontalPodAutoscaler",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "Service",
    ),
    *("KafkaTopic", "KafkaUser", "PodMonitor", "PrometheusRule", "ScaledObject", "StatefulSet"),
    *("Namespace", "TriggerAuthentication"),
)

every_folder = pytest.mark.parametrize("folder", FOLDERS)


def _all(folder: str = "example") -> tuple[Resource, ...]:
    return had(lambda: rendered(folder))


def _one(kind: str, name: str | None = None) -> Resource:
    [found] = [each for each in _all() if each["kind"] == kind and name in (None, each["metadata"]["name"])]
    return found


def _settings(folder: str, tmp_path: Path) -> Settings:
    """A folder's stream.toml, with a file of the test's own for each secret's."""
    secret = tmp_path / "secret"
    secret.write_text("a-secret\n")
    text = (KUBERNETES / folder / "stream.toml").read_text("utf-8")
    (tmp_path / "stream.toml").write_text(re.sub(r'file = "[^"]*"', f'file = "{secret}"', text))
    return load_settings(tmp_path / "stream.toml", {})


def _faults(resource: Resource, version: str) -> list[str]:
    known = schema(resource)
    if known is not None:
        return [
            f"{each.json_path}: {each.message}" for each in Draft202012Validator(known).iter_errors(resource)
        ]
    try:
        kubernetes_validate.validate(resource, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return [str(error)]
    return []


@pytest.mark.parametrize(
    ("folder", "version"), [("base", VERSIONS[-1]), *(("example", version) for version in VERSIONS)]
)
def test_every_resource_fits_its_schema(folder: str, version: str) -> None:
    """Strictly: an unknown key is an error."""
    assert [] == [fault for each in _all(folder) for fault in _faults(each, version)]


@pytest.mark.parametrize("kind", KINDS)
def test_schemas_refuse_a_misspelt_key(kind: str) -> None:
    """Each schema is one that can refuse."""
    assert set(KINDS) == {each["kind"] for each in _all()}
    wrong = copy.deepcopy(next(each for each in _all() if each["kind"] == kind))
    if kind == "ConfigMap":
        wrong["datas"] = wrong.pop("data")
    else:
        wrong.setdefault("spec", {})["misspelt"] = True

    assert _faults(wrong, VERSIONS[-1])


@every_folder
def test_commands_are_understood(folder: str) -> None:
    """Each container's arguments are a command of ours, with options that it has."""
    for each in workloads(_all(folder)):
        parse([re.sub(r"^/etc/.*", str(Path(__file__)), word) for word in container(each)["args"]])
        assert "command" not in container(each)
    assert ["stream"] == target("worker").of("ENTRYPOINT")[0].words


@pytest.mark.parametrize("folder", ["base", "serve"])
def test_configuration_is_accepted_and_its_files_are_there(folder: str, tmp_path: Path) -> None:
    """Its keys are known; model and schema are in the image; each file of a secret, and the state, is a mount's."""
    settings = _settings(folder, tmp_path)
    [workload] = workloads(_all(folder))
    mounts = {each["mountPath"]: each for each in container(workload)["volumeMounts"]}
    text = (KUBERNETES / folder / "stream.toml").read_text("utf-8")
    named = set(re.findall(r'"(/(?:run|state|etc)/[^"]*)"', text))

    assert context(settings.model.uri.removeprefix("/app/"))
    if settings.input.schema:
        assert context(str(settings.input.schema).removeprefix("/app/"))
    assert named
    for path in named:
        mount = mounts[str(Path(path).parent)]
        volume = next(v for v in pod(workload)["volumes"] if v["name"] == mount["name"])
        assert "emptyDir" in volume or [Path(path).name] == [i["path"] for i in volume["secret"]["items"]]
    assert "/etc/prediction-stream" in mounts
    assert container(workload)["args"][-1] == "/etc/prediction-stream/stream.toml"


@every_folder
def test_variables_are_settings(folder: str) -> None:
    """Each environment variable is one that the settings know, and each pod has an instance of its own name."""
    for each in workloads(_all(folder)):
        variables = {e["name"]: e for e in container(each).get("env", [])}
        load_settings(None, dict.fromkeys(variables, "some-name"))
        if each["kind"] == "StatefulSet":
            instance = variables["STREAM_DELIVERY__INSTANCE"]["valueFrom"]["fieldRef"]["fieldPath"]
            assert "metadata.name" == instance


def test_probes_ask_pages_that_exist_where_the_process_listens(tmp_path: Path) -> None:
    """Ports and paths of both processes are the code's own."""
    paths = {
        "worker": {"/health/live", "/health/ready"},
        "serve": {endpoint.path for endpoint in ENDPOINTS},
    }
    ports = {
        "worker": _settings("base", tmp_path).web.port,
        "serve": _settings("serve", tmp_path).serve.port,
    }
    for workload in workloads(_all()):
        one = container(workload)
        [port] = one["ports"]
        assert ports[one["name"]] == port["containerPort"]
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            assert one[probe]["httpGet"]["port"] == port["name"]
            assert one[probe]["httpGet"]["path"] in paths[one["name"]]


def test_time_to_end_is_longer_than_the_process_needs(tmp_path: Path) -> None:
    """Kubernetes kills what is not done by then."""
    needs = {"worker": STOP_S + 1.5, "serve": _settings("serve", tmp_path).serve.drain_timeout}
    for workload in workloads(_all()):
        grace = pod(workload)["terminationGracePeriodSeconds"]
        assert grace > needs[container(workload)["name"]] + 2


@every_folder
def test_pods_run_the_target_of_their_command(folder: str) -> None:
    """Workers have the worker's image; a service has the one that holds its libraries."""
    tags = {"worker": "prediction-stream", "serve": "prediction-stream-serve"}
    for each in workloads(_all(folder)):
        name = container(each)["image"].rpartition(":")[0].rpartition("/")[2]
        assert tags[container(each)["args"][0]] == name


@every_folder
def test_pods_are_restricted(folder: str) -> None:
    """What Pod Security's profile "restricted" asks, a read-only root file system, and the image's own user."""
    for workload in workloads(_all(folder)):
        spec, one = pod(workload), container(workload)
        assert (
            f"{spec['securityContext']['runAsUser']}:{spec['securityContext']['runAsGroup']}"
            == target(one["name"]).user
        )
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert {"type": "RuntimeDefault"} == spec["securityContext"]["seccompProfile"]
        assert one["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert spec["automountServiceAccountToken"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
        assert {"configMap", "secret", "emptyDir"} >= {k for v in spec["volumes"] for k in v if k != "name"}


def _takes(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    return selector.items() <= labels.items()


def test_selectors_find_the_pods_that_they_mean() -> None:
    """Services, budgets, network policies and monitors select the pods of one workload each."""
    labels = {
        each["metadata"]["name"]: each["spec"]["template"]["metadata"]["labels"] for each in workloads(_all())
    }
    for each in _all():
        spec = each.get("spec", {})
        selector = {
            "Service": lambda s: s["selector"],
            "NetworkPolicy": lambda s: s["podSelector"]["matchLabels"],
            "PodDisruptionBudget": lambda s: s["selector"]["matchLabels"],
            "PodMonitor": lambda s: s["selector"]["matchLabels"],
        }.get(each["kind"])
        if selector is not None:
            wanted = selector(spec)
            assert [each["metadata"]["name"]] == [name for name, own in labels.items() if _takes(wanted, own)]


def test_secrets_of_pods_are_made_by_users_or_named_in_the_docs() -> None:
    """A KafkaUser's secret is called as the user; the rest is in docs/deploy.md, by name and key."""
    users = {each["metadata"]["name"] for each in _all() if each["kind"] == "KafkaUser"}
    page = (KUBERNETES.parents[1] / "docs" / "deploy.md").read_text("utf-8")
    for workload in workloads(_all()):
        for volume in pod(workload)["volumes"]:
            if "secret" in volume:
                name, [item] = volume["secret"]["secretName"], volume["secret"]["items"]
                assert name in users or f"| `{name}` | `{item['key']}` |" in page


def test_scaler_asks_for_the_workers_own_group_and_topic(tmp_path: Path) -> None:
    """KEDA's trigger, its user and its limits fit the configuration."""
    settings = _settings("base", tmp_path)
    scaled = _one("ScaledObject")
    [trigger] = scaled["spec"]["triggers"]
    asked = trigger["metadata"]

    assert settings.kafka.bootstrap_servers == asked["bootstrapServers"]
    assert (settings.kafka.group, settings.input.topic) == (asked["consumerGroup"], asked["topic"])
    assert settings.input.partitions == scaled["spec"]["maxReplicaCount"]
    assert "earliest" == asked["offsetResetPolicy"]
    assert "replicas" not in _one("StatefulSet")["spec"]
    assert scaled["spec"]["scaleTargetRef"]["name"] == _one("StatefulSet")["metadata"]["name"]
    login = _one("TriggerAuthentication", trigger["authenticationRef"]["name"])["spec"]
    user = next(each for each in login["secretTargetRef"] if each["parameter"] == "password")["name"]
    assert {"username": user} == _one("ConfigMap", login["configMapTargetRef"][0]["name"])["data"]
    assert user == _one("KafkaUser", user)["metadata"]["name"]


def test_users_have_the_rights_of_their_commands_and_no_others() -> None:
    """The worker's user has what a worker needs; nobody may do anything on the cluster itself, or everything."""
    settings = written.settings()
    held = {
        (acl["resource"]["type"], acl["resource"]["name"], operation)
        for acl in _one("KafkaUser", "scorer")["spec"]["authorization"]["acls"]
        for operation in acl["operations"]
    }
    wanted = {
        (right.resource.replace("transactional-id", "transactionalId"), right.name, right.operation)
        for right in rights_of("worker", settings)
    }
    every = [acl for e in _all() if e["kind"] == "KafkaUser" for acl in e["spec"]["authorization"]["acls"]]

    assert wanted == held
    assert "worker" in RIGHTS
    assert {"topic", "group", "transactionalId"} == {acl["resource"]["type"] for acl in every}
    assert "All" not in {operation for acl in every for operation in acl["operations"]}


def test_user_of_the_configuration_is_the_workers() -> None:
    """Whoever logs in as stream.toml says is the user with the worker's rights."""
    text = (KUBERNETES / "base" / "stream.toml").read_text("utf-8")

    assert '"sasl.username" = "scorer"' in text
    assert "scram-sha-512" == _one("KafkaUser", "scorer")["spec"]["authentication"]["type"]


def test_rules_for_the_operator_are_the_rules() -> None:
    """The same groups as in deploy/prometheus."""
    assert yaml.safe_load(RULES.read_text("utf-8")) == _one("PrometheusRule")["spec"]


def test_monitors_make_jobs_that_the_alerts_ask_for() -> None:
    """A job is called as the pods' label says, and the page, port and token are the processes' own."""
    named = {container(each)["name"]: each for each in workloads(_all())}
    for name, workload in (
        ("prediction-stream", named["worker"]),
        ("prediction-stream-serve", named["serve"]),
    ):
        spec = _one("PodMonitor", name)["spec"]
        [endpoint] = spec["podMetricsEndpoints"]
        job = workload["spec"]["template"]["metadata"]["labels"][spec["jobLabel"]]
        secrets = {v["secret"]["secretName"] for v in pod(workload)["volumes"] if "secret" in v}
        assert re.fullmatch("prediction-stream.*", job)
        assert (container(workload)["ports"][0]["name"], "/metrics") == (endpoint["port"], endpoint["path"])
        assert endpoint["authorization"]["credentials"]["name"] in secrets
