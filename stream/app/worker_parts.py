"""The composition: settings → every part of a worker, built once."""

from __future__ import annotations

import socket
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from stream.app.engine_assembly import scoring_engine
from stream.app.registry_wait import wait_for_registry
from stream.app.reload import Reloader
from stream.first_opening import FirstOpening
from stream.resources import open_configured, package_folder
from stream.rights import rights_of
from stream.settings import KafkaSettings, Settings
from stream.store import Package
from stream.telemetry import Metrics
from stream.transport import WORKER_CLIENT, Cluster, Sink, Source, TransactionalSink
from stream.worker import Engine, Tally

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
    Build a worker; nothing runs yet, and nothing is connected but the registries of schemas and of models.

    Args:
        settings: the configuration.
        opening: lets a child process open each version of the model first, and may have started one; None = a new one.
    Raises: Refused when a setting, a schema or the model package can't be used; StartupTimeout when the
        registry does not answer in time, BrokerRefused when it refuses.
    Blocks while the package is opened, and for the registry.
    """
    opening = opening or FirstOpening()
    folder = wait_for_registry(lambda: package_folder(settings), settings.kafka.startup_timeout)
    package = open_configured(settings, str(folder), opening=opening)
    host, sink = socket.gethostname(), _sink(settings)
    scoring = scoring_engine(settings, host, settings.kafka.group, package, sink)
    engine, metrics = scoring.engine, scoring.metrics
    source = Source(_member(settings), settings.input, settings.batching, engine)
    reloader = Reloader.of(
        settings, package, lambda found: engine.swap(scoring.scorer_of(found)), metrics, opening
    )
    cluster = Cluster(settings.kafka, rights_of("worker", settings))
    return Parts(settings, engine, source, sink, cluster, metrics, scoring.tally, reloader, scoring.reporting)


def _sink(settings: Settings) -> Sink | TransactionalSink:
    """The producer, as the guarantee wants it."""
    if settings.delivery.guarantee == "at-least-once":
        return Sink(settings.kafka, repeat=True)
    return TransactionalSink(settings.kafka, settings.transactional_id(socket.gethostname()))


def _member(settings: Settings) -> KafkaSettings:
    """The cluster as the consumer joins it: by this worker's name, which makes a static membership, too."""
    kafka, name = settings.kafka, settings.instance(socket.gethostname())
    own = {"client.id": WORKER_CLIENT + name} if "client.id" not in kafka.properties else {}
    static = {"group.instance.id": name} if settings.delivery.static_membership else {}
    return replace(kafka, consumer={**own, **kafka.consumer, **static})
