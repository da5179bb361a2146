"""The composition: a plan → an engine that scores its range."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stream.app import scoring_engine
from stream.backfill.plan import Plan
from stream.backfill.range_source import Pacer, RangeSource
from stream.settings import Settings
from stream.store import Package
from stream.telemetry import Metrics
from stream.transport import Source, TransactionalSink
from stream.worker import Engine

if TYPE_CHECKING:
    from stream.tracing import Reporting

__all__ = ["Parts", "assembled"]


@dataclass(frozen=True, slots=True)
class Parts:
    """
    What scores a range.

    Attributes:
        engine: the loop.
        source: the range.
        sink: the outputs.
        metrics: counts what is committed.
        reporting: sends spans and metrics to a collector; None = nothing is sent.
    """

    engine: Engine
    source: RangeSource
    sink: TransactionalSink
    metrics: Metrics
    reporting: Reporting | None


def assembled(settings: Settings, host: str, package: Package, plan: Plan, rate: float | None) -> Parts:
    """
    Put an engine together; nothing runs yet.

    Args:
        settings: of this process, under a name of its own.
        host: the machine's name.
        package: what answers.
        plan: the range.
        rate: records a second; None = no limit.
    Raises: Refused when a schema, the folder of the process or `[telemetry]` can't be used; StartupTimeout when the
        registry does not answer in time, BrokerRefused when it refuses.
    """
    service = settings.kafka.group.rpartition(".")[0]  # without its id: one service for all backfills
    sink = TransactionalSink(settings.kafka, settings.transactional_id(host))
    scoring = scoring_engine(settings, host, service, package, sink)
    source = RangeSource(
        lambda listener: Source(settings.kafka, settings.input, settings.batching, listener),
        scoring.engine,
        settings.input.topic,
        plan.extents,
        Pacer(rate, time.monotonic),
    )
    return Parts(scoring.engine, source, sink, scoring.metrics, scoring.reporting)
