"""Where a worker keeps what must survive a crash of its process."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from stream.settings import Settings

__all__ = ["state_folder"]


def state_folder(settings: Settings, host: str) -> Path:
    """
    A worker's own folder; it may not be there yet.

    Args:
        settings: the configuration.
        host: the machine's name.
    """
    if settings.delivery.state is not None:
        return settings.path(settings.delivery.state)
    name = settings.transactional_id(host).replace(os.sep, "_")
    return Path(tempfile.gettempdir()) / f"prediction-stream-{name}"
