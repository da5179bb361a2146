"""Before the login: the configuration itself, and which servers take connections."""

from __future__ import annotations

import socket
from dataclasses import replace
from threading import Thread

import pytest

from stream.doctor.broker_checks import configuration, servers, tls
from stream.errors import SettingsError
from stream.settings import DeadLetterSettings, InputSettings, KafkaSettings, OutputSettings
from tests.kafka.process import free_ports
from tests.unit.doctor.examined import case_of, settings


@pytest.mark.parametrize("kind", ["properties", "consumer", "producer"])
def test_property_that_the_client_refuses_is_a_settings_error(kind: str) -> None:
    """Of whichever client."""
    kafka = KafkaSettings("b:1", "scorer", **{kind: {"no.such.thing": 1}})  # type: ignore[arg-type]

    with pytest.raises(SettingsError, match=r"no\.such\.thing"):
        configuration(case_of(replace(settings(), kafka=kafka)))


@pytest.mark.parametrize(
    "topics",
    [("a", "a", "b"), ("a", "b", "a"), ("b", "a", "a")],
    ids=["input output", "input dead", "output dead"],
)
def test_one_topic_for_two_things_is_a_failure(topics: tuple[str, str, str]) -> None:
    """A worker would read what it writes."""
    into, out, dead = topics
    own = replace(
        settings(),
        input=InputSettings(into),
        output=OutputSettings(out),
        dead_letters=DeadLetterSettings(dead),
    )

    line = configuration(case_of(own))

    assert ("fail", True) == (line.state, "are both a" in line.found)


def test_framing_that_needs_a_registry_is_a_failure_without_one() -> None:
    """The key is named."""
    line = configuration(case_of(replace(settings(), output=OutputSettings("out", framing="confluent"))))

    assert ("fail", True) == (line.state, line.found.startswith("[output] framing"))


def test_sound_configuration_says_who_this_worker_is() -> None:
    """By group and instance."""
    line = configuration(case_of(settings()))

    assert ("ok", "group scorer, instance scorer-0, exactly-once") == (line.state, line.found)


def test_servers_that_take_connections_and_those_that_do_not() -> None:
    """All, some and none of them."""
    [closed] = free_ports(1)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        there, away = f"127.0.0.1:{listening.getsockname()[1]}", f"127.0.0.1:{closed}"
        cases = [
            case_of(replace(settings(), kafka=KafkaSettings(named)))
            for named in (there, f"{away}, {there}", away, "", "nowhere.invalid:9092")
        ]
        lines = [servers(case) for case in cases]

    assert ["ok", "warn", "fail", "fail", "fail"] == [line.state for line in lines]
    assert [[there], [there], [], [], []] == [case.reached for case in cases]


def test_server_that_says_nothing_is_no_broker() -> None:
    """It takes connections and closes them."""
    with socket.create_server(("127.0.0.1", 0), backlog=1) as listening:
        case = case_of(settings())
        case.reached = [f"127.0.0.1:{listening.getsockname()[1]}"]
        listening.settimeout(5)

        def close_each() -> None:
            for _ in range(2):
                listening.accept()[0].close()

        thread = Thread(target=close_each, daemon=True)
        thread.start()

        line = tls(case)
        thread.join(5)

    assert ("fail", True) == (line.state, "a Kafka broker's port" in line.next_step)
