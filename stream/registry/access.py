"""Where the registry is, and who asks: address, credentials and certificates, checked before the first call."""

from __future__ import annotations

import base64
import re
import ssl
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from stream.errors import SettingsError
from stream.settings import RegistrySettings, Secret

__all__ = ["checked_url", "credentials", "trust"]

_TOKEN = re.compile(r"[\x21-\x7e]+")


def checked_url(url: str) -> str:
    """
    The registry's base address, without a slash at its end.

    Raises: SettingsError when it is not an address; the message does not repeat one that may hold a password.
    """
    key = "[schema_registry] url"
    try:
        parts = urlsplit(url)
        port = parts.port  # a number out of range raises here
    except ValueError as error:
        raise SettingsError(f"{key} is not an address", hint="write `https://host:port`") from error
    if "@" in url:  # anywhere: with a slash too few it is not where a user is looked for
        raise SettingsError(f"{key} holds a user", hint="give `user` and `password` as keys of their own")
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or "," in parts.netloc:
        raise SettingsError(
            f"{key}: expected one http or https address, found {url!r}", hint="write `https://host:port`"
        )
    if parts.query or parts.fragment:
        raise SettingsError(f"{key}: an address has no `?` or `#`", hint="leave them out")
    return url.rstrip("/")


def credentials(
    settings: RegistrySettings,
) -> tuple[tuple[str, str] | None, dict[str, str], tuple[str, ...]]:
    """
    How to authenticate.

    Returns: user and password for basic authentication or None; headers; what must never be printed.
    Raises: SettingsError naming the key, never its value.
    """
    user, password, token = settings.user, _plain(settings.password), _plain(settings.token)
    if user and token:
        raise SettingsError("[schema_registry] has both user and token", hint="leave one of them out")
    if password and not user:
        raise SettingsError("[schema_registry] password is set without a user", hint="add `user`")
    if user and ":" in user:
        raise SettingsError("[schema_registry] user: may not hold a colon", hint="correct it")
    if token:
        if not _TOKEN.fullmatch(token):
            raise SettingsError(
                "[schema_registry] token holds a space, a line's end or another character that no header can"
                " carry",
                hint="look at the file or variable it comes from",
            )
        return None, {"Authorization": f"Bearer {token}"}, (token,)
    if not user:
        return None, {}, ()
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    return (user, password), {}, (pair, password) if password else (pair,)


def _plain(text: str | Secret | None) -> str:
    return text.reveal() if isinstance(text, Secret) else text or ""


def trust(settings: RegistrySettings, path: Callable[[Path], Path]) -> ssl.SSLContext:
    """
    The TLS context: the machine's authorities or the configured ones, and the client's certificate.

    Args:
        settings: names the PEM files.
        path: makes their paths absolute.
    Raises: SettingsError when one can't be used.
    """
    if settings.key is not None and settings.certificate is None:
        raise SettingsError("[schema_registry] key is set without a certificate", hint="add `certificate`")
    try:
        context = ssl.create_default_context(cafile=None if settings.ca is None else path(settings.ca))
        if settings.certificate is not None:
            key = None if settings.key is None else path(settings.key)
            # A password of our own, or OpenSSL would ask for one on the terminal and wait.
            context.load_cert_chain(path(settings.certificate), key, password="")
    except OSError as error:  # ssl.SSLError is one
        raise SettingsError(
            f"[schema_registry] ca, certificate or key can't be used: {error}",
            hint="give PEM files, the key without a password",
        ) from error
    return context
