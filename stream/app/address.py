"""Addresses to listen on: claimed before anything slow begins, so that one that is taken is reported at once."""

from __future__ import annotations

import socket

from stream.errors import SettingsError

__all__ = ["claim_address"]


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
