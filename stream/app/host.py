"""The Faust app that hosts the engine, and the process that runs it. This room alone imports Faust."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterable
from typing import Any, NoReturn

import faust
from faust.app.base import BootStrategy
from mode.types import ServiceT

from stream.app.address import claim_address
from stream.app.live_look import Look
from stream.app.live_worker import WorkerLive
from stream.app.logs import logging_config
from stream.app.version_bell import VersionBell
from stream.app.web import Web, serve_views
from stream.app.worker_parts import assemble
from stream.app.worker_service import EngineService
from stream.app.worker_status import Status
from stream.errors import Stopped
from stream.first_opening import FirstOpening
from stream.live import Truth
from stream.settings import Settings
from stream.worker import state_folder

__all__ = ["build_app", "run_worker"]


class Boot(BootStrategy):
    """Faust's own Kafka clients run only when the user's module gave the app topics to read."""

    @property
    def wanted(self) -> bool:
        """Whether anything reads a topic through Faust."""
        # Only agents, tables and streams of topics subscribe; an app without any has nothing to read, and
        # Faust's conductor refuses to start without a topic.
        return any(isinstance(agent.channel, faust.TopicT) for agent in self.app.agents.values())

    def kafka_producer(self) -> Iterable[ServiceT]:
        """Faust's producer, when the user's module needs it."""
        return super().kafka_producer() if self.wanted else []

    def kafka_consumer(self) -> Iterable[ServiceT]:
        """Faust's consumer, when the user's module needs it."""
        return super().kafka_consumer() if self.wanted else []

    def kafka_conductor(self) -> Iterable[ServiceT]:
        """Faust's conductor, when the user's module needs it."""
        return super().kafka_conductor() if self.wanted else []

    def tables(self) -> Iterable[ServiceT]:
        """Faust's table manager, when the user's module needs it."""
        return super().tables() if self.wanted else []


def build_app(
    settings: Settings, opening: FirstOpening | None = None, truth: Truth | None = None
) -> faust.App:
    """
    A Faust app around a worker; nothing is connected yet but the schema registry.

    Args:
        settings: the configuration.
        opening: as `assemble` takes it.
        truth: tells the live page what turned out, where somebody knows; called while it is looked at only.
    Returns: the app; `faust -A stream.app worker` or `stream worker` runs it. User code may add agents,
        timers, commands and pages to it.
    Raises: as `assemble`.
    """
    parts = assemble(settings, opening)
    app = faust.App(
        # Not the engine's group: Faust's own consumer, if any, must not join that.
        f"{settings.kafka.group}-app",
        broker=_brokers(settings),
        datadir=str(state_folder(settings, socket.gethostname())),
        logging_config=logging_config(settings.logging),
        web_bind=settings.web.host,
        web_host=settings.web.host,
        web_port=settings.web.port,
        web_router_enabled=False,
        web_tables_enabled=False,
        topic_disable_leader=True,
        autodiscover=False,
    )
    boot = app.boot_strategy = Boot(app)
    web = app.web = Web(app, settings)
    status = Status(parts)
    bell = VersionBell(settings)
    serve_views(app, web.access, status)
    if bell.is_hung:
        web.take_webhooks(bell)
    web.show(WorkerLive(status, Look(parts), truth))

    @app.service
    class Engine(EngineService):
        """The engine of this app."""

        def __init__(self, **options: Any) -> None:
            super().__init__(parts, status, bell, **options)

        async def on_start(self) -> None:
            """Start the engine, and let channels flow."""
            if not boot.wanted:
                # Queues are opened by Faust's consumer once it has partitions; without one, never.
                app.flow_control.resume()
            await super().on_start()

    return app


def run_worker(app: faust.App, settings: Settings) -> NoReturn:
    """
    Run a worker until a signal or its engine's end, then exit.

    Args:
        app: what `build_app` made.
        settings: for the log.
    Raises: SettingsError when something else listens on the web's port; nothing was started.
    Exits 0 after SIGTERM or SIGINT, 1 when the engine ended by itself.
    """
    # The web would notice only after the start.
    hint = "give each worker of a machine its own port: [web] port, or STREAM_WEB__PORT"
    claim_address("[web] port", settings.web.host, settings.web.port, hint).close()
    worker = faust.Worker(
        app,
        loglevel=settings.logging.level.upper(),
        logging_config=logging_config(settings.logging),
        redirect_stdouts=False,
        stdout=sys.stderr,
        stderr=sys.stderr,
        quiet=True,
    )
    worker.execute_from_commandline()
    raise Stopped("the worker's loop returned")


def _brokers(settings: Settings) -> str:
    servers = settings.kafka.bootstrap_servers.split(",")
    return ";".join(f"kafka://{server.strip()}" for server in servers)
