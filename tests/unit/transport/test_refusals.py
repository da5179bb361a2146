"""A broker that says no: what each refusal says, to whom, and what to do about it. No worker, no process."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from stream.deadline import Deadline
from stream.errors import BrokerRefused, StreamError
from stream.records import Outgoing, Partition
from stream.rights import RIGHTS, Right, rights_of
from stream.settings import DeadLetterSettings, InputSettings, KafkaSettings, OutputSettings, Secret, Settings
from stream.transport import Cluster, Reader, Sink, WantedTopic
from tests.authority import Authority
from tests.conftest import Kafka
from tests.kafka.process import free_ports
from tests.kafka.secured import SecuredBroker

pytestmark = pytest.mark.kafka

WRITTEN_S = 20.0


@pytest.fixture(scope="module")
def configured(secured: SecuredBroker) -> Settings:
    """Seven topics that are there, and a group; nobody may touch them yet."""
    topics = secured.topics()
    settings = Settings(
        KafkaSettings(secured.bootstrap, topics.name("group")),
        input=InputSettings(topics.create("in")),
        output=OutputSettings(topics.create("out")),
        dead_letters=DeadLetterSettings(topics.create("dead")),
    )
    for name in (
        settings.dead_letters.marks,
        settings.dead_letters.backfill,
        settings.output.backfill,
        settings.input.backfills,
    ):
        topics.create_named(name)
    return settings


def _as(secured: SecuredBroker, configured: Settings, granted: list[Right]) -> tuple[str, KafkaSettings]:
    """A new user with these rights, and how to come in as that user."""
    user = secured.topics().name("user")
    properties = secured.user(user)
    secured.grant(user, granted)
    return user, replace(configured.kafka, properties=properties)


@pytest.mark.parametrize("command", RIGHTS)
def test_command_with_its_rights_is_let_work(
    secured: SecuredBroker, configured: Settings, command: str
) -> None:
    """With exactly the rights of the table none is reported as missing."""
    rights = rights_of(command, configured)
    _, kafka = _as(secured, configured, rights)

    assert {right.name for right in rights if right.resource == "topic"} <= set(
        Cluster(kafka, rights).partitions()
    )


@pytest.mark.parametrize(
    ("command", "missing"),
    [
        pytest.param(command, right, id=f"{command}: {right}")
        for command, rights in RIGHTS.items()
        for right in rights
        if right.operation != "Create" and right.resource != "transactional-id"
    ],
)
def test_right_that_is_lacking_is_named_before_the_work(
    secured: SecuredBroker, configured: Settings, command: str, missing: Right
) -> None:
    """With one right less the first look ends with that right, the user, and what to grant."""
    rights = rights_of(command, configured)
    [lacking] = [right for right in rights if _is_of(right, missing, configured)]
    user, kafka = _as(secured, configured, [right for right in rights if right != lacking])

    with pytest.raises(BrokerRefused) as caught:
        Cluster(kafka, rights).partitions()

    assert (
        f"User:{user} may not {lacking.operation} {lacking.resource} {lacking.name}" == caught.value.message
    )
    assert f"grant {lacking} to User:{user}" in caught.value.hint


def _is_of(right: Right, row: Right, configured: Settings) -> bool:
    """Whether a right of the configuration is this row of the table."""
    part = {
        "input": configured.input.topic,
        "output": configured.output.topic,
        "dead letters": configured.dead_letters.topic,
        "marks": configured.dead_letters.marks,
        "group": configured.kafka.group,
        "backfill output": f"{configured.output.topic}.backfill",
        "backfill dead letters": f"{configured.dead_letters.topic}.backfill",
        "backfills": f"{configured.input.topic}.backfills",
        "backfill.": f"{configured.kafka.group}.backfill.",
    }[row.name]
    return (right.operation, right.resource, right.name) == (row.operation, row.resource, part)


def test_everything_that_is_lacking_is_said_at_once(secured: SecuredBroker, configured: Settings) -> None:
    """A user without any right is told all of them, not the first."""
    rights = rights_of("worker", configured)
    user, kafka = _as(secured, configured, [])

    with pytest.raises(BrokerRefused) as caught:
        Cluster(kafka, rights).partitions()

    # Whether a transactional id may be used, the broker tells only who uses it.
    told = [right for right in rights if right.resource != "transactional-id"]
    assert [f"grant {right} to User:{user}" for right in told] == caught.value.hint.split("; ")[:-1]


def test_topic_that_may_not_be_made_is_named(secured: SecuredBroker, configured: Settings) -> None:
    """Creation that is refused says Create, and on which topic."""
    name = secured.topics().name("new")
    rights = [Right("Create", "topic", name), Right("Describe", "topic", name)]
    user, kafka = _as(secured, configured, rights[1:])
    cluster = Cluster(kafka, rights)

    with pytest.raises(BrokerRefused) as caught, cluster.naming_refusals():
        cluster.create([WantedTopic(name, "input", 1)])

    assert f"creating topic {name}" in caught.value.message
    assert caught.value.hint.startswith(f"grant Create on topic {name} to User:{user};")


def test_right_that_is_revoked_at_work_is_named(secured: SecuredBroker, configured: Settings) -> None:
    """A write that is refused later says which topic, and what to grant again."""
    rights = rights_of("worker", configured)
    user, kafka = _as(secured, configured, rights)
    cluster, sink = Cluster(kafka, rights), Sink(kafka)
    cluster.partitions()
    output = configured.output.topic
    sink.send(Outgoing(output, [b"key"], [b"1"], [0], [None]))
    assert [] == sink.flush(Deadline.after(WRITTEN_S))
    [write] = [right for right in rights if right.name == output]

    secured.revoke(user, [write])

    sink.send(Outgoing(output, [b"key"], [b"2"], [0], [None]))
    with pytest.raises(BrokerRefused) as caught, cluster.naming_refusals():
        sink.flush(Deadline.after(WRITTEN_S))
    assert f"writing to {output}" in caught.value.message
    assert caught.value.hint.startswith(f"grant Write on topic {output} to User:{user};")


def test_onlooker_needs_no_right_on_a_group(secured: SecuredBroker, configured: Settings) -> None:
    """A reader without a group is not stopped by a missing right on one, whatever the client itself asks for."""
    _, kafka = _as(secured, configured, [Right("Read", "topic", configured.input.topic)])

    with closing(Reader(kafka, configured.input.topic, "earliest")) as reader:
        looked = [len(reader.poll(0.2)) for _ in range(15)]

    assert [0] * 15 == looked


def test_refusal_that_the_table_does_not_know_stays_as_it_is(
    secured: SecuredBroker, configured: Settings
) -> None:
    """No empty advice: the error comes as it was."""
    _, kafka = _as(secured, configured, [])
    error = BrokerRefused(
        "asking: CLUSTER_AUTHORIZATION_FAILED: no",
        hint="check credentials and ACLs",
        code="CLUSTER_AUTHORIZATION_FAILED",
    )

    with (
        pytest.raises(BrokerRefused) as caught,
        Cluster(kafka, rights_of("watch", configured)).naming_refusals(),
    ):
        raise error

    assert error is caught.value


def test_user_of_a_certificate_may_do_what_was_granted(secured: SecuredBroker, configured: Settings) -> None:
    """Mutual TLS: the certificate is the name; a right that is lacking names its file."""
    name, rights = secured.topics().name("machine"), rights_of("status", configured)
    kafka = KafkaSettings(
        secured.by_certificate, configured.kafka.group, properties=secured.certificate(name)
    )
    cluster = Cluster(kafka, rights)
    with pytest.raises(BrokerRefused) as caught:
        cluster.partitions()
    assert f"the user of {kafka.properties['ssl.certificate.location']} may not" in caught.value.message

    secured.grant(f"CN={name}", rights)

    assert {Partition(configured.input.topic, 0): (0, 0)} == cluster.ends(configured.input.topic)


CASES = {
    "wrong password": ('"sasl.password"', "SASL authentication error"),
    "unknown user": ('"sasl.username"', "SASL authentication error"),
    "other mechanism": ('"sasl.mechanism"', "supported mechanisms: SCRAM-SHA-512"),
    "other authority": ('"ssl.ca.location"', "unable to get local issuer certificate"),
    "no authority": ('"ssl.ca.location"', "unable to get local issuer certificate"),
    "other host": ("`[kafka] bootstrap_servers`", "not valid for 'localhost'"),
    "expired": ("renew the broker's certificate", "certificate has expired"),
    "plain": ('"security.protocol"', "speaks TLS, and this client does not"),
    "TLS at a plain port": ('"security.protocol"', "does not speak TLS, and this client does"),
    "no certificate": ('"ssl.certificate.location"', "does not accept this client's certificate"),
    "certificate of another authority": (
        '"ssl.certificate.location"',
        "does not accept this client's certificate",
    ),
}
"""How one does not get in → the setting that the message names, and what it says."""


@pytest.fixture(scope="module")
def refusals(
    secured: SecuredBroker, kafka: Kafka, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, StreamError]]:
    """What each case ends with; all at once, since each waits for its broker."""
    own = secured.user(secured.topics().name("user"))
    other = Authority(tmp_path_factory.mktemp("other"), "other")
    certificate, key = map(str, other.issue("stranger"))
    mutual = {"security.protocol": "SSL", "ssl.ca.location": str(secured.authority.ca)}
    port, plain = secured.bootstrap.partition(":")[2], kafka.bootstrap
    tried = {
        "wrong password": (secured.bootstrap, {**own, "sasl.password": Secret("wrong")}),
        "unknown user": (secured.bootstrap, {**own, "sasl.username": "nobody"}),
        "other mechanism": (secured.bootstrap, {**own, "sasl.mechanism": "SCRAM-SHA-256"}),
        "other authority": (secured.bootstrap, {**own, "ssl.ca.location": str(other.ca)}),
        "no authority": (secured.bootstrap, {k: v for k, v in own.items() if k != "ssl.ca.location"}),
        "other host": (f"localhost:{port}", own),
        "expired": (secured.expired, own),
        "plain": (secured.bootstrap, {}),
        "TLS at a plain port": (plain, own),
        "no certificate": (secured.by_certificate, mutual),
        "certificate of another authority": (
            secured.by_certificate,
            {**mutual, "ssl.certificate.location": certificate, "ssl.key.location": key},
        ),
    }
    with ThreadPoolExecutor(len(tried)) as pool:
        ends = pool.map(lambda case: _refusal(KafkaSettings(case[0], properties=case[1])), tried.values())
        yield dict(zip(tried, ends, strict=True))


def _refusal(kafka: KafkaSettings) -> StreamError:
    with pytest.raises(StreamError) as caught:
        Cluster(kafka).partitions()
    return caught.value


@pytest.mark.parametrize("case", CASES)
def test_refusal_at_the_door_names_the_setting(case: str, refusals: dict[str, StreamError]) -> None:
    """Each way of not getting in has its own words and its own setting; a password is in none of them."""
    setting, words = CASES[case]
    error = refusals[case]

    assert words in error.message
    assert setting in error.hint
    # What waiting does not mend is refused as such, so a worker ends with it at once.
    assert isinstance(error, BrokerRefused)


@pytest.mark.slow
@pytest.mark.fault
@pytest.mark.parametrize("there", [True, False])
def test_door_that_stays_shut_is_waited_for(secured: SecuredBroker, *, there: bool) -> None:
    """Where there is no answer and no reason either, the message names what it may be."""
    mutual = {"security.protocol": "SSL", "ssl.ca.location": str(secured.authority.ca)}
    server = secured.bootstrap if there else f"127.0.0.1:{free_ports(1)[0]}"

    error = _refusal(KafkaSettings(server, properties=mutual))

    assert f"no broker answers at {server}" in error.message
    assert "`[kafka] bootstrap_servers` or `security.protocol`" in error.hint


def test_authority_that_is_not_a_file_is_a_setting_s_error(tmp_path: Path) -> None:
    """librdkafka names the property itself."""
    properties = {"security.protocol": "SSL", "ssl.ca.location": str(tmp_path / "absent.pem")}

    assert "ssl.ca.location" in _refusal(KafkaSettings("127.0.0.1:1", properties=properties)).message
