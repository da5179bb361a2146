"""The composition: settings → every part of a worker, built once."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from stream.app.registry_wait import wait_for_registry
from stream.app.reload import Reloader
from stream.app.reports import batch_spans, reporting_of
from stream.app.suspect_scorer import SuspectScorer
from stream.deadletter import Author
from stream.errors import SettingsError
from stream.first_opening import FirstOpening
from stream.resources import build_pipeline, open_configured, writers_of
from stream.rights import rights_of
from stream.settings import KafkaSettings, Settings
from stream.store import Package
from stream.telemetry import Metrics, RowCount, StageTimes
from stream.transport import WORKER_CLIENT, Cluster, Sink, Source, TransactionalSink
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

__all__ = ["Parts", "assemble"]


@dataclass(frozen=True, slots=True)
class Parts:
    """
    Everything a worker is made of.

    Attributes:
        settings: what it was built from.
        engine: the loop.
        source: the input.
        sink: the outputs.
        cluster: asked whether the broker and the topics are there.
        metrics: the worker's.
        tally: what became of the records.
        reloader: looks for a new version of the model.
        reporting: sends spans and metrics to a collector; None = nothing is sent.
    """

    settings: Settings
    engine: Engine
    source: Source
    sink: Sink | TransactionalSink
    cluster: Cluster
    metrics: Metrics
    tally: Tally
    reloader: Reloader
    reporting: Reporting | None = None

    @property
    def package(self) -> Package:
        """The model that answers, or does from the next batch on."""
        return self.reloader.package

    @property
    def instance(self) -> str:
        """This worker's stable name."""
        return self.settings.instance(socket.gethostname())


def assemble(settings: Settings, opening: FirstOpening | None = None) -> Parts:
    """
    Build a worker; nothing runs yet, and nothing is connected but the schema registry.

    Args:
        settings: the configuration.
        opening: lets a child process open each version of the model first, and may have started one; None = a new one.
    Raises: Refused when a setting, a schema or the model package can't be used; StartupTimeout when the
        registry does not answer in time, BrokerRefused when it refuses.
    Blocks while the package is opened, and for the registry.
    """
    opening = opening or FirstOpening()
    package = open_configured(settings, opening=opening)
    writers = writers_of(settings)
    metrics, progress = Metrics(), Progress(time.monotonic)
    name = settings.instance(socket.gethostname())
    reporting = reporting_of(settings, metrics, settings.kafka.group, name, worker=True)
    rows, times = RowCount(metrics), StageTimes(metrics)

    def built(chosen: Package) -> Process:
        return build_pipeline(settings, chosen, writers, rows, times)

    pipeline = wait_for_registry(lambda: built(package), settings.kafka.startup_timeout)
    suspects = _suspects(settings)

    def guarded(chosen: Process, opened: Package) -> Guarded:
        apart = lambda: SuspectScorer(settings, progress.beat)  # noqa: E731
        return Guarded(chosen, suspects, apart, opened.golden_s)

    tally = Tally(metrics, redact=settings.dead_letters.redact)
    sink, delivery = _delivery(settings, tally, metrics, progress, reporting)
    engine = Engine(
        guarded(pipeline, package),
        delivery,
        Brake(settings.dead_letters),
        metrics,
        progress,
        Timing(),
        time.monotonic,
    )
    source = Source(_member(settings), settings.input, settings.batching, engine)
    reloader = Reloader.of(
        settings,
        package,
        lambda found: engine.swap(guarded(built(found), found)),
        metrics,
        opening,
    )
    cluster = Cluster(settings.kafka, rights_of("worker", settings))
    return Parts(settings, engine, source, sink, cluster, metrics, tally, reloader, reporting)


def _suspects(settings: Settings) -> Suspects:
    """This worker's note of suspect records. Raises: SettingsError when its folder can't be had, or isn't its own."""
    folder = state_folder(settings, socket.gethostname())
    try:
        return Suspects(folder)
    except OSError as error:
        raise SettingsError(
            f"[delivery] state: can't keep the worker's note in {folder}: {error.strerror or error}",
            hint="make room there, or name a folder on another disk that the worker may write to: `[delivery] state`, "
            "or STREAM_DELIVERY__STATE",
        ) from error


def _member(settings: Settings) -> KafkaSettings:
    """The cluster as the consumer joins it: by this worker's name, which makes a static membership, too."""
    kafka, name = settings.kafka, settings.instance(socket.gethostname())
    own = {"client.id": WORKER_CLIENT + name} if "client.id" not in kafka.properties else {}
    static = {"group.instance.id": name} if settings.delivery.static_membership else {}
    return replace(kafka, consumer={**own, **kafka.consumer, **static})


def _delivery(
    settings: Settings,
    tally: Tally,
    metrics: Metrics,
    progress: Progress,
    reporting: Reporting | None,
) -> tuple[Sink | TransactionalSink, Delivery]:
    """The producer side, as the guarantee wants it."""
    letters = settings.dead_letters
    topics = Topics(settings.output.topic, letters.topic, letters.redact)
    author = Author.of_worker(settings.kafka.group, settings.instance(socket.gethostname()))
    sink: Sink | TransactionalSink
    if settings.delivery.guarantee == "at-least-once":
        sink = Sink(settings.kafka, repeat=True)
    else:
        sink = TransactionalSink(settings.kafka, settings.transactional_id(socket.gethostname()))
    spans = batch_spans(reporting, settings)
    outlets = Outlets(Publisher(sink, topics, author), tally, metrics, progress, time.monotonic, spans)
    if isinstance(sink, Sink):
        return sink, AtLeastOnce(outlets, sink, Timing())
    return sink, ExactlyOnce(outlets, sink, Timing())
