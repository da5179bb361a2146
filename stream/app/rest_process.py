"""`stream serve`: settings → the REST service, and the process that runs it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import uvicorn

from stream.app.address import claim_address, server_tls
from stream.app.last_resort import LastResort
from stream.app.live_service import ServiceLive
from stream.app.reload import Reloader
from stream.app.reports import REPORT_S, reporting_of, request_spans
from stream.app.rest_connection import KEEP_ALIVE_S, connection_type
from stream.app.rest_crowd import Crowd
from stream.app.rest_server import Server, nobody_leaves, room_for
from stream.app.version_bell import VersionBell
from stream.codec import RecordSchema
from stream.errors import SettingsError, Stopped
from stream.first_opening import FirstOpening
from stream.live import STEP_S, Audience
from stream.mlflow import WEBHOOK_PATH
from stream.preload import collect_as_usual
from stream.resources import log_origin, open_configured, trust_of
from stream.rest import Endpoint, Front, Served, Service, create_app, live_page, webhook_endpoint
from stream.settings import Settings
from stream.store import CARD, Package, golden_of, read_vouched
from stream.telemetry import Metrics

if TYPE_CHECKING:
    from stream.tracing import Reporter

__all__ = [
    "Rest",
    "build_rest",
    "claimed_for",
    "report_on",
    "run_front",
    "run_rest",
    "served_of",
    "server_of",
]

log = logging.getLogger(__name__)

_EXAMPLES = 3
"""Golden rows shown in the service's documentation."""


@dataclass(frozen=True, slots=True)
class Rest:
    """
    The REST door, put together.

    Attributes:
        app: the ASGI application.
        service: what it answers from.
        reloader: looks for a new version of the model.
        audience: who looks at the live page; None = there is none.
    """

    app: Any
    service: Service
    reloader: Reloader
    audience: Audience | None = None


def build_rest(
    settings: Settings, opening: FirstOpening | None = None, more: Sequence[Endpoint] = ()
) -> Rest:
    """
    Build the service; nothing listens yet.

    Args:
        settings: the configuration.
        opening: lets a child process open each version of the model first, and may have started one; None = a new one.
        more: endpoints beside the service's own.
    Raises: Refused when the model package can't be used.
    Blocks while it is opened.
    """
    opening = opening or FirstOpening()
    package = open_configured(settings, opening=opening)
    log_origin(package, settings.model)
    metrics = Metrics("serve")
    name = f"{socket.gethostname()}.{settings.serve.port}"
    reporting = reporting_of(settings, metrics, package.manifest.name, name, worker=False)
    spans = request_spans(reporting, settings)
    redact = settings.dead_letters.redact
    service = Service(served_of(settings, package), settings.serve, metrics, spans, redact=redact)
    reloader = Reloader.of(
        settings, package, lambda found: service.swap(served_of(settings, found)), metrics, opening
    )
    live = ServiceLive(service, reloader)
    audience = Audience(live.snapshot, live.watch, settings.serve.max_connections // 4)
    beside: list[Callable[[], Awaitable[None]]] = [lambda: _tick_on(live)]
    bell = VersionBell(settings)
    if bell.waits:
        beside.append(_watch_for_versions(reloader, bell))
    if bell.is_hung:
        more = (*more, webhook_endpoint(WEBHOOK_PATH, bell.take))
    if reporting is not None:
        beside.append(report_on(reporting.reporter))
    app = create_app(service, beside, (*more, *live_page(audience)))
    return Rest(app, service, reloader, audience)


async def _tick_on(live: ServiceLive) -> None:
    while True:
        await asyncio.to_thread(live.tick)
        await asyncio.sleep(STEP_S)


def served_of(settings: Settings, package: Package) -> Served:
    """A package that was opened, as REST serves it. Raises: PackageError when it has changed since."""
    trust = trust_of(settings.model)
    examples = golden_of(package).events[:_EXAMPLES]
    card = None
    if CARD in package.manifest.files:
        card = read_vouched(package.path, CARD, trust).decode("utf-8", "replace")
    return Served(package.model, RecordSchema(package.features), examples, card, settings.serve.name)


def _watch_for_versions(reloader: Reloader, bell: VersionBell) -> Callable[[], Awaitable[None]]:
    async def look() -> None:
        try:
            while True:
                await bell.wait()
                await asyncio.to_thread(reloader.look)
        finally:
            reloader.stop()

    return look


def report_on(reporter: Reporter) -> Callable[[], Awaitable[None]]:
    """What reports to a collector for as long as an application runs."""

    async def report() -> None:
        reporter.start(lambda: None)
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.to_thread(reporter.stop, REPORT_S)

    return report


def run_rest(settings: Settings, opening: FirstOpening | None = None, more: Sequence[Endpoint] = ()) -> None:
    """
    Serve until SIGTERM or Ctrl-C, then answer what is in flight.

    Args: as `build_rest`.
    Raises: SettingsError when the address can't be listened on or a certificate can't be used; Refused as
        `build_rest`. Nothing has listened then.
    Raises: Stopped when requests were cut off at the end of the time to drain.
    Blocks. When the time to drain is up, the process ends without waiting for its threads: with 1 where a request has
    no answer.
    """
    claimed = claimed_for(settings)
    rest = build_rest(settings, opening, more)
    leave = nobody_leaves if rest.audience is None else rest.audience.close
    run_front(settings, rest.app, rest.service, claimed, leave)


def claimed_for(settings: Settings) -> socket.socket:
    """The address of [serve], before anything slow begins. Raises: SettingsError when it can't be had."""
    hint = "choose another with --port, [serve] port or STREAM_SERVE__PORT"
    return claim_address("[serve] port", settings.serve.host, settings.serve.port, hint)


def run_front(
    settings: Settings,
    app: Any,
    front: Front,
    claimed: socket.socket,
    leave: Callable[[], None] = nobody_leaves,
) -> None:
    """
    Serve an application until SIGTERM or Ctrl-C, then answer what is in flight.

    Args:
        settings: the configuration.
        app: the ASGI application.
        front: of its requests.
        claimed: where it listens.
        leave: as `Server` has it.
    Raises, Blocks: as `run_rest`.
    """
    serve = settings.serve
    last_resort = LastResort(serve.drain_timeout, lambda: front.fails)
    server = _server(settings, app, front, last_resort, leave)
    # uvicorn raises the signals that it handled again when it is done; they must not end the process then.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, server.handle_exit)
    host, port = claimed.getsockname()[:2]
    scheme = "https" if serve.certificate else "http"
    shown = f"[{host}]" if ":" in host else host
    docs = ", see /docs" if isinstance(front, Service) else ""
    log.info("%s answers on %s://%s:%d%s", front.title, scheme, shown, port, docs)
    if serve.token is None and not _is_loopback(host):
        log.warning("anybody who can reach %s:%d may ask: no [serve] token is set", host, port)
    logging.getLogger("uvicorn.error").addFilter(shows_traceback)
    collect_as_usual()
    server.run([claimed])
    if front.busy:
        log.error("the model did not come back within %g s; its requests got no answer", serve.drain_timeout)
        os._exit(1)  # its thread can't be ended in any other way
    if front.cut_off:
        raise Stopped(
            f"{front.cut_off} requests had no answer when the time to drain was up",
            hint="raise [serve] drain_timeout",
        )
    log.info("drained: every request that was taken has its answer")


def server_of(settings: Settings, rest: Rest, last_resort: LastResort | None = None) -> Server:
    """
    What listens, and answers from a service.

    Args:
        settings: the configuration.
        rest: the service.
        last_resort: as `Server` has it.
    Raises: SettingsError when a certificate can't be used.
    """
    leave = nobody_leaves if rest.audience is None else rest.audience.close
    return _server(settings, rest.app, rest.service, last_resort, leave)


def _server(
    settings: Settings, app: Any, front: Front, last_resort: LastResort | None, leave: Callable[[], None]
) -> Server:
    crowd = Crowd(front, room_for(settings.serve.max_connections))
    return Server(_config(settings, app, connection_type(crowd)), crowd, last_resort, leave)


def shows_traceback(record: logging.LogRecord) -> bool:
    """A filter of the log: requests that are cut off at the end share one line, and have no traceback each."""
    cut = record.exc_info is not None and isinstance(record.exc_info[1], asyncio.CancelledError)
    return not cut or log.isEnabledFor(logging.DEBUG)


def _is_loopback(host: str) -> bool:
    return host.startswith("127.") or host == "::1"


def _config(settings: Settings, app: Any, connection: type[asyncio.Protocol]) -> uvicorn.Config:
    serve = settings.serve
    server_tls(
        "[serve]", serve.certificate, serve.key, settings.path
    )  # tried: uvicorn would ask for a password
    if serve.client_ca is not None and serve.certificate is None:
        raise SettingsError(
            "[serve] client_ca: is set, but certificate is not", hint="set certificate too, or neither"
        )
    files = {
        "ssl_certfile": serve.certificate,
        "ssl_keyfile": serve.key,
        "ssl_ca_certs": serve.client_ca,
    }
    given = {key: str(settings.path(path)) for key, path in files.items() if path is not None}
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        http=connection,
        ws="none",
        lifespan="on",
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        ssl_cert_reqs=ssl.CERT_REQUIRED if serve.client_ca else ssl.CERT_NONE,
        ssl_certfile=given.get("ssl_certfile"),
        ssl_keyfile=given.get("ssl_keyfile"),
        ssl_ca_certs=given.get("ssl_ca_certs"),
    )
    try:
        config.load()
    except (OSError, ssl.SSLError) as error:
        named = ", ".join(f"{path}" for path in files.values() if path is not None)
        raise SettingsError(
            f"[serve] certificate: {named}: can't be used: {error.strerror or error}",
            hint="give PEM files of a certificate and its key",
        ) from error
    return config
