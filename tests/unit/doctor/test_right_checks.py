"""Rights: each missing one by the arguments that grant it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stream.doctor.right_checks import may
from stream.rights import Right
from stream.settings import KafkaSettings
from tests.unit.doctor.examined import FakeSurvey, case_of, layout, settings

NEEDED = {
    "input": Right("Read", "topic", "in"),
    "output": Right("Write", "topic", "out"),
    "dead letters": Right("Write", "topic", "dead"),
    "group": Right("Read", "group", "scorer"),
}

SECURED = replace(
    settings(),
    kafka=KafkaSettings(
        "broker-1:9093", "scorer", properties={"security.protocol": "sasl_ssl", "sasl.username": "ann"}
    ),
)


@pytest.mark.parametrize("name", NEEDED)
def test_missing_right_is_granted_by_a_command_that_can_be_copied(name: str) -> None:
    """With the user, the operation and the very name."""
    right = NEEDED[name]

    line = may(name)(case_of(SECURED, FakeSurvey(rights={right: False})))

    assert "fail" == line.state
    assert f"User:ann may not: {right}" == line.found
    tool = "kafka-acls.sh --bootstrap-server broker-1:9093 --command-config admin.properties --add"
    asked = f"--operation {right.operation} --{right.resource} {right.name}"
    assert f"{tool} --allow-principal User:ann {asked}" == line.next_step


@pytest.mark.parametrize("name", NEEDED)
def test_right_that_is_held_is_ok(name: str) -> None:
    """Nothing to do."""
    assert ("ok", "") == ((line := may(name)(case_of(SECURED))).state, line.next_step)


def test_broker_that_does_not_tell_is_a_warning() -> None:
    """Not taken for a right that is held."""
    survey = FakeSurvey(rights={NEEDED["input"]: None}, layouts={"in": layout()})

    assert "warn" == may("input")(case_of(SECURED, survey)).state


def test_topic_that_is_not_there_is_the_topics_line_alone() -> None:
    """Nobody has rights on it that could be told."""
    survey = FakeSurvey(rights={NEEDED["input"]: None})

    assert "ok" == may("input")(case_of(SECURED, survey)).state
