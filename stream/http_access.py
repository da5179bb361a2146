"""
Who may ask an HTTP door: by which name it may be called, and with which token.

A page of the web can have its own name point at this machine, and then read what the door answers to that name (DNS
rebinding). Such a request's `Host` is that name; it is never an address, since a page can't choose whose an address
is.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection
from ipaddress import ip_address

from stream.settings import Secret

__all__ = ["bears", "is_called", "is_loopback"]

ANY = "*"
"""Listed among the names: every name is taken."""

_UNSPECIFIED = ("", "0.0.0.0", "::")


def is_called(host: str, bound: str, names: Collection[str]) -> bool:
    """
    Whether a request's `Host` is a name of this door.

    Args:
        host: the header, with or without a port, which may be any: ports are forwarded.
        bound: the address or name that the door listens on. The loopback's addresses and `localhost` are one; a door
            that listens on all addresses is called by any address.
        names: other names; `*` is all of them.
    """
    name = _name_of(host)
    if ANY in names or name in {_name_of(listed) for listed in names}:
        return True
    own = _plain(bound)
    if own in _UNSPECIFIED:
        return name == "localhost" or _is_address(name)
    return name == own or (is_loopback(own) and is_loopback(name))


def bears(token: str, authorization: str) -> bool:
    """
    Whether a request may enter; as long in coming where the token is wrong as where it is right.

    Args:
        token: the door's.
        authorization: the request's header, decoded as Latin-1, as servers do; "" where it has none.
    """
    scheme, _, given = authorization.partition(" ")
    plain = token.reveal() if isinstance(token, Secret) else token
    # Whatever the client meant, as bytes again it is UTF-8.
    right = hmac.compare_digest(given.strip(" \t").encode("latin-1", "replace"), plain.encode())
    return right and scheme.lower() == "bearer"


def _name_of(host: str) -> str:
    """A host without its port."""
    if _is_address(host):
        return _plain(host)
    if host.startswith("["):
        return _plain(host.partition("]")[0] + "]")
    return _plain(host.partition(":")[0])


def _plain(name: str) -> str:
    """One spelling of each name and address: lower case, without brackets and a dot at the end."""
    text = name.strip().lower().removeprefix("[").removesuffix("]").removesuffix(".")
    return str(ip_address(text)) if _is_address(text) else text


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def is_loopback(name: str) -> bool:
    """Whether an address, or the name `localhost`, is this machine's own."""
    return name == "localhost" or (_is_address(name) and ip_address(name).is_loopback)
