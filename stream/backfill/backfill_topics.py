"""The topics that a backfill writes to: made where they are not there, and looked at where they are."""

from __future__ import annotations

from dataclasses import replace

from stream.backfill.plan_topic import plan_topic
from stream.rights import Right, rights_of
from stream.settings import Settings
from stream.tasks import wanted_topics
from stream.transport import Cluster, WantedTopic

__all__ = ["backfill_rights", "wanted_by"]


def backfill_rights(settings: Settings, target: Settings, *, dry: bool) -> list[Right]:
    """
    What the broker must allow.

    Args:
        settings: the configuration.
        target: with the topics of this backfill.
        dry: nothing is written.
    """
    rights = rights_of("backfill --dry-run" if dry else "backfill", settings)
    usual = settings.output.backfill
    return [replace(right, name=target.output.topic) if right.name == usual else right for right in rights]


def wanted_by(settings: Settings, target: Settings, cluster: Cluster) -> list[WantedTopic]:
    """
    The topics of a backfill: of its plans, its predictions and its dead letters.

    Predictions and dead letters keep the time of their records, which may be years ago: a topic that deletes what is
    old would delete them at once, so theirs keep everything.

    Args:
        settings: the configuration.
        target: with the topics of this backfill.
        cluster: where they are.
    """
    there = cluster.partitions()
    live = {"output": settings.output.topic, "dead letters": settings.dead_letters.topic}
    made = wanted_topics(target, cluster.max_message_bytes(settings.input.topic))
    return [
        plan_topic(settings),
        *(
            replace(
                topic,
                # As many as the live one, so that what is joined with it by key can be joined with this one.
                partitions=there.get(live[topic.role], there[settings.input.topic]),
                config={**topic.config, "retention.ms": "-1"},
            )
            for topic in made
            if topic.role in live
        ),
    ]
