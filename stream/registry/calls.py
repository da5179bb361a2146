"""
One call to the registry: bounded in time and size, repeated only while that can help.

A call never follows a redirect (credentials would go to another host) and always has one time limit for the whole of
it: the name's look-up, the handshake, each line of the head and the body. Every call here may be repeated without harm,
registering a schema too: it is tried again on connection errors, 429 and 5xx, within its time.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from weakref import WeakSet

import httpx

from stream.background import Background
from stream.errors import BrokerRefused, Retriable, SchemaError, SettingsError, StreamError
from stream.registry.access import checked_url, credentials, trust
from stream.registry.answers import ANSWER_BYTES, Busy, read_answer
from stream.settings import RegistrySettings

__all__ = ["Connection"]

PAUSES_S = (0.2, 0.4, 0.8)
"""Before the second, third and fourth try."""

AGAIN_S = 2.0
"""For all repeats of a call together, beyond `timeout`. The engine stands still meanwhile, and counts as stuck
after 20 s; it tries the whole batch again by itself."""

CUT_S = 1.0
"""For a call to end once its connection was cut; one that looks up a name has none yet, and is left behind."""

_UNTIL: ContextVar[float] = ContextVar("until", default=float("inf"))
"""By when all calls of `within` must be over."""


class _Lines:
    """The sockets of a client, so that another thread can end what they wait for. May be used from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: WeakSet[socket.socket] = WeakSet()

    def note(self, event: str, info: Mapping[str, Any]) -> None:
        """Called by httpcore for each step of a call (its `trace` extension)."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            found = info["return_value"].get_extra_info("socket")
            with self._lock:
                self._open.add(found)

    def cut(self) -> None:
        """End them all. Shut down and not closed: a closed one's number could be another file's at once."""
        with self._lock:
            for one in list(self._open):
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)


def _client(
    auth: tuple[str, str] | None,
    headers: Mapping[str, str],
    context: ssl.SSLContext,
    transport: httpx.BaseTransport | None,
) -> httpx.Client:
    try:
        return httpx.Client(
            auth=auth,
            # Packed answers could grow without bound where they are unpacked.
            headers={
                "Accept": "application/vnd.schemaregistry.v1+json",
                "Accept-Encoding": "identity",
                **headers,
            },
            verify=context,
            follow_redirects=False,
            transport=transport,
        )
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        # Not repeated: a proxy's address may hold a password.
        raise SettingsError(
            "environment variable HTTP_PROXY, HTTPS_PROXY or ALL_PROXY: not a proxy that can be used for the"
            f" schema registry ({type(error).__name__})",
            hint="write `http://host:port`, or except the registry's host with NO_PROXY",
        ) from None


class Connection:
    """Calls one registry. May be used from several threads."""

    def __init__(
        self,
        settings: RegistrySettings,
        path: Callable[[Path], Path] = Path.absolute,
        pause: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """
        Connects nothing yet.

        Args:
            settings: where it is, and how to authenticate.
            path: makes the configuration's paths absolute.
            pause: waits so many seconds between tries.
            clock: monotonic seconds.
            transport: what carries the requests; default: the network.
        Raises: SettingsError for an address, a credential or a certificate that can't be used.
        """
        self.url = checked_url(settings.url)
        self._pause, self._clock = pause, clock
        self._timeout_s = float(settings.timeout)
        self._quiet_until = float("-inf")
        self.skew_s: float | None = None
        """By how many seconds the registry's clock is ahead of this machine's, as its last answer's `Date` has it."""
        self._lines = _Lines()
        auth, headers, self._secrets = credentials(settings)
        self._http = _client(auth, headers, trust(settings, path), transport)

    def close(self) -> None:
        """Close the kept connections."""
        self._http.close()

    def get(self, path: str, *, urgent: bool = False) -> Any:
        """
        What the registry has at a path; None when it says that there is nothing there.

        Args:
            path: below the registry's address.
            urgent: ask even while the registry wants to be left alone.
        Raises: Retriable when it does not answer; BrokerRefused when it refuses, Garbled when its answer is not a
            registry's; NotServed when it does not know the path; SchemaError when the answer is too large.
        """
        return self._call("GET", path, None, urgent=urgent)

    def post(self, path: str, body: Mapping[str, object]) -> Any:
        """As `get`, with a body. Raises SchemaError also where the registry finds the schema wrong (409, 422)."""
        return self._call("POST", path, body)

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """A limit for all calls together that this thread makes meanwhile; beyond it they raise Retriable."""
        token = _UNTIL.set(self._clock() + seconds)
        try:
            yield
        finally:
            _UNTIL.reset(token)

    def _call(
        self, method: str, path: str, body: Mapping[str, object] | None, *, urgent: bool = False
    ) -> Any:
        if not urgent and (left := self._quiet_until - self._clock()) > 0:
            raise Retriable(f"{self.url}: asked to be left alone for another {left:.0f} s (Retry-After)")
        over = min(self._clock() + self._timeout_s + AGAIN_S, _UNTIL.get())
        for pause_s in (*PAUSES_S, None):
            try:
                return self._once(method, path, body, over)
            except Busy as error:
                self._quiet_until = self._clock() + error.wait_s
                self._wait_or_raise(pause_s, over, error)
            except Retriable as error:
                self._wait_or_raise(pause_s, over, error)
        raise AssertionError("unreachable: the last pause is None")

    def _wait_or_raise(self, pause_s: float | None, over: float, error: Retriable) -> None:
        wait_s = max(pause_s or 0.0, self._quiet_until - self._clock())
        if pause_s is None or self._clock() + wait_s >= over:
            raise error
        self._pause(wait_s)

    def _once(self, method: str, path: str, body: Mapping[str, object] | None, over: float) -> Any:
        place, limit_s = self.url + path, min(self._timeout_s, over - self._clock())
        if limit_s <= 0:
            raise Retriable(f"{place}: no time is left to ask for it")
        until = self._clock() + limit_s
        got: list[tuple[httpx.Response, bytes]] = []

        def ask() -> None:
            with self._http.stream(
                method, place, json=body, timeout=limit_s, extensions={"trace": self._lines.note}
            ) as answer:
                got.append((answer, self._taken(answer, place, until)))

        try:
            self._bounded(ask, limit_s, place)
        except httpx.TransportError as error:
            raise self._fault(error, place) from error
        self.skew_s = _skew(got[0][0].headers.get("Date", ""))
        return read_answer(*got[0], place, self._clean)

    def _bounded(self, ask: Callable[[], None], limit_s: float, place: str) -> None:
        """Time-outs of the client are for each step: a head that comes line by line would outlast them all."""
        slot = Background(httpx.TransportError, StreamError)
        slot.start(ask)
        slot.close()  # with this call; one that does not return ends by itself later
        if slot.wait(limit_s):
            return
        self._lines.cut()
        with suppress(httpx.TransportError):
            slot.wait(CUT_S)  # what comes now may be cut short, and look whole
        raise self._late(place)

    def _late(self, place: str) -> Retriable:
        return Retriable(
            f"{place}: the answer takes longer than {self._timeout_s:g} s",
            hint="look at the schema registry, or raise `[schema_registry] timeout`",
        )

    def _taken(self, answer: httpx.Response, place: str, until: float) -> bytes:
        """The answer's bytes, as far as time and size allow."""
        taken = bytearray()
        for part in answer.iter_raw():
            taken += part
            if len(taken) > ANSWER_BYTES:
                raise SchemaError(
                    f"{place}: an answer of more than {ANSWER_BYTES} bytes is not a schema",
                    hint="look at what is registered there",
                )
            if self._clock() > until:
                raise self._late(place)
        return bytes(taken)

    def _fault(self, error: httpx.TransportError, place: str) -> StreamError:
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, ssl.SSLError) and not isinstance(
                cause, ssl.SSLEOFError | ssl.SSLZeroReturnError
            ):
                return BrokerRefused(
                    f"{place}: TLS: {cause.reason or cause}",
                    hint="check `[schema_registry]` url, ca, certificate and key",
                )
            cause = cause.__cause__ or cause.__context__
        return Retriable(
            self._clean(f"{place}: no answer: {type(error).__name__}: {error}"),
            hint="start the schema registry or correct `[schema_registry] url`",
        )

    def _clean(self, text: str) -> str:
        """The text without any secret of ours, should the other side have repeated one."""
        for secret in self._secrets:
            text = text.replace(secret, "********")
        return text


def _skew(date: str) -> float | None:
    """A `Date` header's time ↔ this machine's; None where it has none that can be read. Source: RFC 9110, 6.6.1."""
    try:
        return parsedate_to_datetime(date).timestamp() - time.time()
    except ValueError:
        return None
