"""
One call to the registry: bounded in time and size, repeated only while that can help.

A call never follows a redirect (credentials would go to another host) and always has a time limit. Every call
here may be repeated without harm, registering a schema too: it is tried again on connection errors, 429 and
5xx, within its time.
"""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from stream.errors import BrokerRefused, Retriable, SchemaError, SettingsError, StreamError
from stream.registry.access import checked_url, credentials, trust
from stream.settings import RegistrySettings

__all__ = ["ANSWER_BYTES", "Connection", "Denied", "NotServed"]

PAUSES_S = (0.2, 0.4, 0.8)
"""Before the second, third and fourth try."""

AGAIN_S = 2.0
"""For all repeats of a call together, beyond `timeout`. The engine stands still meanwhile, and counts as stuck
after 20 s; it tries the whole batch again by itself."""

ASKED_TO_WAIT_S = 60.0
"""A registry's `Retry-After` beyond this is cut to it."""

ANSWER_BYTES = 2 * 1024 * 1024
"""A larger answer is not a schema: registries keep theirs in Kafka records of 1 MiB at most."""

_AGAIN = {429, 500, 502, 503, 504}


class NotServed(SettingsError):
    """
    The registry has no such address.

    Operator action: check `[schema_registry] url`, its path too (`/apis/ccompat/v7` for Apicurio).
    """


class Denied(BrokerRefused):
    """
    The registry does not let us read this (403).

    Operator action: give the user or token of `[schema_registry]` the right to read it.
    """


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
        auth, headers, self._secrets = credentials(settings)
        self._http = httpx.Client(
            auth=auth,
            # Packed answers could grow without bound where they are unpacked.
            headers={
                "Accept": "application/vnd.schemaregistry.v1+json",
                "Accept-Encoding": "identity",
                **headers,
            },
            verify=trust(settings, path),
            follow_redirects=False,
            transport=transport,
        )

    def close(self) -> None:
        """Close the kept connections."""
        self._http.close()

    def get(self, path: str) -> Any:
        """
        What the registry has at a path; None when it says that there is nothing there.

        Raises: Retriable when it does not answer; BrokerRefused when it refuses; NotServed when it does not
            know the path; SchemaError when the answer is too large.
        """
        return self._call("GET", path, None)

    def post(self, path: str, body: Mapping[str, object]) -> Any:
        """As `get`, with a body. Raises SchemaError also where the registry finds the schema wrong (409, 422)."""
        return self._call("POST", path, body)

    def _call(self, method: str, path: str, body: Mapping[str, object] | None) -> Any:
        if (left := self._quiet_until - self._clock()) > 0:
            raise Retriable(f"{self.url}: asked to be left alone for another {left:.0f} s (Retry-After)")
        over = self._clock() + self._timeout_s + AGAIN_S
        for pause_s in (*PAUSES_S, None):
            try:
                return self._once(method, path, body, over)
            except Retriable:
                wait_s = max(pause_s or 0.0, self._quiet_until - self._clock())
                if pause_s is None or self._clock() + wait_s >= over:
                    raise
            self._pause(wait_s)
        raise AssertionError("unreachable: the last pause is None")

    def _once(self, method: str, path: str, body: Mapping[str, object] | None, over: float) -> Any:
        place, limit_s = self.url + path, max(0.1, min(self._timeout_s, over - self._clock()))
        until = self._clock() + limit_s
        try:
            with self._http.stream(method, place, json=body, timeout=limit_s) as answer:
                return self._read(answer, self._taken(answer, place, until), place)
        except httpx.TransportError as error:
            raise self._fault(error, place) from error

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
                raise Retriable(f"{place}: the answer takes longer than {self._timeout_s:g} s")
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

    def _read(self, answer: httpx.Response, content: bytes, place: str) -> Any:
        """What an answer means. Raises as `get`."""
        code = answer.status_code
        if answer.is_success:
            return _json(answer, content, place)
        words = self._clean(_words(content))
        if code in _AGAIN:
            self._quiet_until = self._clock() + _asked_to_wait(answer)
            raise Retriable(
                f"{place}: {code} {words}", hint="try again; if it stays, look at the registry's log"
            )
        if code == 404 and _is_about_content(content):
            return None
        if code == 404:
            raise NotServed(
                f"{place}: 404, and not in a schema registry's words: {words}",
                hint="check `[schema_registry] url`, its path too (Apicurio's is /apis/ccompat/v7)",
            )
        if code in (409, 422):
            raise SchemaError(f"{place}: {code} {words}")
        raise _refusal(answer, place, words)

    def _clean(self, text: str) -> str:
        """The text without any secret of ours, should the other side have repeated one."""
        for secret in self._secrets:
            text = text.replace(secret, "********")
        return text


def _json(answer: httpx.Response, content: bytes, place: str) -> Any:
    packed = answer.headers.get("Content-Encoding", "identity") != "identity"
    try:
        return json.loads("" if packed else content)
    except (ValueError, RecursionError) as error:
        raise BrokerRefused(
            f"{place}: the answer is not JSON", hint="check `[schema_registry] url`, and proxies before it"
        ) from error


def _is_about_content(content: bytes) -> bool:
    """
    Whether a 404 is the registry's own (no such subject, version or schema) or only says "no such page".

    Source: Confluent's error codes 40401 to 40499; a bare 404, or Apicurio's 0, is the web server's.
    """
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return False
    code = found.get("error_code") if isinstance(found, dict) else None
    return isinstance(code, int) and 40400 <= code <= 40499


def _words(content: bytes) -> str:
    """What the registry said, for people: one line."""
    text = content[:4096].decode("utf-8", "replace")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    said = found.get("message") if isinstance(found, dict) else None
    line = " ".join((said if isinstance(said, str) and said else text).split())
    return "".join(c for c in line if c.isprintable())[:400]


def _asked_to_wait(answer: httpx.Response) -> float:
    """Seconds of `Retry-After`; 0 where there is none, or only a date."""
    given = answer.headers.get("Retry-After", "")
    return min(float(given), ASKED_TO_WAIT_S) if given.isascii() and given.isdigit() else 0.0


def _refusal(answer: httpx.Response, place: str, words: str) -> StreamError:
    """The error for an answer that is neither content nor a passing fault."""
    if answer.is_redirect:
        target = urlsplit(answer.headers.get("location", ""))
        return BrokerRefused(
            f"{place}: redirects to {target.scheme}://{target.hostname}{target.path}, which is not followed",
            hint="set `[schema_registry] url` to where the registry is",
        )
    if answer.status_code in (401, 403):
        kind = Denied if answer.status_code == 403 else BrokerRefused
        return kind(
            f"{place}: {answer.status_code} {words}",
            hint="check `[schema_registry]` user, password or token, and what they may read",
        )
    return BrokerRefused(f"{place}: {answer.status_code} {words}", hint="see the registry's words")
