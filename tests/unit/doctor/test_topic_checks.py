"""Topics: each fault alone, by name, with the next step."""

from __future__ import annotations

from typing import get_args

import pytest

from stream.doctor.topic_checks import Role, copartitioned, sizes, topic
from stream.errors import Retriable
from stream.transport import TopicLayout
from tests.unit.doctor.examined import FakeSurvey, case_of, layout, settings

NAMES: dict[Role, str] = {"input": "in", "output": "out", "dead letters": "dead"}


def found_of(
    role: Role, config: dict[str, str] | None, shape: TopicLayout | None = None
) -> tuple[str, str, str]:
    """State, finding and step of one topic's line."""
    configs = {} if config is None else {NAMES[role]: config}
    survey = FakeSurvey(layouts={NAMES[role]: shape or layout()}, configs=configs)
    line = topic(role)(case_of(settings(), survey))
    return line.state, line.found, line.next_step


@pytest.mark.parametrize("role", get_args(Role))
def test_topic_that_is_not_there_is_a_failure(role: Role) -> None:
    """With the command that makes it."""
    line = topic(role)(case_of(settings(), FakeSurvey()))

    assert ("fail", NAMES[role], "create it with `stream topics --create`") == (
        line.state,
        line.looked_at,
        line.next_step,
    )


@pytest.mark.parametrize("role", get_args(Role))
def test_sound_topic_is_ok(role: Role) -> None:
    """Its partitions and replicas are told."""
    state, found, _ = found_of(role, {"min.insync.replicas": "2", "cleanup.policy": "delete"})

    assert ("ok", "4 partitions, 3 replicas") == (state, found)


@pytest.mark.parametrize(("role", "state"), [("input", "warn"), ("output", "fail"), ("dead letters", "fail")])
def test_fewer_replicas_than_min_insync_can_ever_be(role: Role, state: str) -> None:
    """A topic that is written to can't be; more brokers would not help, so the step is another."""
    found = found_of(role, {"min.insync.replicas": "2"}, layout(replicas=1))

    assert state == found[0]
    assert "min.insync.replicas = 2" in found[1]
    assert "lower its min.insync.replicas, or give it 2 replicas" in found[2]


def test_replicas_that_are_away_for_now_are_to_be_started() -> None:
    """Three replicas of which one is in sync, where two must be."""
    state, found, step = found_of("output", {"min.insync.replicas": "2"}, layout(replicas=3, in_sync=1))

    assert ("fail", "start the brokers whose replicas are missing") == (state, step)
    assert "[0, 1, 2, 3]" in found


def test_a_replica_behind_is_a_warning_while_enough_are_left() -> None:
    """Writing goes on."""
    state, found, _ = found_of("output", {"min.insync.replicas": "2"}, layout(replicas=3, in_sync=2))

    assert "warn" == state
    assert "lack replicas in sync" in found


@pytest.mark.parametrize("role", get_args(Role))
def test_partition_without_a_leader_is_a_failure(role: Role) -> None:
    """Nothing can be read or written."""
    shape = TopicLayout((1, 1), (1, 0), (True, False))

    state, found, _ = found_of(role, {}, shape)

    assert ("fail", "partitions [1] have no leader") == (state, found)


@pytest.mark.parametrize(("role", "state"), [("input", "warn"), ("output", "warn"), ("dead letters", "fail")])
@pytest.mark.parametrize("policy", ["compact", "compact,delete"])
def test_compacted_topic_is_told_with_the_command_that_undoes_it(role: Role, state: str, policy: str) -> None:
    """Of dead letters it is a loss."""
    found = found_of(role, {"cleanup.policy": policy})

    assert state == found[0]
    assert f"cleanup.policy is {policy}" in found[1]
    assert f"--entity-name {NAMES[role]} --add-config cleanup.policy=delete" in found[2]


def test_dead_letters_that_do_not_outlive_a_weekend() -> None:
    """A day is too short."""
    state, found, _ = found_of("dead letters", {"retention.ms": "86400000"})

    assert "warn" == state
    assert "24 hours" in found


@pytest.mark.parametrize("kept", ["-1", "604800000"])
def test_dead_letters_that_stay_long_enough(kept: str) -> None:
    """For ever, or Kafka's own week."""
    assert "ok" == found_of("dead letters", {"retention.ms": kept})[0]


@pytest.mark.parametrize(("role", "state"), [("input", "ok"), ("output", "warn"), ("dead letters", "warn")])
def test_topic_that_stamps_its_own_time(role: Role, state: str) -> None:
    """The input's may: its time is what is kept then."""
    assert state == found_of(role, {"message.timestamp.type": "LogAppendTime"})[0]


@pytest.mark.parametrize("role", get_args(Role))
def test_topic_that_may_lose_what_it_acknowledged(role: Role) -> None:
    """A replica that is behind may become its leader."""
    assert "warn" == found_of(role, {"unclean.leader.election.enable": "true"})[0]


def test_settings_that_may_not_be_seen_are_not_taken_for_sound() -> None:
    """A user with a worker's rights only is told what to grant for it."""
    state, found, step = found_of("output", None)

    assert "warn" == state
    assert "were not looked at" in found
    assert "--operation DescribeConfigs --topic out" in step


@pytest.mark.parametrize(("in_sync", "state"), [(3, "warn"), (0, "fail")])
def test_settings_that_do_not_come_hide_no_other_fault(in_sync: int, state: str) -> None:
    """Without a controller nobody tells them; leaders and replicas are known all the same."""
    survey = FakeSurvey(layouts={"out": layout(in_sync=in_sync)}, refusal=Retriable("timed out"))

    line = topic("output")(case_of(settings(), survey))

    assert state == line.state
    assert "its settings were not had: timed out" in line.found


def test_other_faults_are_found_where_settings_may_not_be_seen() -> None:
    """The list of topics tells of leaders."""
    state, found, _ = found_of("output", None, layout(replicas=1, in_sync=0))

    assert "fail" == state
    assert "no leader" in found


@pytest.mark.parametrize(("into", "out", "short"), [(4, 8, "in"), (8, 4, "out")])
def test_other_numbers_of_partitions_break_copartitioning(into: int, out: int, short: str) -> None:
    """The topic with fewer gets as many."""
    survey = FakeSurvey(layouts={"in": layout(into), "out": layout(out)})

    line = copartitioned(case_of(settings(), survey))

    assert "warn" == line.state
    assert f"give {short} 8 partitions" in line.next_step


def test_as_many_partitions_are_copartitioned() -> None:
    """However many replicas they have."""
    survey = FakeSurvey(layouts={"in": layout(4, 1), "out": layout(4, 3)})

    assert ("ok", "4 partitions each") == (
        (line := copartitioned(case_of(settings(), survey))).state,
        line.found,
    )


@pytest.mark.parametrize(("takes", "state"), [(1_048_588, "warn"), (1_048_588 + 65_536, "ok")])
def test_dead_letters_need_room_for_their_headers(takes: int, state: str) -> None:
    """The largest record of the input, and 64 KiB."""
    case = case_of(settings())
    case.topics = {"in": {}, "dead": {"max.message.bytes": str(takes)}}

    line = sizes(case)

    assert state == line.state
    assert ("max.message.bytes=1114124" in line.next_step) == (state == "warn")


def test_sizes_that_may_not_be_seen_are_named() -> None:
    """Those topics only."""
    case = case_of(settings())
    case.topics = {"in": {}}

    line = sizes(case)

    assert "warn" == line.state
    assert "settings of dead" in line.found
