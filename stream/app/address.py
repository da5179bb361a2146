"""
Addresses to listen on, and the certificate that a server shows there.

Claimed and checked before anything slow begins, so that what can't be had is reported at once.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path

from stream.errors import SettingsError
from stream.shown import shown

__all__ = ["claim_address", "listeners", "port_of", "server_tls"]


def claim_address(setting: str, host: str, port: int, hint: str) -> socket.socket:
    """
    Bind an address; listening starts later.

    Args:
        setting: that names the port, for the message.
        host: a name or an address, IPv4 or IPv6.
        port: 0 = any free one.
        hint: where to choose another.
    Returns: the socket; the caller closes it.
    Raises: SettingsError when something else listens there, or this process may not.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        claimed = socket.socket(family)
        try:
            claimed.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            claimed.bind((host, port))
        except OSError:
            claimed.close()
            raise
    except OSError as error:
        raise SettingsError(
            f"{setting}: can't listen on {host}:{port}: {error.strerror or error}", hint=hint
        ) from error
    return claimed


def port_of(environ: Mapping[str, str], name: str, default: int = 8080) -> int:
    """
    Args:
        environ: environment variables.
        name: of one that holds a port, from 1 to 65,535.
        default: where it is not set.
    Raises: SettingsError naming the variable.
    """
    text = environ.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) <= 5 and 0 < int(text) < 65_536):
        raise SettingsError(
            f"{name}: expected a port, 1 to 65535, found {shown(repr(text), 200)}",
            hint="set it to the port at which the service is asked, or leave it out",
        )
    return int(text)


def listeners(host: str, port: int, backlog: int) -> list[socket.socket]:
    """
    Listen on every address that a host has.

    Args:
        host: a name or an address, IPv4 or IPv6.
        port: of all of them.
        backlog: connections that the system holds until they are taken.
    Returns: sockets that don't block, at least one; the caller closes them.
    Raises: OSError when one can't be listened on; none does then.
    """
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    opened: list[socket.socket] = []
    try:
        for family, _, _, _, address in dict.fromkeys(found):
            one = socket.socket(family)
            opened.append(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.setblocking(False)
            one.bind(address)
            one.listen(backlog)
    except OSError:
        for one in opened:
            one.close()
        raise
    return opened


def server_tls(
    section: str, certificate: Path | None, key: Path | None, path: Callable[[Path], Path]
) -> ssl.SSLContext | None:
    """
    The TLS context of a server; None where it has no certificate.

    Args:
        section: of the configuration, for messages.
        certificate: PEM file of the certificate and its chain.
        key: PEM file of its key, when that is not in the same file.
        path: makes the configuration's paths absolute.
    Raises: SettingsError when they can't be used; also for a key that has a password, which nobody could be asked for.
    """
    if certificate is None:
        if key is not None:
            raise SettingsError(
                f"{section} key: is set, but certificate is not", hint="set certificate too, or neither"
            )
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(path(certificate), None if key is None else path(key), password="")
    except OSError as error:  # ssl.SSLError is one
        named = " and ".join(str(file) for file in (certificate, key) if file is not None)
        raise SettingsError(
            f"{section} certificate: {named} can't be used: {error.strerror or error}",
            hint="give PEM files of a certificate and its key, the key without a password",
        ) from error
    return context
