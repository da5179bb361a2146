"""The REST door: JSON, csv and tensors in, the same answers out; many requests are scored as one batch."""

from stream.rest.batching import Batcher
from stream.rest.served import Served
from stream.rest.service import Service, create_app

__all__ = ["Batcher", "Served", "Service", "create_app"]
