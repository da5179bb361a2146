"""The topics: there, whole, and with settings that keep what a worker promises."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Literal, TypeAlias

from stream.doctor.case import Case
from stream.doctor.diagnosis import Diagnosis, fail, ok, warn, worst
from stream.doctor.right_checks import grants
from stream.errors import Retriable, Stopped
from stream.rights import Right
from stream.settings import Settings
from stream.tasks import DEAD_LETTER_ROOM
from stream.transport import TopicLayout

__all__ = ["Role", "copartitioned", "sizes", "topic"]

Role: TypeAlias = Literal["input", "output", "dead letters"]

WEEKEND_MS = 3 * 86_400_000
"""Dead letters must outlive the days on which nobody looks at them."""

USUAL_BYTES = 1_048_588
"""Kafka's own `max.message.bytes`."""


def name_of(role: Role, settings: Settings) -> str:
    """The topic's name."""
    return dict(zip(("input", "output", "dead letters"), settings.topics, strict=True))[role]


def topic(role: Role) -> Callable[[Case], Diagnosis]:
    """
    The check of one topic.

    Args:
        role: which.
    """

    def look(case: Case) -> Diagnosis:
        name = name_of(role, case.settings)
        about = name
        layout = case.cluster.layout(name)
        if layout is None:
            return fail(about, "the topic is not there", "create it with `stream topics --create`")
        try:
            settings = case.cluster.settings_of(name)
        except (Retriable, Stopped) as error:
            step = "start the brokers that the line `brokers` names; else look for a controller in their logs"
            found = [
                *_whole(layout, role, 1),
                warn(about, f"its settings were not had: {error.message}", step),
            ]
            return worst(about, found)
        if settings is None:
            step = grants(case, Right("DescribeConfigs", "topic", name))
            words = "this user may not see its settings, so they were not looked at"
            return worst(about, [*_whole(layout, role, 1), warn(about, words, f"for that: {step}")])
        case.topics[name] = settings
        found = [*_whole(layout, role, int(settings.get("min.insync.replicas", "1")))]
        found += [*_policy(settings, role, name), *_times(settings, role)]
        replicas = f"{min(layout.replicas)} replicas" if min(layout.replicas) != 1 else "1 replica"
        return worst(about, found or [ok(about, f"{len(layout)} partitions, {replicas}")])

    return look


def altered(name: str, setting: str) -> str:
    """The command of Kafka's own that changes a topic's setting."""
    return f"kafka-configs.sh --alter --entity-type topics --entity-name {name} --add-config {setting}"


def _whole(layout: TopicLayout, role: Role, least: int) -> Iterator[Diagnosis]:
    """Are there enough replicas for `acks=all`, and does each partition have a leader?"""
    headless = [index for index, led in enumerate(layout.led) if not led]
    few = [index for index, count in enumerate(layout.in_sync) if count < least and index not in headless]
    behind = [i for i, count in enumerate(layout.in_sync) if count < layout.replicas[i]]
    if headless:
        yield fail(
            role, f"partitions {headless} have no leader", "start the brokers that hold their replicas"
        )
    if few:
        state = warn if role == "input" else fail
        most = min(layout.replicas[index] for index in few)
        step = (
            f"lower its min.insync.replicas, or give it {least} replicas or more (kafka-reassign-partitions.sh)"
            if most < least
            else "start the brokers whose replicas are missing"
        )
        yield state(
            role,
            f"partitions {few} have fewer replicas in sync than min.insync.replicas = {least}: nothing can be "
            "written to them",
            step,
        )
    elif behind and not headless:
        yield warn(
            role, f"partitions {behind} lack replicas in sync", "look whether a broker is down or too slow"
        )


def _policy(settings: Mapping[str, str], role: Role, name: str) -> Iterator[Diagnosis]:
    policy = settings.get("cleanup.policy", "delete")
    if "compact" not in policy:
        return
    undo = altered(name, "cleanup.policy=delete")
    why: dict[Role, tuple[Callable[[str, str, str], Diagnosis], str]] = {
        "input": (warn, "records that were not read yet are removed when a newer one has their key"),
        "output": (warn, "only the last prediction of each key stays, and one without a key is refused"),
        "dead letters": (
            fail,
            "letters are removed when a newer one has their key, and one without a key is refused, which stops the "
            "worker",
        ),
    }
    state, words = why[role]
    yield state(role, f"cleanup.policy is {policy}: {words}", undo)


def _times(settings: Mapping[str, str], role: Role) -> Iterator[Diagnosis]:
    kept_ms = int(settings.get("retention.ms", "-1"))
    if role == "dead letters" and 0 <= kept_ms < WEEKEND_MS:
        yield warn(
            role,
            f"retention.ms is {kept_ms}: letters are gone after {kept_ms / 3_600_000:.3g} hours",
            "raise its retention.ms to longer than your weekends",
        )
    if settings.get("unclean.leader.election.enable") == "true":
        yield warn(
            role,
            "unclean.leader.election.enable is true: records that were acknowledged can be lost",
            "set its unclean.leader.election.enable to false",
        )
    if role != "input" and settings.get("message.timestamp.type") == "LogAppendTime":
        yield warn(
            role,
            "message.timestamp.type is LogAppendTime: the time of the input record is not kept",
            "set its message.timestamp.type to CreateTime",
        )


def copartitioned(case: Case) -> Diagnosis:
    """Does a key's prediction go to the partition of the same number?"""
    names = name_of("input", case.settings), name_of("output", case.settings)
    into, out = (len(layout) if (layout := case.cluster.layout(name)) else 0 for name in names)
    about = f"{names[0]} and {names[1]}"
    if into != out:
        return warn(
            about,
            f"{into} and {out} partitions: they are not co-partitioned, so a key's prediction is in another "
            "partition than its event; whoever joins both topics by partition misses it",
            f"give {names[0] if into < out else names[1]} {max(into, out)} partitions (kafka-topics.sh --alter; keys "
            "move), before anybody joins them",
        )
    return ok(about, f"{into} partitions each")


def sizes(case: Case) -> Diagnosis:
    """Does the dead-letter topic take every record that the input takes, with its headers?"""
    into, dead = name_of("input", case.settings), name_of("dead letters", case.settings)
    about = dead
    if into not in case.topics or dead not in case.topics:
        unseen = [name for name in (into, dead) if name not in case.topics]
        step = "do what the lines `topic input` and `topic dead letters` say"
        return warn(about, f"the settings of {' and '.join(unseen)} were not seen", step)
    largest = int(case.topics[into].get("max.message.bytes", USUAL_BYTES))
    takes = int(case.topics[dead].get("max.message.bytes", USUAL_BYTES))
    if takes < largest + DEAD_LETTER_ROOM:
        return warn(
            about,
            f"max.message.bytes is {takes}, but {into} takes records of {largest} bytes: one that fails and is as "
            "large as that stops the worker (DeadLetterRefused)",
            altered(dead, f"max.message.bytes={largest + DEAD_LETTER_ROOM}"),
        )
    return ok(about, f"max.message.bytes is {takes}: enough for the largest record of {into} and its headers")
