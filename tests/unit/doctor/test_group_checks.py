"""The group: who does not belong in it, and what has been lost or soon will be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from stream.doctor.group_checks import group, lag
from stream.errors import Retriable
from stream.records import Partition
from stream.settings import KafkaSettings, Settings
from stream.transport import GroupView, Member
from tests.unit.doctor.examined import FakeSurvey, case_of, settings

ZERO, ONE = Partition("in", 0), Partition("in", 1)


def worker(name: str = "scorer-0", host: str = "10.0.0.1", topic: str = "in") -> Member:
    """A member as a worker is one."""
    return Member(f"prediction-stream.{name}", host, (topic,), 2)


def view(*members: Member, assignor: str = "cooperative-sticky", kind: str = "CLASSIC") -> GroupView:
    """A stable group."""
    return GroupView("STABLE" if members else "EMPTY", kind, assignor if members else "", members)


def line_of(*views: GroupView, own: Settings | None = None, seconds: float = 5.0) -> Any:
    """The group's line."""
    return group(case_of(own or settings(), FakeSurvey(groups=list(views)), seconds))


def test_group_of_workers_is_ok() -> None:
    """Each is named with its place."""
    line = line_of(view(worker("a"), worker("b", "10.0.0.2")))

    assert "ok" == line.state
    assert "prediction-stream.b at 10.0.0.2 (2 partitions)" in line.found


def test_empty_group_is_ok() -> None:
    """Before the first start nobody is in it."""
    assert ("ok", "no member at the moment") == ((line := line_of(view())).state, line.found)


@pytest.mark.parametrize(
    "stranger",
    [
        Member("console-consumer", "10.0.0.9", ("in",), 1),
        Member("rdkafka", "10.0.0.9", ("in",), 1),
        Member("consumer-scorer-1", "10.0.0.9", (), 0),
        worker(topic="elsewhere"),
    ],
    ids=str,
)
def test_foreign_member_is_a_failure(stranger: Member) -> None:
    """What it reads is never scored; also a worker of another configuration, which reads another topic."""
    line = line_of(view(worker(), replace(stranger, host="10.0.0.9")))

    assert "fail" == line.state
    assert f"{stranger.client} at 10.0.0.9" in line.found
    assert "[kafka] group" in line.next_step


@pytest.mark.parametrize("table", ["properties", "consumer"])
def test_configured_client_id_is_a_workers(table: str) -> None:
    """Several have it then, so it does not tell instances apart."""
    kafka = KafkaSettings("broker-1:9093", "scorer", **{table: {"client.id": "mine"}})  # type: ignore[arg-type]
    mine = Member("mine", "10.0.0.1", ("in",), 2)

    assert "ok" == line_of(view(mine, mine), own=replace(settings(), kafka=kafka)).state


def test_two_workers_of_one_instance_are_a_failure() -> None:
    """Both places are named; nobody else's name is."""
    twice = view(worker(), worker(host="10.0.0.2"), worker("other"))

    line = line_of(twice, seconds=1.0)

    assert "fail" == line.state
    assert "several workers are the instance scorer-0, at 10.0.0.1, 10.0.0.2" in line.found
    assert "[delivery] instance" in line.next_step


def test_worker_that_was_killed_is_waited_out() -> None:
    """It stays in the group for some seconds beside the one that came after it."""
    assert "ok" == line_of(view(worker(), worker()), view(worker()), seconds=5.0).state


def test_other_assignor_keeps_workers_out() -> None:
    """An eager assignor, of whichever member."""
    line = line_of(view(worker(), assignor="range"))

    assert "fail" == line.state
    assert "its assignor is range" in line.found


def test_assignor_of_the_broker_is_no_fault() -> None:
    """Under KIP-848 the broker chooses it."""
    assert "ok" == line_of(view(worker(), assignor="uniform", kind="CONSUMER")).state


def test_configured_assignor_is_no_fault() -> None:
    """Whoever sets it for all workers may."""
    kafka = KafkaSettings("b:1", "scorer", consumer={"partition.assignment.strategy": "range,roundrobin"})

    assert "ok" == line_of(view(worker(), assignor="range"), own=replace(settings(), kafka=kafka)).state


def test_broker_that_does_not_tell_of_groups_is_a_warning() -> None:
    """As librdkafka's mock cluster."""
    line = group(case_of(settings(), FakeSurvey(refusal=Retriable("not told"))))

    assert "warn" == line.state
    assert "not told" in line.found


def lag_of(survey: FakeSurvey, own: Settings | None = None, kept: str = "-1") -> Any:
    """The line of the lag on a topic with these settings."""
    case = case_of(own or settings(), survey)
    case.topics = {"in": {"retention.ms": kept}}
    return lag(case)


def test_lag_is_counted_from_the_group_or_the_earliest_record() -> None:
    """A partition without an offset has all of its records before it."""
    survey = FakeSurvey(low_high={ZERO: (5, 20), ONE: (3, 10)}, offsets={ZERO: 15})

    line = lag_of(survey)

    assert ("ok", "12 records wait") == (line.state, line.found)


@pytest.mark.parametrize(
    ("offset", "words"), [(2, "were deleted (retention)"), (30, "the topic was made anew")], ids=str
)
def test_offset_out_of_range_is_a_failure(offset: int, words: str) -> None:
    """A worker that starts there stops."""
    line = lag_of(FakeSurvey(low_high={ZERO: (5, 20)}, offsets={ZERO: offset}))

    assert "fail" == line.state
    assert "partitions [0]" in line.found
    assert words in line.found


def test_offset_out_of_range_that_is_provided_for_is_a_warning() -> None:
    """The configuration says where to go on."""
    own = replace(settings(), input=replace(settings().input, on_out_of_range="earliest"))

    assert "warn" == lag_of(FakeSurvey(low_high={ZERO: (5, 20)}, offsets={ZERO: 2}), own).state


@pytest.mark.parametrize(
    ("over", "near", "state"),
    [(12, 15, "fail"), (-1, -1, "fail"), (5, 12, "warn"), (10, 10, "ok")],
    ids=["older", "all older", "half", "young"],
)
def test_records_that_wait_are_compared_with_the_retention(over: int, near: int, state: str) -> None:
    """The group stands at 10: the first offset of an age that is still kept tells whether that record is older."""
    survey = FakeSurvey(low_high={ZERO: (5, 20)}, offsets={ZERO: 10}, since=[{ZERO: over}, {ZERO: near}])

    assert state == lag_of(survey, kept="3600000").state


def test_group_that_has_read_everything_loses_nothing_to_retention() -> None:
    """Nothing waits, so no age is asked for."""
    survey = FakeSurvey(low_high={ZERO: (5, 20)}, offsets={ZERO: 20})

    assert ("ok", "0 records wait") == (
        (line := lag_of(survey, kept="1")).state,
        line.found,
    )
