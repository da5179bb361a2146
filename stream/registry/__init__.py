"""A Confluent-compatible schema registry: the ids that values carry, and the schemas behind them."""

from typing import TYPE_CHECKING

from stream.lazy import lazy_face

if TYPE_CHECKING:
    from stream.registry.answers import Denied, Garbled, NotServed
    from stream.registry.calls import Connection
    from stream.registry.client import Client, Registered, subject_name
    from stream.registry.writers import RegistryWriters

__all__ = [
    "Client",
    "Connection",
    "Denied",
    "Garbled",
    "NotServed",
    "Registered",
    "RegistryWriters",
    "subject_name",
]

__getattr__ = lazy_face(__name__)
