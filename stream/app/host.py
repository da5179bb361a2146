"""The Faust app that hosts the engine. This room alone imports Faust."""

from __future__ import annotations

import logging
from typing import Any

import faust
from faust.app.base import BootStrategy

from stream.app.logs import logging_config
from stream.app.web import Web, serve_views
from stream.app.worker_parts import Parts, state_folder
from stream.app.worker_service import EngineService
from stream.app.worker_status import Status
from stream.settings import Settings

__all__ = ["create_app"]

log = logging.getLogger(__name__)


class Boot(BootStrategy):
    """Faust's own Kafka clients run only when the user's module gave the app topics to read."""

    @property
    def wanted(self) -> bool:
        """Whether anything reads a topic through Faust."""
        # Only agents, tables and streams of topics subscribe; an app without any has nothing to read, and
        # Faust's conductor refuses to start without a topic.
        return any(isinstance(agent.channel, faust.TopicT) for agent in self.app.agents.values())

    def kafka_producer(self) -> Any:
        """Faust's producer, when the user's module needs it."""
        return super().kafka_producer() if self.wanted else []

    def kafka_consumer(self) -> Any:
        """Faust's consumer, when the user's module needs it."""
        return super().kafka_consumer() if self.wanted else []

    def kafka_conductor(self) -> Any:
        """Faust's conductor, when the user's module needs it."""
        return super().kafka_conductor() if self.wanted else []

    def tables(self) -> Any:
        """Faust's table manager, when the user's module needs it."""
        return super().tables() if self.wanted else []


def create_app(parts: Parts) -> faust.App:
    """
    A Faust app around a worker.

    Args:
        parts: the worker, not started.
    Returns: the app; `faust -A stream.app worker` or `stream worker` runs it. User code may add agents,
        timers, commands and pages to it.
    """
    settings = parts.settings
    app = faust.App(
        # Not the engine's group: Faust's own consumer, if any, must not join that.
        f"{settings.kafka.group}-app",
        broker=_brokers(settings),
        datadir=str(state_folder(settings)),
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
    app.web = Web(app)
    status = Status(parts)
    serve_views(app, status)

    @app.service
    class Engine(EngineService):
        """The engine of this app."""

        def __init__(self, **options: Any) -> None:
            super().__init__(parts, status, **options)

        async def on_start(self) -> None:
            """Start the engine, and let channels flow."""
            if not boot.wanted:
                # Queues are opened by Faust's consumer once it has partitions; without one, never.
                app.flow_control.resume()
            await super().on_start()

    return app


def _brokers(settings: Settings) -> str:
    servers = settings.kafka.bootstrap_servers.split(",")
    return ";".join(f"kafka://{server.strip()}" for server in servers)
