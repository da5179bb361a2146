"""
The topic of plans, read; and a plan made on it, by one process of a backfill only.

A plan and the group's first offsets are one transaction of the backfill's own planner, `{group}.backfill.{id}.plan`.
Taking that id ends what another process may have begun, and whoever is ended reads again: so each backfill has one
plan, and a group that has no offset for a partition has lost it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

from stream.backfill.plan import Plan, PlanBook, Purpose, finished_key, finished_value
from stream.deadline import Deadline
from stream.errors import Aborted, OutcomeUnknown, Retriable, StartupTimeout, Stopped
from stream.records import Outgoing, Partition
from stream.settings import KafkaSettings, Settings
from stream.transport import Sink, TransactionalSink, WantedTopic, group_without_members, read_whole

__all__ = ["PlanTopic", "plan_topic"]

LEADER_S = 15.0
"""For a topic that was just made to have a leader."""

NOTE_S = 30.0
"""For the note that a backfill is finished."""

PAUSE_S = 0.5
"""At most, before another try where processes began together."""


def plan_topic(settings: Settings) -> WantedTopic:
    """The topic as a backfill makes it: nothing of it is ever deleted."""
    forever = {"retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete"}
    return WantedTopic(settings.input.backfills, "plans of backfills", 1, settings.input.replication, forever)


class PlanTopic:
    """Reads and writes the topic."""

    def __init__(self, settings: Settings, *, fresh: bool = False) -> None:
        """
        Args:
            settings: the configuration.
            fresh: the topic was just made: it may have no leader for a moment.
        """
        self._settings = settings
        self._patience_s = LEADER_S if fresh else 0.0

    def read(self) -> PlanBook:
        """
        What the topic says.

        Raises: Stopped when it does not say all that was ever written to it.
        """
        deadline = Deadline.after(self._patience_s)
        while True:
            try:
                return self._read()
            except Stopped:
                if deadline.over:
                    raise
                time.sleep(0.1)

    def _read(self) -> PlanBook:
        book = PlanBook()
        batches = read_whole(
            self._settings.kafka,
            self._settings.input.backfills,
            "plans",
            "what was backfilled is not known",
            "records may be scored twice then",
        )
        for batch in batches:
            book.add(batch)
        if lost := book.without_plan:
            topic = self._settings.input.backfills
            raise Stopped(
                f"{topic} has the end of the backfill {lost[0]}, and not its plan: it was deleted, so what was"
                " backfilled is not known",
                hint=f"give it cleanup.policy=delete; to begin anew, delete {topic}: records may be scored twice then",
            )
        return book

    def agree(self, purpose: Purpose, make: Callable[[], Plan]) -> Plan:
        """
        The one plan of a backfill: as it is on the topic, else made and written.

        Args:
            purpose: which backfill.
            make: decides the range.
        Raises: StartupTimeout when it can't be written in the time there is; what `read` and `make` raise.
        """
        if found := self.read().plans.get(purpose.id):
            return found
        kafka = _with_group(self._settings, purpose.id)
        with closing(TransactionalSink(kafka, f"{kafka.group}.plan")) as channel:
            return self._written(channel, kafka, purpose, make)

    def _written(
        self, channel: TransactionalSink, kafka: KafkaSettings, purpose: Purpose, make: Callable[[], Plan]
    ) -> Plan:
        deadline, again = Deadline.after(kafka.startup_timeout), False
        while True:
            try:
                if again:
                    channel.renew()
                    time.sleep(random.uniform(0, PAUSE_S))
                channel.start(Deadline.after(channel.timeout_s))
                # Only now nothing of another process can still come.
                if found := self.read().plans.get(purpose.id):
                    return found
                self._write(channel, kafka, plan := make())
            except (Aborted, Retriable, OutcomeUnknown) as error:
                if deadline.over:
                    raise StartupTimeout(
                        f"the backfill's plan could not be written: {error.message}",
                        hint="start the broker, or see whether it has transactions",
                    ) from error
                again = True
            else:
                return plan

    def _write(self, channel: TransactionalSink, kafka: KafkaSettings, plan: Plan) -> None:
        deadline, topic = Deadline.after(channel.timeout_s), self._settings.input
        channel.begin()
        channel.send(Outgoing.one(topic.backfills, plan.id.encode(), plan.value(), 0, None))
        if refused := channel.flush(deadline):
            raise Stopped(
                f"{topic.backfills} refuses the plan: {refused[0].message}",
                hint=f"raise max.message.bytes of {topic.backfills}",
            )
        starts = {Partition(topic.topic, index): extent.start for index, extent in plan.extents.items()}
        channel.add_offsets(starts, group_without_members(kafka), deadline)
        channel.commit(deadline)

    def finish(self, plan: Plan) -> None:
        """
        Note that a backfill is finished, unless that is noted.

        Raises: Stopped when it can't be written.
        """
        if plan.id in self.read().finished:
            return
        topic = self._settings.input.backfills
        # Outside of a transaction: where two processes note it at the same time, it is there twice, and true.
        with closing(Sink(self._settings.kafka)) as sink:
            value = finished_value(plan.id, int(time.time() * 1_000))
            sink.send(Outgoing.one(topic, finished_key(plan.id), value, 0, None))
            if refused := sink.flush(Deadline.after(NOTE_S)):
                raise Stopped(
                    f"all is committed, but {topic} refuses the note of it: {refused[0].message}",
                    hint=f"raise max.message.bytes of {topic}, and run the command again",
                )


def _with_group(settings: Settings, plan_id: str) -> KafkaSettings:
    return replace(settings.kafka, group=f"{settings.backfill_prefix}{plan_id}")
