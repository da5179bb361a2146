"""What workers' webs say of them."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any, TypeAlias
from urllib.error import HTTPError
from urllib.request import (
    BaseHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    ProxyHandler,
    Request,
    build_opener,
)

from stream.background import Bounded, CallHung
from stream.errors import SettingsError
from stream.settings import Secret, Settings

__all__ = ["NoStatus", "WorkerStatus", "ask_worker", "own_page", "status_of", "statuses", "web_url"]

ANSWER_S = 3.0
"""Time for a worker's web to answer; for one that sends its answer drop by drop, before it is left alone."""

LARGEST_BYTES = 16 * 1024 * 1024
"""A status has a line for each partition."""

WorkerStatus: TypeAlias = dict[str, Any]
"""The JSON of `/api/status`, or of another page of a worker's web."""

Open: TypeAlias = Callable[..., AbstractContextManager[IO[bytes]]]
"""As `urllib.request.urlopen`."""

_QUOTED_BYTES = 60
"""Of an answer that is not JSON, in a message."""

_STATUS = {"model": str, "instance": str, "state": str, "dead_letters.by_reason": dict}
"""What a status has at least, and of which type."""

_LAST_LINE = "-----END CERTIFICATE-----"


class _Stay(HTTPRedirectHandler):
    """Follows no redirect: the token would go along."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Always none."""


_OPEN = build_opener(_Stay).open


@dataclass(frozen=True, slots=True)
class NoStatus:
    """
    Why there is no status of a worker.

    Attributes:
        reason: a sentence with the address, and what was found there.
        answered: whether something answers there, which is not a worker that we may ask.
    """

    reason: str
    answered: bool = False


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
) -> WorkerStatus | NoStatus:
    """
    What a worker's web says of it.

    Args:
        url: of the web, such as `http://127.0.0.1:6066`.
        path: which page.
        open_url: asks.
        headers: of the request.
    Returns: the page's JSON, or the reason why it could not be read.
    """
    content = _page(url, path, open_url, headers)
    return content if isinstance(content, NoStatus) else _parsed(url.rstrip("/") + path, content)


def _page(url: str, path: str, open_url: Open, headers: Mapping[str, str] | None) -> bytes | NoStatus:
    page = url.rstrip("/") + path
    content: list[bytes] = []

    def ask() -> None:
        with open_url(Request(page, headers=dict(headers or {})), timeout=ANSWER_S) as answer:
            content.append(answer.read(LARGEST_BYTES))

    try:
        Bounded(OSError, HTTPException, ValueError).do(ask, ANSWER_S)
    except HTTPError as error:
        return NoStatus(f"{page}: answers {_refusal(error)}", answered=True)
    except CallHung:
        return NoStatus(f"{page}: no worker answers (the answer has no end)")
    except (OSError, HTTPException, ValueError) as error:
        return NoStatus(f"{url}: no worker answers ({getattr(error, 'reason', None) or error})")
    return content[0]


def _refusal(error: HTTPError) -> str:
    """What a web says instead of a page, and what to do."""
    with error:
        status = f"{error.code} {error.reason}"
    if error.code == 401:
        return f"{status}: give the worker's [web] token in the configuration"
    if 300 <= error.code < 400:
        return f"{status}, and redirects are not followed: name the worker's own address"
    return f"{status}: not a worker's web; look at the address"


def _parsed(page: str, content: bytes) -> WorkerStatus | NoStatus:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        begins = content[:_QUOTED_BYTES].decode("utf-8", "replace")
        return NoStatus(f"{page}: not a worker: expected JSON, found {begins!r}", answered=True)
    if not isinstance(found, dict):
        return NoStatus(f"{page}: not a worker: expected a JSON object, found {_json_name(found)}", True)
    return found


def _json_name(value: object) -> str:
    names = {list: "a list", str: "a text", bool: "a boolean", type(None): "null", dict: "an object"}
    return names.get(type(value), "a number")


def status_of(
    url: str, open_url: Open = _OPEN, headers: Mapping[str, str] | None = None
) -> WorkerStatus | NoStatus:
    """
    A worker's status.

    Args:
        url: as for `ask_worker`.
        open_url: as for `ask_worker`.
        headers: as for `ask_worker`.
    Returns: the JSON of its `/api/status`, which has `model`, `instance`, `state` and `dead_letters` of the types that
        they have; or the reason why there is none.
    """
    if not url.startswith(("http://", "https://")):
        return NoStatus(
            f"{url}: not the address of a worker's web, such as http://127.0.0.1:6066", answered=True
        )
    found = ask_worker(url, open_url=open_url, headers=headers)
    if isinstance(found, NoStatus):
        return found
    for name, kind in _STATUS.items():
        outer, _, inner = name.partition(".")
        value = found.get(outer)
        if not isinstance(value.get(inner) if inner and isinstance(value, dict) else value, kind):
            return NoStatus(
                f"{url}: not a worker: its status has no {name!r} as a worker's has", answered=True
            )
    return found


def statuses(settings: Settings, urls: Sequence[str] = ()) -> tuple[list[WorkerStatus], list[NoStatus]]:
    """
    The workers that answer, and why the others don't.

    Args:
        settings: have the token and the certificate of these workers.
        urls: of their webs; none = the configuration's own.
    Raises: SettingsError when the certificate can't be used.
    """
    headers = _bearer(settings)
    open_url = _opener(settings, direct=not urls)
    found = [status_of(url, open_url, headers) for url in urls or (web_url(settings),)]
    return [s for s in found if isinstance(s, dict)], [s for s in found if isinstance(s, NoStatus)]


def own_page(settings: Settings, path: str) -> bytes | NoStatus:
    """
    A page of the configuration's own worker, as it is.

    Args:
        settings: have its address, token and certificate.
        path: such as `/metrics`.
    Returns: the page, or the reason why it could not be had.
    Raises: SettingsError when the certificate can't be used.
    """
    return _page(web_url(settings), path, _opener(settings, direct=True), _bearer(settings))


def _bearer(settings: Settings) -> dict[str, str]:
    token = settings.web.token
    plain = token.reveal() if isinstance(token, Secret) else token
    return {} if plain is None else {"Authorization": f"Bearer {plain}"}


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
