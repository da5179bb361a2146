"""
Webhooks of an MLflow server: who sent one, and whether it is new.

The server signs `{delivery id}.{timestamp}.{body}` with the webhook's secret, HMAC-SHA256, base64, as `v1,…`.
Source: `mlflow.webhooks.delivery` of MLflow 3.17.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Mapping

__all__ = ["WEBHOOK_PATH", "Webhook"]

WEBHOOK_PATH = "/webhooks/mlflow"

WINDOW_S = 300.0
"""A timestamp may differ from this machine's clock by so much; what is older may be somebody's recording."""

REMEMBERED = 1_000
"""Deliveries within the window that are known again; a server sends one each time an alias moves."""

LARGEST_BYTES = 65_536
"""Of a delivery: MLflow's have some hundred bytes."""


class Webhook:
    """Judges deliveries; owned by one thread."""

    def __init__(self, secret: str) -> None:
        """
        Args:
            secret: of the webhook, as the server has it.
        """
        self._secret = secret.encode()
        self._seen: OrderedDict[str, float] = OrderedDict()

    def refusal(self, headers: Mapping[str, str], body: bytes, now_s: float) -> str | None:
        """
        Why a delivery is not believed.

        Args:
            headers: of the request, whose names may be asked for in lower case.
            body: as it came.
            now_s: seconds since the epoch.
        Returns: None for one that the server sent just now.
        """
        delivery, sent = headers.get("x-mlflow-delivery-id", ""), headers.get("x-mlflow-timestamp", "")
        signature = headers.get("x-mlflow-signature", "")
        if not delivery or not signature or len(body) > LARGEST_BYTES:
            return "the headers of a signed delivery of MLflow are needed, and a small body"
        signed = b".".join((delivery.encode("utf-8", "replace"), sent.encode("utf-8", "replace"), body))
        expected = b"v1," + base64.b64encode(hmac.new(self._secret, signed, hashlib.sha256).digest())
        if not hmac.compare_digest(expected, signature.encode("utf-8", "replace")):
            return "the signature is not of this secret: see [mlflow] webhook_secret"
        if not (sent.isascii() and sent.isdecimal() and len(sent) < 16) or abs(now_s - int(sent)) > WINDOW_S:
            return f"the timestamp is more than {WINDOW_S:g} s from this machine's clock"
        return None

    def is_new(self, headers: Mapping[str, str], now_s: float) -> bool:
        """Whether a delivery that is believed comes for the first time; the server repeats what had no answer."""
        delivery = headers.get("x-mlflow-delivery-id", "")
        while self._seen and (
            len(self._seen) >= REMEMBERED or now_s - next(iter(self._seen.values())) > 2 * WINDOW_S
        ):
            self._seen.popitem(last=False)
        if delivery in self._seen:
            return False
        self._seen[delivery] = now_s
        return True
