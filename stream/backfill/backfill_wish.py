"""What a backfill is asked to do, checked as far as it can be without a broker, and a configuration made of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from stream.backfill.bounds import Bound
from stream.errors import SettingsError
from stream.settings import DeliverySettings, Settings
from stream.store import Package

__all__ = ["BackfillWish", "aimed", "member"]

_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
"""Source: Apache Kafka, org.apache.kafka.common.internals.Topic."""

_INTERNAL = {"__consumer_offsets", "__transaction_state", "__share_group_state", "__cluster_metadata"}
"""Source: Apache Kafka, org.apache.kafka.common.internals.Topic."""

BATCHES_PER_SECOND = 10
"""Where a rate is asked for: what is scored comes evenly."""


@dataclass(frozen=True, slots=True)
class BackfillWish:
    """
    What is asked for.

    Attributes:
        start: the first record.
        end: the one after the last.
        output: topic of the predictions; None = the output topic's name and `.backfill`.
        rate: records a second, of this process; None = no limit.
        named_version: whether the model was named by its version, and not by a package whose current one may change.
    """

    start: Bound
    end: Bound
    output: str | None = None
    rate: float | None = None
    named_version: bool = False


def aimed(settings: Settings, wish: BackfillWish) -> Settings:
    """
    The configuration with a backfill's own topics.

    Args:
        settings: the configuration.
        wish: what is asked for.
    Raises: SettingsError when predictions would go where something else is kept.
    """
    chosen = settings.output.backfill if wish.output is None else wish.output
    others = {
        settings.input.topic: "the input topic: predictions would be scored again",
        settings.input.backfills: "where the ranges of backfills are kept",
        settings.dead_letters.topic: "the dead-letter topic",
        settings.dead_letters.marks: "where marks of replays are kept",
        settings.dead_letters.backfill: "where the dead letters of backfills go",
    }
    if chosen in others:
        raise SettingsError(
            f"--output {chosen}: is {others[chosen]}",
            hint=f"leave --output out for {settings.output.backfill}, or name another topic",
        )
    if chosen in _INTERNAL:
        raise SettingsError(
            f"--output {chosen}: is a topic of Kafka's own, and takes no records",
            hint=f"leave --output out for {settings.output.backfill}, or name another topic",
        )
    if not _TOPIC.fullmatch(chosen) or chosen in (".", ".."):
        raise SettingsError(
            f"--output {chosen!r}: no topic can be called so",
            hint="letters, digits, `.`, `_` and `-`, at most 249",
        )
    registry = settings.schema_registry
    if chosen != settings.output.topic:
        # Its topic is made by the command, as `stream topics --create` makes the others; so is its subject.
        registry = replace(registry, register=True)
    return replace(
        settings,
        schema_registry=registry,
        output=replace(settings.output, topic=chosen),
        dead_letters=replace(settings.dead_letters, topic=settings.dead_letters.backfill),
    )


def member(target: Settings, group: str, package: Package, rate: float | None) -> Settings:
    """
    The configuration that one process of a backfill works by.

    Args:
        target: as `aimed` made it.
        group: the backfill's own.
        package: the version that answers, whatever becomes current meanwhile.
        rate: records a second; None = no limit.
    """
    batching = target.batching
    if rate is not None:
        records = max(1, min(batching.max_records, int(rate / BATCHES_PER_SECOND)))
        batching = replace(batching, max_records=records)
    # Later records are never skipped to: they are not of the range.
    on_gone = "stop" if target.input.on_out_of_range == "latest" else target.input.on_out_of_range
    return replace(
        target,
        kafka=replace(target.kafka, group=group),
        model=replace(target.model, uri=str(package.path.absolute()), reload=None),
        input=replace(target.input, on_out_of_range=on_gone),
        delivery=DeliverySettings(instance=target.delivery.instance, state=target.delivery.state),
        batching=batching,
    )
