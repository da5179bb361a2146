"""docker-compose.yml against its schema, the code, the Dockerfile and itself."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema.validators import validator_for

from stream.configuration import load_settings
from stream.http_access import is_called
from stream.settings import Settings
from tests.docker.cli import parse
from tests.docker.compose import ROOT, Service, read_compose, services
from tests.docker.dockerfile import context, target
from tests.kafka.artifacts import REGISTRY_VERSION, USUAL

SERVICES = services()
OURS = [each for each in SERVICES.values() if each.ours]
WORKERS = [each for each in OURS if each.command == ["worker"]]
CONFIGURED = [each for each in OURS if "STREAM_KAFKA__GROUP" in each.environment]

every_service = pytest.mark.parametrize("service", SERVICES.values(), ids=lambda each: each.name)
every_one_of_ours = pytest.mark.parametrize("service", OURS, ids=lambda each: each.name)
every_worker = pytest.mark.parametrize("service", WORKERS, ids=lambda each: each.name)
every_configured = pytest.mark.parametrize("service", CONFIGURED, ids=lambda each: each.name)


def compose_schema() -> dict[str, Any]:
    """The Compose specification's own schema, as the distribution check-jsonschema carries it."""
    # Read, not imported: its command line asks for another click than ours.
    path = "check_jsonschema/builtin_schemas/vendor/compose-spec.json"
    found = json.loads(Path(str(distribution("check-jsonschema").locate_file(path))).read_text("utf-8"))
    assert isinstance(found, dict)
    return found


def settings(service: Service) -> Settings:
    """What a service's variables make."""
    return load_settings(None, service.environment)


def lines(service: Service) -> list[list[str]]:
    """The commands of a service, as words; of a shell script, each of its lines."""
    command = service.command or []
    if service.entrypoint == ["sh", "-ec"]:
        return [shlex.split(line.removeprefix("exec ")) for line in command[0].splitlines()]
    return [[*(service.entrypoint or ["stream"]), *command]]


def test_file_fits_the_compose_schema() -> None:
    """The Compose specification's schema finds nothing."""
    schema = compose_schema()

    assert [] == [each.message for each in validator_for(schema)(schema).iter_errors(read_compose({}))]


def test_schema_refuses_a_misspelt_key() -> None:
    """The schema is one that can refuse."""
    schema = compose_schema()
    wrong = read_compose({})
    wrong["services"]["kafka"]["health_check"] = {}

    assert list(validator_for(schema)(schema).iter_errors(wrong))


def test_everything_the_flow_needs_is_there() -> None:
    """Kafka, registry, topics, producer, two workers, a downstream application, Prometheus and Grafana."""
    flow = {"kafka", "registry", "topics", "producer", "worker-1", "worker-2", "downstream"}
    assert set(SERVICES) == {*flow, "prometheus", "grafana"}
    assert ["worker-1", "worker-2"] == [each.name for each in WORKERS]


@every_one_of_ours
def test_stream_commands_are_understood(service: Service, tmp_path: Path) -> None:
    """Each command is one that the command line takes, with options that it has."""
    (tmp_path / "flights.parquet").touch()
    for program, *arguments in lines(service):
        if program == "stream":
            parse([each.replace("/tmp", str(tmp_path)) for each in arguments])
        elif program == "python":
            assert arguments[0] == "-m"
            assert find_spec(arguments[1])
        else:
            assert program == "faust"
            assert (ROOT / "docs" / "examples" / f"{arguments[arguments.index('-A') + 1]}.py").is_file()


@every_configured
def test_variables_are_known_settings(service: Service) -> None:
    """An unknown or wrong STREAM_ variable would be refused."""
    assert settings(service).kafka.group == "flights-scorer"
    assert [] == [name for name in service.environment if not re.fullmatch(r"STREAM_[A-Z_]+?__[A-Z_]+", name)]


def test_downstream_reads_every_variable_it_is_given() -> None:
    """Each variable of the downstream service is one that the example looks up."""
    source = (ROOT / "docs" / "examples" / "late_flights.py").read_text("utf-8")

    assert [] == [
        name for name in SERVICES["downstream"].environment if f'environ.get("{name}"' not in source
    ]


def test_topics_of_both_sides_agree() -> None:
    """The downstream application reads what the workers write."""
    topics = {settings(each).output.topic for each in CONFIGURED}

    assert topics == {SERVICES["downstream"].environment["PREDICTIONS_TOPIC"]}


def test_workers_differ_in_instance_and_port_only() -> None:
    """Two workers of one instance would fence each other; two of one port could not both be published."""
    first, second = (each.environment for each in WORKERS)

    assert first.keys() == second.keys()
    assert {"STREAM_DELIVERY__INSTANCE", "STREAM_WEB__PORT"} == {k for k in first if first[k] != second[k]}


@every_worker
def test_worker_listens_where_its_port_is_published(service: Service) -> None:
    """Inside, on all of the container's addresses; the port is the settings' own."""
    [(_, outside, inside)] = service.ports()

    assert ("0.0.0.0", inside) == (settings(service).web.host, settings(service).web.port)
    assert outside == inside


@every_service
def test_ports_are_published_on_the_loopback_only(service: Service) -> None:
    """Nothing is open to the machine's network: nobody is asked for a password."""
    assert {"127.0.0.1"} >= {address for address, _, _ in service.ports()}


def test_ports_of_the_host_are_taken_once() -> None:
    """No two services publish the same port."""
    taken = [outside for each in SERVICES.values() for _, outside, _ in each.ports()]

    assert len(taken) == len(set(taken))


def test_clients_find_kafka_at_an_advertised_listener() -> None:
    """Each bootstrap address, and the published port, is one that the broker listens on and tells clients."""
    kafka = SERVICES["kafka"].environment
    advertised = dict(each.split("://") for each in kafka["KAFKA_ADVERTISED_LISTENERS"].split(","))
    listening = dict(each.split("://") for each in kafka["KAFKA_LISTENERS"].split(","))
    clients = {each.kafka.bootstrap_servers for each in map(settings, CONFIGURED)}
    clients.add(SERVICES["downstream"].environment["KAFKA_BOOTSTRAP"])
    [(_, outside, inside)] = SERVICES["kafka"].ports()

    assert clients == {advertised["INTERNAL"]}
    assert advertised["HOST"] == f"localhost:{outside}"
    assert listening["HOST"] == f":{inside}"
    assert all(listening[name] == ":" + address.split(":")[1] for name, address in advertised.items())
    assert kafka["KAFKA_CONTROLLER_QUORUM_VOTERS"] == f"1@kafka{listening['CONTROLLER']}"


@every_service
def test_dependencies_exist_and_can_be_met(service: Service) -> None:
    """What is waited for exists, and has a health check or ends by itself, as the condition asks."""
    for name, wish in service.raw.get("depends_on", {}).items():
        other = SERVICES[name]
        if wish["condition"] == "service_healthy":
            assert other.health
        else:
            assert (wish["condition"], other.raw["restart"]) == ("service_completed_successfully", "no")


@every_service
def test_services_that_stay_are_restarted_and_checked(service: Service) -> None:
    """A service either ends by itself, once, or has a health check and is restarted."""
    stays = service.raw["restart"] == "unless-stopped"

    assert stays or service.raw["restart"] == "no"
    assert stays == (service.health is not None)


@every_service
def test_time_to_stop_is_longer_than_a_worker_needs(service: Service) -> None:
    """A worker ends within 10 s of SIGTERM: Docker's own 10 s would kill one that is nearly done."""
    if service.raw["restart"] == "unless-stopped":
        assert service.seconds("stop_grace_period") > 10


@every_service
def test_image_is_pinned_and_user_is_not_root(service: Service) -> None:
    """Each image has a full version, and no container runs as root or can become it."""
    assert re.fullmatch(r"[a-z/-]+:v?\d+\.\d+\.\d+(\.Final)?(@sha256:[0-9a-f]{64})?", service.raw["image"])
    assert service.raw["user"].split(":")[0] not in {"root", "0"}
    assert service.raw["cap_drop"] == ["ALL"]
    assert service.raw["security_opt"] == ["no-new-privileges:true"]


@every_one_of_ours
def test_our_containers_write_to_their_tmp_only(service: Service) -> None:
    """The root file system is read-only, /tmp is memory, and the user is the Dockerfile's."""
    assert service.raw["read_only"] is True
    assert [each.split(":")[0] for each in service.raw["tmpfs"]] == ["/tmp"]
    assert service.raw["user"] == target("worker").user


def test_versions_are_the_ones_that_are_tested() -> None:
    """The Kafka is the tests' Kafka, and our image is called by the project's version."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]

    assert SERVICES["kafka"].raw["image"].partition("@")[0] == f"apache/kafka:{USUAL}"
    registry = SERVICES["registry"].raw["image"].partition("@")[0]
    assert registry == f"apicurio/apicurio-registry-mem:{REGISTRY_VERSION}"
    assert {f"prediction-stream:{version}"} == {each.raw["image"] for each in OURS}


@every_configured
def test_files_of_the_settings_are_in_the_image(service: Service) -> None:
    """Model and schema are copied to where the settings, relative to /app, look for them."""
    copied = {each.words[1]: each.words[0] for each in target("worker").of("COPY") if len(each.words) == 2}
    model, schema = settings(service).model.uri, str(settings(service).input.schema)

    assert context(copied[f"/app/{model}"])
    assert schema in context(copied[f"/app/{Path(schema).parent}"])


def test_files_of_the_downstream_application_are_there() -> None:
    """Its schema is in the image, its program in the folder that is mounted."""
    downstream = SERVICES["downstream"]
    [volume] = downstream.raw["volumes"]
    source, target, mode = volume.split(":")

    assert "schemas/prediction.avsc" in context("schemas")
    assert downstream.environment["PREDICTION_SCHEMA"] == "/app/schemas/prediction.avsc"
    assert (target, mode) == (downstream.raw["working_dir"], "ro")
    assert (ROOT / source / "late_flights.py").is_file()


@every_service
def test_containers_write_to_memory_or_their_volume_only(service: Service) -> None:
    """Kafka's image alone writes into its own configuration when it starts."""
    assert service.raw.get("read_only") is True or service.name == "kafka"


@every_configured
def test_registry_is_found_under_its_services_name(service: Service) -> None:
    """The address of ours and of the downstream application is the registry's, on the port that it listens on."""
    registry = SERVICES["registry"]
    [(_, _, inside)] = registry.ports()
    url = settings(service).schema_registry.url

    assert url == f"http://registry:{inside}/apis/ccompat/v7"
    assert url == SERVICES["downstream"].environment["SCHEMA_REGISTRY"]
    assert str(inside) == registry.environment["QUARKUS_HTTP_PORT"]
    assert f"http://127.0.0.1:{inside}/" in (registry.health or [])[-1]


def test_prometheus_asks_the_workers_by_names_that_they_know() -> None:
    """Each worker is a target under its service's name and port, and that name is in its `[web] hosts`."""
    config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text("utf-8"))
    [job] = config["scrape_configs"]
    [static] = job["static_configs"]
    workers = {f"{each.name}:{settings(each).web.port}": settings(each).web for each in WORKERS}

    assert set(workers) == set(static["targets"])
    assert all(is_called(target, web.host, web.hosts) for target, web in workers.items())
    assert all((ROOT / "deploy/prometheus" / name).is_file() for name in config["rule_files"])


def test_files_that_are_mounted_are_there() -> None:
    """Docker would make an empty folder of a file that is not."""
    mounted = [
        volume.split(":")
        for each in SERVICES.values()
        for volume in each.raw.get("volumes", [])
        if volume.startswith(".")
    ]

    assert mounted
    assert all((ROOT / source).exists() and mode == "ro" for source, _, mode in mounted)


def test_grafana_finds_board_and_prometheus() -> None:
    """The provisioned paths and addresses are those of this file."""
    grafana = SERVICES["grafana"]
    targets = {volume.split(":")[1] for volume in grafana.raw["volumes"]}
    provisioning = ROOT / "deploy/grafana/provisioning"
    [source] = yaml.safe_load((provisioning / "datasources/prometheus.yml").read_text("utf-8"))["datasources"]
    [boards] = yaml.safe_load((provisioning / "dashboards/prediction-stream.yml").read_text("utf-8"))[
        "providers"
    ]
    [(_, _, port)] = SERVICES["prometheus"].ports()
    home = grafana.environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]

    assert source["url"] == f"http://prometheus:{port}"
    assert "/etc/grafana/provisioning" in targets
    assert home in targets
    assert str(Path(home).parent) == boards["options"]["path"]


def test_grafana_can_only_be_looked_at() -> None:
    """Nobody can log in, there is no administrator with a known password, and nothing is sent away."""
    said = SERVICES["grafana"].environment

    assert "Viewer" == said["GF_AUTH_ANONYMOUS_ORG_ROLE"]
    assert "true" == said["GF_AUTH_DISABLE_LOGIN_FORM"] == said["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"]
    assert {"false"} == {value for name, value in said.items() if name.startswith("GF_ANALYTICS_")}


def test_volumes_are_declared() -> None:
    """Every named volume is one of the file's."""
    named = {
        volume.split(":")[0]
        for each in SERVICES.values()
        for volume in each.raw.get("volumes", [])
        if not volume.startswith(".")
    }

    assert named == set(read_compose({})["volumes"])


def test_variable_of_the_shell_replaces_a_default() -> None:
    """EVENTS and RATE reach the producer's script."""
    script = (services({"EVENTS": "7", "RATE": "9"})["producer"].command or [""])[0]

    assert "--events 7\n" in script
    assert "--rate 9\n" in script
