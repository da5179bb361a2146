"""
The registry's REST calls, one method each.

A call never follows a redirect (credentials would go to another host), always has a time limit, and is tried
again only where that changes nothing: look-ups, on connection errors, 429 and 5xx.
Source: Confluent Schema Registry API, v1.
"""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from stream.errors import BrokerRefused, Retriable, SettingsError, StreamError
from stream.settings import RegistrySettings, Secret

__all__ = ["Client", "Registered"]

TRIES = 4
"""Calls of a look-up before it is given up for now."""

PAUSE_S = 0.2
"""Before the second try; twice as long before each further one."""

ANSWER_BYTES = 8 * 1024 * 1024
"""A larger answer is no schema."""

REFERENCES = 200
"""Schemas that one schema may draw in; more is a loop or an attack."""

_AGAIN = {429, 500, 502, 503, 504}


@dataclass(frozen=True, slots=True)
class Registered:
    """
    A schema as the registry has it.

    Attributes:
        text: its JSON, references resolved: the named types that it draws in stand in it.
        id: the registry's number; None where it was asked for by GUID and the registry did not say.
    """

    text: str
    id: int | None


class Client:
    """Calls one registry. May be used from several threads."""

    def __init__(
        self,
        settings: RegistrySettings,
        path: Callable[[Path], Path] = Path.absolute,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        """
        Connects nothing yet.

        Args:
            settings: where it is, and how to authenticate.
            path: makes the configuration's paths absolute.
            pause: waits so many seconds between tries.
        Raises: SettingsError for a certificate that can't be read, or two ways to authenticate at once.
        """
        self._pause = pause
        self._url = settings.url.rstrip("/")
        user, password, token = settings.user, settings.password, settings.token
        if user and token:
            raise SettingsError("[schema_registry] has both user and token", mend="leave one of them out")
        headers = {"Accept": "application/vnd.schemaregistry.v1+json"}
        if token:
            headers["Authorization"] = f"Bearer {_plain(token)}"
        self._http = httpx.Client(
            auth=(user, _plain(password or "")) if user else None,
            headers=headers,
            timeout=settings.timeout,
            verify=_trust(settings, path),
            follow_redirects=False,
        )

    def by_id(self, schema_id: int) -> Registered | None:
        """
        The schema of an id; None when the registry does not know it.

        Raises: Retriable when the registry does not answer; BrokerRefused when it refuses.
        """
        found = self._look(f"/schemas/ids/{schema_id}")
        return None if found is None else Registered(self._resolved(found), schema_id)

    def by_guid(self, guid: str) -> Registered | None:
        """The schema of a GUID (RFC 9562 text). Returns and raises as `by_id`."""
        found = self._look(f"/schemas/guids/{quote(guid, safe='')}")
        return None if found is None else Registered(self._resolved(found), found.get("id"))

    def subjects_of(self, schema_id: int) -> frozenset[str]:
        """The subjects under which an id is registered. Raises as `by_id`."""
        found = self._look(f"/schemas/ids/{schema_id}/versions")
        if not isinstance(found, list):
            return frozenset()
        return frozenset(str(entry.get("subject")) for entry in found if isinstance(entry, dict))

    def id_of(self, subject: str, text: str) -> int | None:
        """The id that a schema has under a subject; None when it is not registered there. Raises as `by_id`."""
        found = self._call("POST", f"/subjects/{quote(subject, safe='')}", {"schema": text})
        return None if found is None else int(found["id"])

    def register(self, subject: str, text: str) -> int:
        """
        Register a schema under a subject; nothing changes when it is there already.

        Returns: its id.
        Raises: BrokerRefused with the registry's words when it is incompatible or not allowed; Retriable.
        """
        found = self._call("POST", f"/subjects/{quote(subject, safe='')}/versions", {"schema": text})
        if found is None:
            raise BrokerRefused(
                f"{self._url}: can't register subjects here", mend="check `[schema_registry] url`"
            )
        return int(found["id"])

    def versions(self, subject: str) -> list[int]:
        """The versions of a subject, ascending; none when it is not there. Raises as `by_id`."""
        found = self._look(f"/subjects/{quote(subject, safe='')}/versions")
        return sorted(int(number) for number in found) if isinstance(found, list) else []

    def version(self, subject: str, number: int) -> Registered | None:
        """A version of a subject. Returns and raises as `by_id`."""
        found = self._look(f"/subjects/{quote(subject, safe='')}/versions/{number}")
        return None if found is None else Registered(self._resolved(found), found.get("id"))

    def incompatibilities(self, subject: str, text: str) -> list[str]:
        """Why a schema does not fit the subject's latest version; empty when it does, or there is none."""
        path = f"/compatibility/subjects/{quote(subject, safe='')}/versions/latest?verbose=true"
        found = self._call("POST", path, {"schema": text})
        if found is None or found.get("is_compatible", True):
            return []
        return [str(message) for message in found.get("messages") or ["incompatible"]]

    def _look(self, path: str) -> Any:
        return self._call("GET", path, None)

    def _call(self, method: str, path: str, body: Mapping[str, object] | None) -> Any:
        """One call with its repeats; None for 404."""
        fault: StreamError = Retriable(f"{self._url}: no answer")
        for attempt in range(TRIES):
            if attempt:
                self._pause(PAUSE_S * 2 ** (attempt - 1))
            try:
                answer = self._http.request(method, self._url + path, json=body)
            except httpx.TransportError as error:
                fault = Retriable(f"{self._url}{path}: {type(error).__name__}: {error}")
                continue
            if answer.status_code not in _AGAIN:
                return self._read(answer, path)
            fault = Retriable(f"{self._url}{path}: {answer.status_code} {_words(answer)}")
        raise fault

    def _read(self, answer: httpx.Response, path: str) -> Any:
        place = f"{self._url}{path}"
        if answer.status_code == 404:
            return None
        if answer.is_redirect:
            raise BrokerRefused(
                f"{place}: redirects to {answer.headers.get('location', '?')}, which is not followed",
                mend="set `[schema_registry] url` to where the registry is",
            )
        if answer.status_code in (401, 403):
            raise BrokerRefused(
                f"{place}: {answer.status_code} {_words(answer)}",
                mend="check `[schema_registry]` user, password or token, and what they may read",
            )
        if not answer.is_success:
            raise BrokerRefused(
                f"{place}: {answer.status_code} {_words(answer)}", mend="see the registry's words"
            )
        if len(answer.content) > ANSWER_BYTES:
            raise BrokerRefused(f"{place}: an answer of {len(answer.content)} bytes is no schema")
        try:
            return answer.json()
        except ValueError as error:
            raise BrokerRefused(
                f"{place}: not JSON: {error}", mend="check `[schema_registry] url`"
            ) from error

    def _resolved(self, found: Mapping[str, Any]) -> str:
        """A schema's text with the schemas that it refers to put where they are first named."""
        references: dict[str, Any] = {}
        self._gather(found, references)
        text = str(found.get("schema", ""))
        return json.dumps(_inlined(json.loads(text), references)) if references else text

    def _gather(self, found: Mapping[str, Any], references: dict[str, Any]) -> None:
        for entry in found.get("references") or ():
            name = str(entry["name"])
            if name in references:
                continue
            if len(references) >= REFERENCES:
                raise BrokerRefused(f"{self._url}: a schema refers to more than {REFERENCES} others")
            subject = quote(str(entry["subject"]), safe="")
            below = self._look(f"/subjects/{subject}/versions/{int(entry['version'])}")
            if below is None:
                raise BrokerRefused(
                    f"{self._url}: the referenced schema {name} ({entry['subject']}) is not there"
                )
            references[name] = json.loads(str(below["schema"]))
            self._gather(below, references)


def _inlined(node: Any, references: dict[str, Any]) -> Any:
    """Replace the first use of each referenced name by its definition; Avro allows one definition a name."""
    if isinstance(node, str) and node in references:
        return _inlined(references.pop(node), references)
    if isinstance(node, list):
        return [_inlined(part, references) for part in node]
    if isinstance(node, dict):
        inner = {"type", "items", "values", "fields"}
        return {key: _inlined(part, references) if key in inner else part for key, part in node.items()}
    return node


def _words(answer: httpx.Response) -> str:
    return answer.text[:300].replace("\n", " ")


def _plain(text: str) -> str:
    return text.reveal() if isinstance(text, Secret) else text


def _trust(settings: RegistrySettings, path: Callable[[Path], Path]) -> ssl.SSLContext | bool:
    """The TLS context: the machine's authorities or the configured one, and the client's certificate."""
    if settings.ca is None and settings.certificate is None:
        return True
    try:
        context = ssl.create_default_context(cafile=None if settings.ca is None else path(settings.ca))
        if settings.certificate is not None:
            key = None if settings.key is None else path(settings.key)
            context.load_cert_chain(path(settings.certificate), key)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(
            f"[schema_registry] ca, certificate or key can't be used: {error}", mend="give PEM files"
        ) from error
    return context
