"""What a container trusts: the signatures, types and sizes of the configuration that a package is exported with."""

from __future__ import annotations

import json

from stream.settings import Settings

__all__ = ["trust_variables"]


def trust_variables(settings: Settings) -> dict[str, str]:
    """
    The variables by which a container asks of a package what this configuration asks.

    Args:
        settings: with `[model]`.
    Returns: those that are not as by default; lists are JSON.
    """
    model, default = settings.model, type(settings.model)()
    found = {}
    if model.require_signature:
        found["STREAM_MODEL__REQUIRE_SIGNATURE"] = "true"
    if model.trusted_types:
        found["STREAM_MODEL__TRUSTED_TYPES"] = json.dumps(list(model.trusted_types))
    if model.trusted_keys:
        found["STREAM_MODEL__TRUSTED_KEYS"] = json.dumps([str(key) for key in model.trusted_keys])
    if model.max_size != default.max_size:
        found["STREAM_MODEL__MAX_SIZE"] = str(int(model.max_size))
    return found
