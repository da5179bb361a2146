"""What makes a process look for a new version of its model before the time is up: a webhook of MLflow."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from contextlib import suppress

from stream.mlflow import Webhook
from stream.settings import Settings

__all__ = ["VersionBell"]

log = logging.getLogger(__name__)


class VersionBell:
    """Rings when a webhook says that an alias has moved. Belongs to one event loop."""

    def __init__(self, settings: Settings) -> None:
        """
        Args:
            settings: name the webhook's secret, and how often to look anyway.
        """
        secret, self._every_s = settings.mlflow.webhook_secret, settings.model.reload
        self._webhook = None if secret is None else Webhook(secret)
        self._rung = asyncio.Event()

    @property
    def is_hung(self) -> bool:
        """Whether webhooks are taken."""
        return self._webhook is not None

    @property
    def waits(self) -> bool:
        """Whether there is ever a reason to look."""
        return self._every_s is not None or self.is_hung

    async def wait(self) -> None:
        """Until it is time to look: the time is up, or it has rung since the last wait."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._every_s):
                await self._rung.wait()
        self._rung.clear()

    def take(self, headers: Mapping[str, str], body: bytes) -> tuple[int, dict[str, object]]:
        """
        Answer a webhook.

        Args:
            headers: of the request, whose names may be asked for in lower case.
            body: as it came; what it says is not believed, but looked up.
        Returns: the status, and the JSON of the answer.
        """
        if self._webhook is None:
            return 404, {"error": "no webhooks are taken: [mlflow] webhook_secret is not set"}
        if why := self._webhook.refusal(headers, body, time.time()):
            log.warning("a webhook is refused: %s", why)
            return 401, {"error": why}
        if not self._webhook.is_new(headers, time.time()):
            return 200, {"looks": False}
        self._rung.set()
        return 200, {"looks": True}
