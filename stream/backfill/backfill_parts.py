"""The composition: a plan → an engine that scores its range."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stream.app import SuspectScorer, batch_spans, reporting_of, wait_for_registry
from stream.backfill.plan import Plan
from stream.backfill.range_source import Pacer, RangeSource
from stream.deadletter import Author
from stream.resources import build_pipeline, writers_of
from stream.settings import Settings
from stream.store import Package
from stream.telemetry import Metrics
from stream.transport import Source, TransactionalSink
from stream.worker import (
    Brake,
    Engine,
    ExactlyOnce,
    Guarded,
    Outlets,
    Progress,
    Publisher,
    Suspects,
    Tally,
    Timing,
    Topics,
)

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
    metrics, progress = Metrics(), Progress(time.monotonic)
    service = settings.kafka.group.rpartition(".")[0]  # without its id: one service for all backfills
    reporting = reporting_of(settings, metrics, service, settings.instance(host), worker=True)
    writers = writers_of(settings)
    pipeline = wait_for_registry(
        lambda: build_pipeline(settings, package, writers), settings.kafka.startup_timeout
    )
    assert settings.delivery.state is not None
    suspects = Suspects(settings.path(settings.delivery.state))
    letters = settings.dead_letters
    sink = TransactionalSink(settings.kafka, settings.transactional_id(host))
    publisher = Publisher(
        sink,
        Topics(settings.output.topic, letters.topic, letters.redact),
        Author.of_worker(settings.kafka.group, settings.instance(host)),
    )
    tally = Tally(metrics, redact=letters.redact)
    engine = Engine(
        Guarded(pipeline, suspects, lambda: SuspectScorer(settings, progress.beat), package.golden_s),
        ExactlyOnce(
            Outlets(publisher, tally, metrics, progress, time.monotonic, batch_spans(reporting, settings)),
            sink,
            Timing(),
        ),
        Brake(letters),
        metrics,
        progress,
        Timing(),
        time.monotonic,
    )
    source = RangeSource(
        lambda listener: Source(settings.kafka, settings.input, settings.batching, listener),
        engine,
        settings.input.topic,
        plan.extents,
        Pacer(rate, time.monotonic),
    )
    return Parts(engine, source, sink, metrics, reporting)
