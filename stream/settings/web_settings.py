"""The tables of what listens on a port: the worker's web, the REST service. As `setting_tables` has the others."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from stream.settings.setting_types import Bytes, Range, Seconds, Secret

__all__ = ["ServeSettings", "WebSettings"]


@dataclass(frozen=True, slots=True)
class WebSettings:
    """The worker's web: health, metrics, status."""

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: Annotated[int, Range(1, 65_535)] = 6066
    """Port to listen on; each worker of a machine needs its own."""
    hosts: tuple[str, ...] = ()
    """Names by which clients may call the web, besides the address it listens on; `["*"]`: any name."""
    token: str | Secret | None = None
    """Requests must carry `Authorization: Bearer …` with it, except those for `/health/…`."""
    certificate: Path | None = None
    """PEM file of the web's certificate and its chain: HTTPS instead of HTTP."""
    key: Path | None = None
    """PEM file of the certificate's key, when it is not in the same file."""


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """The REST service, `stream serve`."""

    host: str = "127.0.0.1"
    """Address to listen on; `0.0.0.0`: all of the machine's."""
    port: Annotated[int, Range(0, 65_535)] = 8080
    """Port to listen on; 0: a free one, which the log names."""
    name: str | None = None
    """The model's name in `/v1/models/NAME` and `/v2/models/NAME`; default: the package's."""
    token: str | Secret | None = None
    """Requests must carry `Authorization: Bearer …` with it, but for `/ping`, `/health`, `/v2/health/…` and `/docs`."""
    certificate: Path | None = None
    """PEM file of the service's certificate and its chain: HTTPS instead of HTTP."""
    key: Path | None = None
    """PEM file of the certificate's key, when it is not in the same file."""
    client_ca: Path | None = None
    """PEM file of authorities, one of which must have signed a client's certificate (mutual TLS)."""
    max_connections: Annotated[int, Range(1, 100_000)] = 1_000
    """Connections at a time; then silent ones make room for new ones, and where all are busy, a new one gets 503."""
    max_head: Bytes = Bytes(64 * 1024)
    """Largest head of a request (path and headers); a larger one is answered 431."""
    head_timeout: Seconds = Seconds(10.0)
    """How long the head of a request, or a TLS handshake, may take; then the connection is closed."""
    max_body: Bytes = Bytes(16 * 1024 * 1024)
    """Largest body of a request; a larger one is answered 413."""
    timeout: Seconds = Seconds(30.0)
    """How long a request may take, including the arrival of its body; beyond it: 504."""
    drain_timeout: Seconds = Seconds(30.0)
    """How long the process may still take after SIGTERM or Ctrl-C, whatever it is at."""
    drain_delay: Seconds = Seconds(2.0)
    """How long it still takes connections after SIGTERM, while not ready; at most half of `drain_timeout`."""
    rate: Annotated[int, Range(1, 1_000_000)] | None = None
    """Requests per second that one client address may make; beyond it: 429. Default: no limit."""
    batch_rows: Annotated[int, Range(1, 100_000)] = 2_000
    """Maximum number of rows that are scored together; a larger request is scored in pieces of so many."""
    max_wait: Seconds = Seconds(0.005)
    """How long a batch may wait for requests that came with the last one; a client on its own never waits."""
    queue_rows: Annotated[int, Range(1, 10_000_000)] = 20_000
    """Rows that may wait to be scored; beyond it: 503. A single request with more: 413."""
    queue_bytes: Bytes = Bytes(512 * 1024 * 1024)
    """Memory for requests, what is made of them and unsent answers; beyond it: 503. For one that needs more: 413."""
    models_bytes: Bytes | None = None
    """Memory for the models of a multi-model endpoint; beyond it: 507. Default: 70 % of all, less `queue_bytes`."""
    max_columns: Annotated[int, Range(1, 1_000_000)] = 10_000
    """Columns, or fields, that a row may have; beyond it: 413."""
