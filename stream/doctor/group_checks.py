"""The consumer group: who is in it, and where it stands in what is still there."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping

from stream.deadline import Deadline
from stream.doctor.case import Case
from stream.doctor.diagnosis import Diagnosis, fail, ok, warn, worst
from stream.errors import Retriable, Stopped
from stream.records import Partition
from stream.settings import Settings
from stream.transport import WORKER_CLIENT, GroupView, Member

__all__ = ["group", "lag"]

ANSWER_S = 4.0

GHOST_S = 6.5
"""A worker that was killed stays in the group until `session.timeout.ms`, 6 s, is over."""

AGAIN_S = 1.0

LEAVES_S = 1.0
"""Left for what else is to be looked at."""

NEAR = 0.5
"""A record that waits has used up so much of its retention: time to look into it."""

ASSIGNOR = "cooperative-sticky"


def group(case: Case) -> Diagnosis:
    """Are its members workers of this configuration, each once?"""
    name = case.settings.kafka.group
    about = name
    try:
        view = case.cluster.group(name, Deadline.after(case.deadline.left_s(ANSWER_S)))
    except (Retriable, Stopped) as error:
        return warn(
            about, f"its members can't be seen: {error.message}", "look at it with kafka-consumer-groups.sh"
        )
    until = Deadline.after(min(GHOST_S, max(0.0, case.deadline.left_s() - LEAVES_S)))
    while _twins(view, case.settings) and not until.over:
        time.sleep(AGAIN_S)
        view = case.cluster.group(name, until)
    found = [
        *_foreign(view, case.settings),
        *_other_assignor(view, case.settings),
        *_same(view, case.settings),
    ]
    return worst(about, found or [_sound(view, about)])


def _sound(view: GroupView, about: str) -> Diagnosis:
    if not view.members:
        return ok(about, "no member at the moment")
    listed = ", ".join(f"{each} ({each.partitions} partitions)" for each in view.members)
    return ok(about, f"members: {len(view.members)}, {view.state.lower().replace('_', ' ')}: {listed}")


def _chosen(settings: Settings) -> str | None:
    """The `client.id` that the configuration gives its consumers, where it does."""
    kafka = settings.kafka
    found = {**kafka.properties, **kafka.consumer}.get("client.id")
    return None if found is None else str(found)


def _is_ours(member: Member, settings: Settings) -> bool:
    topics = set(member.topics) <= {settings.input.topic}
    return topics and (member.client == _chosen(settings) or member.client.startswith(WORKER_CLIENT))


def _foreign(view: GroupView, settings: Settings) -> Iterator[Diagnosis]:
    strange = [each for each in view.members if not _is_ours(each, settings)]
    if strange:
        listed = ", ".join(f"{each} ({', '.join(each.topics) or 'no topic yet'})" for each in strange)
        yield fail(
            "group",
            f"members that are no worker of this configuration: {listed}; what they read is not scored",
            "stop that application, or give it or the workers a group of their own: `[kafka] group`",
        )


def _other_assignor(view: GroupView, settings: Settings) -> Iterator[Diagnosis]:
    kafka = settings.kafka
    chosen = {**kafka.properties, **kafka.consumer}
    wanted = str(chosen.get("partition.assignment.strategy", ASSIGNOR)).split(",")
    if not view.members or view.kind == "CONSUMER" or chosen.get("group.protocol") == "consumer":
        return
    if view.assignor and view.assignor not in wanted:
        yield fail(
            "group",
            f"its assignor is {view.assignor}, a worker's is {', '.join(wanted)}: a worker can't join",
            "stop the members that use it, or give the workers a group of their own: `[kafka] group`",
        )


def _twins(view: GroupView, settings: Settings) -> list[str]:
    """Names that several workers of the group have. A `client.id` that was configured names no worker."""
    known = Counter(each.client for each in view.members if _is_ours(each, settings))
    return [client for client, count in known.items() if count > 1 and client != _chosen(settings)]


def _same(view: GroupView, settings: Settings) -> Iterator[Diagnosis]:
    for client in _twins(view, settings):
        name = client.removeprefix(WORKER_CLIENT)
        hosts = ", ".join(each.host for each in view.members if each.client == client)
        yield fail(
            "group",
            f"several workers are the instance {name}, at {hosts}: under exactly-once each ends the other's "
            "transactions",
            "give every worker its own `[delivery] instance` (STREAM_DELIVERY__INSTANCE), such as its pod's name",
        )


def lag(case: Case) -> Diagnosis:
    """Is what the group has not read yet still there, and will it be when it is read?"""
    settings, cluster = case.settings, case.cluster
    topic, about = settings.input.topic, f"{settings.kafka.group} on {settings.input.topic}"
    ends, committed = cluster.ends(topic), cluster.committed(settings.kafka.group, topic)
    waiting = {p: max(0, high - max(low, committed.get(p, low))) for p, (low, high) in ends.items()}
    found = [*_gone(settings, ends, committed)]
    kept_ms = int(case.topics.get(topic, {}).get("retention.ms", "-1"))
    if kept_ms >= 0 and not found:
        late = {p for p, count in waiting.items() if count}
        found += _expiring(case, late, {p: committed.get(p, ends[p][0]) for p in late}, kept_ms)
    total = sum(waiting.values())
    start = "" if committed else "; the group has no offsets and starts at the earliest record"
    return worst(about, found or [ok(about, f"{total} records wait{start}")])


def _gone(
    settings: Settings, ends: Mapping[Partition, tuple[int, int]], committed: Mapping[Partition, int]
) -> Iterator[Diagnosis]:
    beyond = [p.index for p, offset in committed.items() if p in ends and offset > ends[p][1]]
    before = [p.index for p, offset in committed.items() if p in ends and offset < ends[p][0]]
    chosen = settings.input.on_out_of_range
    state = fail if chosen == "stop" else warn
    step = (
        "decide what to do about the gap, then start once with STREAM_INPUT__ON_OUT_OF_RANGE=earliest or =latest"
        if chosen == "stop"
        else f"nothing, if that is meant: [input] on_out_of_range is {chosen}"
    )
    if before:
        yield state("lag", f"partitions {before}: the next records to read were deleted (retention)", step)
    if beyond:
        yield state(
            "lag", f"partitions {beyond}: the group's offset is beyond the end; the topic was made anew", step
        )


def _expiring(
    case: Case, late: set[Partition], position: Mapping[Partition, int], kept_ms: int
) -> Iterator[Diagnosis]:
    """The age of the oldest record that waits ↔ how long the topic keeps records."""
    now, topic = int(time.time() * 1_000), case.settings.input.topic
    over = case.cluster.first_since(topic, now - kept_ms) if late else {}
    near = case.cluster.first_since(topic, now - int(kept_ms * NEAR)) if late else {}

    def older(since: Mapping[Partition, int]) -> list[int]:
        return sorted(p.index for p in late if since.get(p, -1) < 0 or since[p] > position[p])

    step = "raise its retention.ms until the group has caught up, and start more workers"
    hours = f"{kept_ms / 3_600_000:.3g} hours (retention.ms)"
    if gone := older(over):
        yield fail(
            "lag", f"partitions {gone}: records that wait are older than the {hours} that {topic} keeps", step
        )
    elif soon := older(near):
        yield warn("lag", f"partitions {soon}: records that wait are older than half of the {hours}", step)
