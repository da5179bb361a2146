"""The REST service: JSON, csv and tensors in, the same answers out; many requests are scored as one batch."""

from stream.rest.application import create_app
from stream.rest.batcher import Batcher
from stream.rest.served_model import Served
from stream.rest.service import Service

__all__ = ["Batcher", "Served", "Service", "create_app"]
