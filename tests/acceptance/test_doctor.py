"""`stream doctor` on real servers: exactly one thing is broken, and exactly its line says so, with the next step."""

from __future__ import annotations

import json
import re
import shutil
import struct
import subprocess
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from stream.configuration import load_settings
from stream.rights import RIGHTS, Right, rights_of
from stream.settings import KafkaSettings, Settings
from stream.transport import RELEASES, greet
from tests.acceptance import visits
from tests.acceptance.conftest import make_setup
from tests.acceptance.doctored import SOUND, examined
from tests.acceptance.process import Setup, run
from tests.authority import Authority
from tests.conftest import had
from tests.kafka.artifacts import NEWEST, OLDEST, USUAL
from tests.kafka.broker import Broker
from tests.kafka.confluent import Memory, served
from tests.kafka.process import free_ports, is_listening, wait_for
from tests.kafka.secured import SecuredBroker
from tests.kafka.topics import Topics
from tests.unit.store.signed import OURS

pytestmark = [pytest.mark.kafka, pytest.mark.fault, pytest.mark.timeout(300)]

Make = Callable[..., Setup]


ROOM = {"max.message.bytes": str(1_048_588 + 65_536)}
"""Of the dead-letter topic, as `stream topics --create` makes it."""


@pytest.fixture
def make(make: Make) -> Make:
    """A setup whose topics are as `stream topics --create` makes them, but for the settings that the test chooses."""

    def built(*, dead: Mapping[str, str] | None = None, **topics: Mapping[str, str]) -> Setup:
        return make(dead={**ROOM, **(dead or {})}, **topics)

    return built


@pytest.fixture
def setup(make: Make) -> Setup:
    """A sound one."""
    return make()


def with_properties(setup: Setup, named: Mapping[str, object]) -> Setup:
    """The setup with these librdkafka properties."""
    kafka = {**setup.tables.get("kafka", {}), "properties": named}
    return replace(setup, tables={**setup.tables, "kafka": kafka})


@pytest.mark.fault_core
def test_sound_configuration_has_no_failure_and_nothing_is_changed(setup: Setup) -> None:
    """No topic, record, offset, group or file comes or goes."""
    before = _everything(setup)

    found = examined(setup)

    assert SOUND == found.odd
    assert before == _everything(setup)


def _everything(setup: Setup) -> tuple[object, ...]:
    """Topics and where they end, groups and files, but for the configuration and Kafka's own."""
    with closing(
        Consumer({"bootstrap.servers": setup.bootstrap, "group.id": "looking", "log_level": 0})
    ) as consumer:
        topics = consumer.list_topics(timeout=20).topics
        names = [name for name in topics if not name.startswith("__")]
        ends = {
            (name, index): consumer.get_watermark_offsets(TopicPartition(name, index), timeout=20)
            for name in (setup.input, setup.output, setup.dead)
            for index in topics[name].partitions
        }
    admin = AdminClient({"bootstrap.servers": setup.bootstrap, "log_level": 0})
    groups = sorted(each.group_id for each in admin.list_consumer_groups().result().valid)
    files = sorted(path.name for path in setup.folder.iterdir() if path.name != "doctor.toml")
    return setup.input in names, ends, setup.group in groups, files


def test_no_broker(setup: Setup) -> None:
    """One failure, whatever depends on it."""
    [port] = free_ports(1)

    found = examined(replace(setup, bootstrap=f"127.0.0.1:{port}"))

    assert {"broker": "fail"} == found.odd
    assert "start the broker" in found.words("broker")


def test_one_of_several_bootstrap_servers_is_away(setup: Setup) -> None:
    """The others do; it is named."""
    [port] = free_ports(1)

    found = examined(replace(setup, bootstrap=f"127.0.0.1:{port},{setup.bootstrap}"))

    assert SOUND | {"broker": "warn"} == found.odd
    assert f"127.0.0.1:{port}: Connection refused" in found.words("broker")


def test_what_answers_is_not_kafka(setup: Setup) -> None:
    """Another server's port."""
    with served(Memory()) as url:
        found = examined(replace(setup, bootstrap=url.removeprefix("http://")))

    assert {"tls": "fail"} == found.odd
    assert "Kafka" in found.words("tls")


@pytest.mark.parametrize("line", ["topic input", "topic output", "topic dead letters"])
def test_topic_missing(setup: Setup, line: str) -> None:
    """Each by its name, with the command that makes it."""
    lost = {
        "topic input": replace(setup, input="nowhere"),
        "topic output": replace(setup, output="nowhere"),
        "topic dead letters": replace(setup, dead="nowhere"),
    }

    found = examined(lost[line])

    assert SOUND | {line: "fail"} == found.odd
    assert "nowhere: the topic is not there → create it with `stream topics --create`" == found.words(line)


def test_replicas_below_min_insync(make: Make) -> None:
    """One replica, two of which must be in sync."""
    found = examined(make(out={"min.insync.replicas": "2"}))

    assert SOUND | {"topic output": "fail"} == found.odd
    assert "min.insync.replicas = 2" in found.words("topic output")


@pytest.mark.parametrize(
    ("topic", "line", "state"),
    [
        ("into", "topic input", "warn"),
        ("out", "topic output", "warn"),
        ("dead", "topic dead letters", "fail"),
    ],
)
def test_compacted_topic(make: Make, topic: str, line: str, state: str) -> None:
    """Letters are lost, which is a failure."""
    found = examined(make(**{topic: {"cleanup.policy": "compact"}}))

    assert SOUND | {line: state} == found.odd
    assert "cleanup.policy=delete" in found.words(line)


def test_partition_counts_that_break_copartitioning(setup: Setup, topics: Topics) -> None:
    """The output has more."""
    found = examined(replace(setup, output=topics.create("wide", 7)))

    assert SOUND | {"co-partitioning": "warn"} == found.odd
    assert "4 and 7 partitions" in found.words("co-partitioning")


def test_dead_letters_that_take_less_than_the_input(make: Make) -> None:
    """The setting to change, with its number."""
    found = examined(make(into={"max.message.bytes": "5000000"}))

    assert SOUND | {"record sizes": "warn"} == found.odd
    assert "max.message.bytes=5065536" in found.words("record sizes")


def test_retention_shorter_than_the_lag(make: Make, kafka: Any) -> None:
    """Records of 2023 wait on a topic that keeps an hour; nobody has deleted them yet."""
    setup = make(into={"retention.ms": "3600000", "message.timestamp.before.max.ms": "9223372036854775807"})
    visits.send(kafka.bootstrap, setup.input, map(visits.event, range(20)))

    found = examined(setup)

    assert SOUND | {"lag": "fail"} == found.odd
    assert "raise its retention.ms" in found.words("lag")


@pytest.fixture
def memory(setup: Setup) -> Memory:
    """A registry that has both schemas."""
    made = Memory()
    made.register(f"{setup.input}-value", visits.SCHEMA)
    made.register(f"{setup.output}-value", (setup.package / "versions/1/prediction.avsc").read_text())
    return made


def with_registry(setup: Setup, url: str, **keys: object) -> Setup:
    """The setup with a registry."""
    return replace(setup, tables={**setup.tables, "schema_registry": {"url": url, **keys}})


def test_registry(setup: Setup, memory: Memory) -> None:
    """With both schemas."""
    with served(memory) as url:
        assert SOUND == examined(with_registry(setup, url)).odd


def test_registry_down(setup: Setup) -> None:
    """What it would have said is not looked at."""
    [port] = free_ports(1)

    found = examined(with_registry(setup, f"http://127.0.0.1:{port}"))

    assert SOUND | {"registry": "fail"} == found.odd
    assert "[schema_registry] url" in found.words("registry")


def test_wrong_subject(setup: Setup, memory: Memory) -> None:
    """The schemas are there under the topics' names, and the configuration looks for the records'."""
    with served(memory) as url:
        found = examined(with_registry(setup, url, subject="record"))

    assert SOUND | {"input schema": "fail", "prediction schema": "fail"} == found.odd
    assert 'set `[schema_registry] subject = "topic"`' in found.words("input schema")


def test_package_refused(setup: Setup, tmp_path: Path) -> None:
    """The step is named."""
    folder = visits.packed(tmp_path / "own")
    (folder / "versions/1/golden.avro").write_bytes(b"other")

    found = examined(replace(setup, package=folder))

    assert SOUND | {"model": "fail"} == found.odd
    assert "step hash" in found.words("model")


def test_signature_missing(setup: Setup) -> None:
    """It is required, and the model is not opened."""
    model = {"trusted_keys": [OURS.public.pem], "require_signature": True}

    found = examined(replace(setup, tables={"model": model}))

    assert SOUND | {"signature": "fail"} == found.odd
    assert "--sign KEY.pem" in found.words("signature")


def test_port_taken(setup: Setup) -> None:
    """By something that is no worker."""
    with served(Memory()) as url:
        found = examined(setup, {"STREAM_WEB__PORT": url.rpartition(":")[2]})

    assert SOUND | {"port": "fail"} == found.odd
    assert "STREAM_WEB__PORT" in found.words("port")


def test_state_folder_unusable(setup: Setup, tmp_path: Path) -> None:
    """Everybody may write to it."""
    (folder := tmp_path / "shared").mkdir()
    folder.chmod(0o777)

    found = examined(replace(setup, tables={"delivery": {"state": str(folder)}}))

    assert SOUND | {"state folder": "fail"} == found.odd
    assert f"chmod 700 {folder}" in found.words("state folder")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MiB."""
    (folder := tmp_path / "disk").mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize(("filled", "state"), [(1_200_000, "warn"), (2_000_000, "fail")])
def test_disk_nearly_full(setup: Setup, small: Path, filled: int, state: str) -> None:
    """Less than half of a small one, and less than the note takes."""
    (small / "file").write_bytes(bytes(filled))

    found = examined(replace(setup, tables={"delivery": {"state": str(small / "state")}}))

    assert SOUND | {"disk": state} == found.odd
    assert "make room" in found.words("disk")


@pytest.fixture
def clock(tmp_path: Path) -> Path:
    """A library that moves a process's time of day; see its source."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler: no `cc` on PATH")
    library, source = tmp_path / "clock.so", Path(__file__).parents[1] / "faults" / "clock.c"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    return library


def test_clock_skew(setup: Setup, clock: Path, tmp_path: Path) -> None:
    """This machine is two hours ahead of the broker."""
    (offset := tmp_path / "offset").write_bytes(struct.pack("l", 7_200))
    [port] = free_ports(1)
    config = setup.write("skewed", port)
    environ = {"LD_PRELOAD": str(clock), "CLOCK_OFFSET": str(offset)}
    arguments = ("doctor", "--json", "--config", str(config))
    with run(setup.folder, "doctor", *arguments, environ=environ) as process:
        assert 1 == process.end(), process.tail()
        found = {each["check"]: each for each in json.loads(process.output())}

    assert ["clock"] == [name for name, each in found.items() if each["state"] == "fail"]
    assert re.fullmatch(r"this machine is 7,(19\d|200) s ahead", found["clock"]["found"])
    assert "time server" in found["clock"]["next_step"]


class Members:
    """Members of a group, as any application has them; each polls until the end."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._members: list[Consumer] = []

    def join(self, client: str, topic: str = "", **options: object) -> None:
        """One more, with this `client.id`; blocks until it has partitions."""
        own = {
            "bootstrap.servers": self._setup.bootstrap,
            "group.id": self._setup.group,
            "client.id": client,
            "partition.assignment.strategy": "cooperative-sticky",
            "auto.offset.reset": "latest",
            "log_level": 0,
            **{name.replace("_", "."): value for name, value in options.items()},
        }
        self._members.append(Consumer(own))
        self._members[-1].subscribe([topic or self._setup.input])
        wait_for(lambda: all(self._polled()), 60, f"{client} to have partitions")

    def _polled(self) -> list[bool]:
        for each in self._members:
            each.poll(0.1)
        return [bool(each.assignment()) for each in self._members]

    def close(self) -> None:
        """All leave."""
        for each in self._members:
            each.close()


@pytest.fixture
def members(setup: Setup) -> Iterator[Members]:
    """The group of `setup`."""
    with closing(Members(setup)) as found:
        yield found


def test_foreign_member_in_the_group(setup: Setup, members: Members) -> None:
    """It reads the same topic, as another program."""
    members.join("console-consumer")

    found = examined(setup)

    assert SOUND | {"group": "fail"} == found.odd
    assert "console-consumer at " in found.words("group")


def test_member_with_another_assignor(setup: Setup, members: Members) -> None:
    """No worker can join it."""
    members.join("prediction-stream.a", partition_assignment_strategy="range")

    found = examined(setup)

    assert SOUND | {"group": "fail"} == found.odd
    assert "its assignor is range" in found.words("group")


def test_two_workers_of_one_instance(setup: Setup, members: Members) -> None:
    """Both are in the group, and stay."""
    members.join("prediction-stream.scorer-0")
    members.join("prediction-stream.scorer-0")

    found = examined(setup)

    assert SOUND | {"group": "fail"} == found.odd
    assert "several workers are the instance scorer-0" in found.words("group")


def test_running_worker_is_recognised(setup: Setup, workers: Callable[..., Any]) -> None:
    """Its group, its port and its folder are ours; it goes on, and its status is in the bundle."""
    worker = workers(setup).ready()
    config = setup.folder / "worker.toml"
    arguments = ("doctor", "--config", str(config), "--bundle", "report.zip", "--log", str(worker.log))
    with run(setup.folder, "doctor", *arguments) as process:
        assert 0 == process.end(), process.tail()
        said = process.output()

    assert "taken by this configuration's own worker" in said
    assert "ok    group" in said
    with zipfile.ZipFile(setup.folder / "report.zip") as bundle:
        assert "running" == json.loads(bundle.read("status.json"))["state"]
        assert b"stream_ready" in bundle.read("metrics.txt")
        assert b"partitions assigned" in bundle.read("log.txt")
    assert worker.running
    worker.terminate()
    assert 0 == worker.end()


@pytest.mark.parametrize("version", [OLDEST, USUAL, NEWEST])
def test_release_of_a_broker(version: str) -> None:
    """By the features that it names; 3.9.1 has no known defect."""
    with had(lambda: Broker(version=version)) as broker:
        told = greet(KafkaSettings(broker.bootstrap), broker.bootstrap).release

    assert version.rpartition(".")[0] == told
    assert told in RELEASES


def test_no_transactions_and_a_broker_that_makes_topics_by_itself(tmp_path: Path, package: Path) -> None:
    """Three replicas of Kafka's own list are wanted, and there is one broker; a missing topic stays missing."""
    chosen = {"transaction.state.log.replication.factor": "3", "auto.create.topics.enable": "true"}
    with had(lambda: Broker(properties=chosen)) as broker:
        setup = make_setup(tmp_path, Topics(broker.bootstrap), package)

        found = examined(replace(setup, dead="nowhere"))
        there = AdminClient({"bootstrap.servers": broker.bootstrap, "log_level": 0}).list_topics(timeout=20)

    assert SOUND | {"transactions": "fail", "topic dead letters": "fail", "clock": "warn"} == found.odd
    assert "transaction.state.log.replication.factor" in found.words("transactions")
    assert "nowhere" not in there.topics


def test_broker_that_gives_out_an_address_where_nobody_is(tmp_path: Path, package: Path) -> None:
    """`advertised.listeners`: the classic of containers. The bootstrap server answers, and nothing behind it."""
    [port, wrong] = free_ports(2)
    chosen = {"advertised.listeners": f"PLAINTEXT://127.0.0.1:{wrong}"}
    broker = had(lambda: Broker(port=port, properties=chosen))
    with closing(broker):
        broker.launch()
        wait_for(lambda: is_listening(port), 120, "the listener")
        setup = Setup(tmp_path, broker.bootstrap, "group", "in", "out", "dead", package)

        found = examined(setup)

    assert "fail" == found.odd["brokers"]
    assert "advertised.listeners" in found.words("brokers")


# ---- who is let in, and what they may do ----


@pytest.fixture
def least(secured: SecuredBroker, tmp_path: Path, package: Path) -> tuple[Setup, str]:
    """A setup on the secured broker, and its user, who has a worker's rights and no other."""
    topics = secured.topics()
    names = [topics.create(base, 2) for base in ("in", "out", "dead")]
    setup = Setup(tmp_path, secured.bootstrap, topics.name("group"), names[0], names[1], names[2], package)
    user = topics.name("user")
    setup = with_properties(setup, dict(secured.user(user)))
    secured.grant(user, rights_of("worker", settings_of(setup)))
    return setup, user


def settings_of(setup: Setup) -> Settings:
    """As they are loaded."""
    return load_settings(setup.write("rights", 1), {})


LEAST = SOUND | {
    "tls": "warn",
    "topic input": "warn",
    "topic output": "warn",
    "topic dead letters": "warn",
    "record sizes": "warn",
    "clock": "warn",
}
"""A worker's user may see neither the topics' settings nor the brokers' clock; the certificate is short-lived."""


@pytest.mark.fault_core
def test_workers_rights_are_enough(least: tuple[Setup, str]) -> None:
    """What may not be seen is said, with what to grant for it; nothing fails."""
    setup, user = least

    found = examined(setup)

    assert LEAST == found.odd
    assert f"--allow-principal User:{user} --operation DescribeConfigs --topic {setup.input}" in found.words(
        "topic input"
    )


LINES = {
    "input": "rights input",
    "output": "rights output",
    "dead letters": "rights dead letters",
    "group": "rights group",
    "group.": "transactions",
}


@pytest.mark.parametrize("right", RIGHTS["worker"], ids=str)
def test_missing_right(secured: SecuredBroker, least: tuple[Setup, str], right: Right) -> None:
    """One failure, with the arguments that grant exactly it."""
    setup, user = least
    number = RIGHTS["worker"].index(right)
    missing = rights_of("worker", settings_of(setup))[number]
    secured.revoke(user, [missing])

    found = examined(setup)

    line = LINES[right.name]
    assert [line] == [name for name, state in found.odd.items() if state == "fail"]
    assert f"--add {missing.acl(f'User:{user}')}" in found.words(line)


def refused(setup: Setup, line: str, words: str) -> None:
    """Exactly this line fails, and its step holds these words."""
    found = examined(setup)

    assert [line] == [name for name, state in found.odd.items() if state == "fail"]
    assert words in found.words(line)


def changed(setup: Setup, **keys: str) -> Setup:
    """The setup with other properties; `_` stands for a dot."""
    own = setup.tables["kafka"]["properties"]
    assert isinstance(own, dict)
    return with_properties(setup, own | {name.replace("_", "."): value for name, value in keys.items()})


def test_wrong_password(least: tuple[Setup, str]) -> None:
    """The properties to correct."""
    refused(changed(least[0], sasl_password="wrong"), "login", 'correct "sasl.username" and "sasl.password"')


def test_wrong_mechanism(least: tuple[Setup, str]) -> None:
    """The property to correct."""
    refused(changed(least[0], sasl_mechanism="PLAIN"), "login", "sasl.mechanism")


def test_no_user_where_one_is_asked_for(least: tuple[Setup, str], secured: SecuredBroker) -> None:
    """With what the listener offers."""
    own = {"security.protocol": "SSL", "ssl.ca.location": str(secured.authority.ca)}

    refused(with_properties(least[0], own), "login", 'set "security.protocol" to "SASL_SSL"')


def test_plain_client_at_a_tls_port(least: tuple[Setup, str]) -> None:
    """The property to set."""
    refused(with_properties(least[0], {}), "tls", '"security.protocol"')


def test_certificate_of_an_unknown_authority(least: tuple[Setup, str], tmp_path: Path) -> None:
    """Another authority of the same kind has not signed it."""
    other = Authority(tmp_path, "other").ca

    refused(changed(least[0], ssl_ca_location=str(other)), "tls", '"ssl.ca.location"')


def test_certificate_that_has_expired(least: tuple[Setup, str], secured: SecuredBroker) -> None:
    """The broker's."""
    refused(replace(least[0], bootstrap=secured.expired), "tls", "renew the broker's certificate")


def test_tls_client_at_a_plain_port(setup: Setup, secured: SecuredBroker) -> None:
    """The other way round."""
    own = {"security.protocol": "SSL", "ssl.ca.location": str(secured.authority.ca)}

    refused(with_properties(setup, own), "tls", "take the broker's TLS port")


def test_user_where_none_is_asked_for(setup: Setup) -> None:
    """A listener without SASL."""
    own = {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "PLAIN",
        "sasl.username": "ann",
        "sasl.password": "x",
    }

    refused(with_properties(setup, own), "login", 'set "security.protocol"')
