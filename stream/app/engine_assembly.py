"""An engine with everything it is made of but its source: a worker's, and a backfill's."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from stream.app.registry_wait import wait_for_registry
from stream.app.reports import batch_spans, reporting_of
from stream.app.suspect_scorer import SuspectScorer
from stream.deadletter import Author
from stream.errors import SettingsError
from stream.resources import build_pipeline, writers_of
from stream.settings import Settings
from stream.store import Package
from stream.telemetry import Metrics, RowCount, StageTimes
from stream.transport import Sink, TransactionalSink
from stream.worker import (
    AtLeastOnce,
    Brake,
    Delivery,
    Engine,
    ExactlyOnce,
    Guarded,
    Outlets,
    Process,
    Progress,
    Publisher,
    Suspects,
    Tally,
    Timing,
    Topics,
    state_folder,
)

if TYPE_CHECKING:
    from stream.tracing import Reporting

__all__ = ["ScoringEngine", "scoring_engine"]


@dataclass(frozen=True, slots=True)
class ScoringEngine:
    """
    The loop, and what of it is looked at from outside.

    Attributes:
        engine: the loop.
        metrics: count what it does.
        tally: what became of the records.
        scorer_of: a package → what the engine asks, when another package is to answer.
        reporting: sends spans and metrics to a collector; None = nothing is sent.
    """

    engine: Engine
    metrics: Metrics
    tally: Tally
    scorer_of: Callable[[Package], Guarded]
    reporting: Reporting | None


def scoring_engine(
    settings: Settings, host: str, service: str, package: Package, sink: Sink | TransactionalSink
) -> ScoringEngine:
    """
    Put an engine together; nothing runs yet, and nothing is connected but the schema registry.

    Args:
        settings: of this process.
        host: the machine's name.
        service: by which a collector knows it.
        package: what answers.
        sink: takes the outputs; a transactional one makes them exactly-once.
    Raises: Refused when a schema, the folder for the note of suspect records or `[telemetry]` can't be used;
        StartupTimeout when the registry does not answer in time, BrokerRefused when it refuses.
    Blocks for the registry.
    """
    writers = writers_of(settings)
    metrics, progress = Metrics(), Progress(time.monotonic)
    reporting = reporting_of(settings, metrics, service, settings.instance(host), worker=True)
    rows, times = RowCount(metrics), StageTimes(metrics)

    def built(chosen: Package) -> Process:
        return build_pipeline(settings, chosen, writers, rows, times)

    pipeline = wait_for_registry(lambda: built(package), settings.kafka.startup_timeout)
    suspects = _suspects(settings, host)

    def guarded(chosen: Process, opened: Package) -> Guarded:
        # The version that answers, whatever becomes current meanwhile; nobody has to be asked for it.
        same = replace(settings, model=replace(settings.model, uri=str(opened.path)))
        return Guarded(chosen, suspects, lambda: SuspectScorer(same, progress.beat), opened.golden_s)

    letters = settings.dead_letters
    tally = Tally(metrics, redact=letters.redact)
    publisher = Publisher(
        sink,
        Topics(settings.output.topic, letters.topic, letters.redact),
        Author.of_worker(settings.kafka.group, settings.instance(host)),
    )
    spans = batch_spans(reporting, settings)
    delivery = _delivery(sink, Outlets(publisher, tally, metrics, progress, time.monotonic, spans))
    timing = Timing(company_s=settings.batching.max_wait)
    engine = Engine(
        guarded(pipeline, package), delivery, Brake(letters), metrics, progress, timing, time.monotonic
    )
    return ScoringEngine(engine, metrics, tally, lambda found: guarded(built(found), found), reporting)


def _delivery(sink: Sink | TransactionalSink, outlets: Outlets) -> Delivery:
    if isinstance(sink, Sink):
        return AtLeastOnce(outlets, sink, Timing())
    return ExactlyOnce(outlets, sink, Timing())


def _suspects(settings: Settings, host: str) -> Suspects:
    """The process's note of suspect records. Raises: SettingsError when its folder can't be had, or isn't its own."""
    folder = state_folder(settings, host)
    try:
        return Suspects(folder)
    except OSError as error:
        raise SettingsError(
            f"[delivery] state: can't keep the worker's note in {folder}: {error.strerror or error}",
            hint="make room there, or name a folder on another disk that the worker may write to: `[delivery] state`, "
            "or STREAM_DELIVERY__STATE",
        ) from error
