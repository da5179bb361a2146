"""A Confluent-compatible schema registry: the ids that values carry, and the schemas behind them."""

from stream.registry.calls import Connection, Denied, NotServed
from stream.registry.client import Client, Registered, subject_name
from stream.registry.writers import RegistryWriters

__all__ = [
    "Client",
    "Connection",
    "Denied",
    "NotServed",
    "Registered",
    "RegistryWriters",
    "subject_name",
]
