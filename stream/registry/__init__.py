"""A Confluent-compatible schema registry: the ids that values carry, and the schemas behind them."""

from stream.registry.calls import Connection, Denied, NotServed
from stream.registry.client import Client, Registered
from stream.registry.subjects import Strategy, subject_name
from stream.registry.writers import RegistryWriters

__all__ = [
    "Client",
    "Connection",
    "Denied",
    "NotServed",
    "Registered",
    "RegistryWriters",
    "Strategy",
    "subject_name",
]
