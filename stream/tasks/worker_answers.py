"""What workers' webs say of them."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any, TypeAlias
from urllib.request import (
    BaseHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    ProxyHandler,
    Request,
    build_opener,
)

from stream.errors import SettingsError
from stream.settings import Secret, Settings

__all__ = ["WorkerStatus", "ask_worker", "statuses", "web_url"]

ANSWER_S = 3.0
"""Time for a worker's web to answer."""

LARGEST_BYTES = 16 * 1024 * 1024
"""A status has a line for each partition."""

WorkerStatus: TypeAlias = dict[str, Any]
"""The JSON of `/api/status`, or of another page of a worker's web."""

Open: TypeAlias = Callable[..., AbstractContextManager[IO[bytes]]]
"""As `urllib.request.urlopen`."""

_LAST_LINE = "-----END CERTIFICATE-----"


class _Stay(HTTPRedirectHandler):
    """Follows no redirect: the token would go along."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Always none."""


_OPEN = build_opener(_Stay).open


def web_url(settings: Settings) -> str:
    """The address of a configuration's own worker on this machine."""
    web = settings.web
    host = f"[{web.host}]" if ":" in web.host else web.host
    return f"{'https' if web.certificate else 'http'}://{host}:{web.port}"


def ask_worker(
    url: str,
    path: str = "/api/status",
    open_url: Open = _OPEN,
    headers: Mapping[str, str] | None = None,
) -> WorkerStatus | str:
    """
    What a worker's web says of it.

    Args:
        url: of the web, such as `http://127.0.0.1:6066`.
        path: which page.
        open_url: asks.
        headers: of the request.
    Returns: the page's JSON, or the reason why it could not be read.
    """
    try:
        request = Request(url.rstrip("/") + path, headers=dict(headers or {}))
        with open_url(request, timeout=ANSWER_S) as answer:
            found = json.loads(answer.read(LARGEST_BYTES))
    except (OSError, HTTPException, ValueError, RecursionError) as error:
        return f"{url}: no worker answers ({getattr(error, 'reason', error)})"
    return found if isinstance(found, dict) else f"{url}: not a worker's status"


def statuses(settings: Settings, urls: Sequence[str] = ()) -> tuple[list[WorkerStatus], list[str]]:
    """
    The workers that answer, and why the others don't.

    Args:
        settings: have the token and the certificate of these workers.
        urls: of their webs; none = the configuration's own.
    Raises: SettingsError when the certificate can't be used.
    """
    token = settings.web.token
    plain = token.reveal() if isinstance(token, Secret) else token
    headers = {} if plain is None else {"Authorization": f"Bearer {plain}"}
    open_url = _opener(settings, direct=not urls)
    found = [ask_worker(url, open_url=open_url, headers=headers) for url in urls or (web_url(settings),)]
    return [s for s in found if isinstance(s, dict)], [s for s in found if isinstance(s, str)]


def _opener(settings: Settings, *, direct: bool) -> Open:
    """
    Trusts the configuration's own certificate, whatever names it is for, and no other.

    Args:
        settings: name the certificate.
        direct: no proxy of the environment stands between: it can't reach this machine's loopback.
    """
    handlers: list[BaseHandler] = [_Stay(), *([ProxyHandler({})] if direct else [])]
    if settings.web.certificate is None:
        return build_opener(*handlers).open
    path = settings.path(settings.web.certificate)
    try:
        own = _first_of(path)
        context = ssl.create_default_context(cadata=own)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise SettingsError(
            f"[web] certificate: {path} can't be used: {getattr(error, 'strerror', None) or error}",
            hint="give a PEM file",
        ) from error
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return build_opener(*handlers, HTTPSHandler(context=context)).open


def _first_of(path: Path) -> str:
    """The server's own certificate; those that signed it come after it."""
    return path.read_text(encoding="utf-8").partition(_LAST_LINE)[0] + _LAST_LINE
