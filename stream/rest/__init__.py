"""The REST service: JSON, csv and tensors in, the same answers out; many requests are scored as one batch."""

from stream.rest.application import create_app
from stream.rest.batcher import Batcher
from stream.rest.endpoint import Endpoint
from stream.rest.front import Front
from stream.rest.live_page import LIVE_PATHS, live_page
from stream.rest.loaded_models import LoadedModels, Loader, room_for_models
from stream.rest.model_routes import create_models_app
from stream.rest.problems import Problem
from stream.rest.served_model import Served
from stream.rest.service import Service
from stream.rest.vertex_routes import vertex_endpoints, vertex_path_is_free
from stream.rest.webhooks import webhook_endpoint

__all__ = [
    "LIVE_PATHS",
    "Batcher",
    "Endpoint",
    "Front",
    "LoadedModels",
    "Loader",
    "Problem",
    "Served",
    "Service",
    "create_app",
    "create_models_app",
    "live_page",
    "room_for_models",
    "vertex_endpoints",
    "vertex_path_is_free",
    "webhook_endpoint",
]
