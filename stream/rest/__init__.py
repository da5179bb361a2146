"""The REST service: JSON, csv and tensors in, the same answers out; many requests are scored as one batch."""

from stream.rest.application import create_app
from stream.rest.batcher import Batcher
from stream.rest.endpoint import Endpoint
from stream.rest.live_page import LIVE_PATHS, live_page
from stream.rest.served_model import Served
from stream.rest.service import Service
from stream.rest.vertex_routes import vertex_endpoints, vertex_path_is_free
from stream.rest.webhooks import webhook_endpoint

__all__ = [
    "LIVE_PATHS",
    "Batcher",
    "Endpoint",
    "Served",
    "Service",
    "create_app",
    "live_page",
    "vertex_endpoints",
    "vertex_path_is_free",
    "webhook_endpoint",
]
