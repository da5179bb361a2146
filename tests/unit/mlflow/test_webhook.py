"""Deliveries of MLflow's webhooks: signed as MLflow signs them, or refused."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac

import pytest

from stream.app.version_bell import VersionBell
from stream.mlflow import Webhook
from stream.settings import MlflowSettings, ModelSettings, Secret, Settings

NOW = 1_800_000_000.0

BODY = b'{"entity": "model_version_alias", "action": "created", "data": {"name": "flights"}}'


def delivered(
    secret: str = "hush", sent: str = "1800000000", delivery: str = "d1", body: bytes = BODY
) -> dict[str, str]:
    """Headers, made without the code that is tested."""
    signed = f"{delivery}.{sent}.".encode() + body
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    return {
        "x-mlflow-delivery-id": delivery,
        "x-mlflow-timestamp": sent,
        "x-mlflow-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def test_delivery_is_signed_as_mlflow_signs() -> None:
    """By MLflow's own code."""
    from mlflow.webhooks import delivery

    sign = vars(delivery)["_generate_hmac_signature"]

    assert delivered()["x-mlflow-signature"] == sign("hush", "d1", "1800000000", BODY.decode())


@pytest.mark.parametrize(
    ("headers", "body", "said"),
    [
        (delivered(), BODY, None),
        (delivered(sent="1799999800"), BODY, None),
        (delivered("other"), BODY, "signature"),
        (delivered(), BODY + b" ", "signature"),
        (delivered() | {"x-mlflow-timestamp": "1800000001"}, BODY, "signature"),
        (delivered() | {"x-mlflow-delivery-id": "d2"}, BODY, "signature"),
        (delivered() | {"x-mlflow-signature": "v1,"}, BODY, "signature"),
        (delivered() | {"x-mlflow-signature": "v1,ä"}, BODY, "signature"),
        (delivered(sent="1799999699"), BODY, "timestamp"),
        (delivered(sent="1800000301"), BODY, "timestamp"),
        (delivered(sent="soon"), BODY, "timestamp"),
        (delivered(sent="-1"), BODY, "timestamp"),
        (delivered(delivery=""), BODY, "headers"),
        (delivered(body=b"x" * 70_000), b"x" * 70_000, "small body"),
        ({}, BODY, "headers"),
    ],
)
def test_delivery_is_believed_or_refused(headers: dict[str, str], body: bytes, said: str | None) -> None:
    """With the secret, and just now."""
    why = Webhook("hush").refusal(headers, body, NOW)

    assert why is None if said is None else said in str(why)


def test_delivery_that_is_repeated_is_known() -> None:
    """It is answered as the first, and nobody looks again; after the window it is forgotten."""
    webhook = Webhook("hush")

    assert [True, False, True] == [webhook.is_new(delivered(), at) for at in (NOW, NOW + 1, NOW + 700)]


def _bell(secret: str | None, reload: None = None) -> VersionBell:
    hidden = None if secret is None else Secret(secret)
    return VersionBell(
        Settings(mlflow=MlflowSettings(webhook_secret=hidden), model=ModelSettings(reload=reload))
    )


@pytest.mark.asyncio
async def test_bell_rings_once_for_a_delivery(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `reload` it is the only reason to look."""
    monkeypatch.setattr("time.time", lambda: NOW)
    bell = _bell("hush")

    assert (401, 200, 200) == (
        bell.take(delivered("other"), BODY)[0],
        *(bell.take(delivered(), BODY)[0] for _ in range(2)),
    )
    await asyncio.wait_for(bell.wait(), 5)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(bell.wait(), 0.01)


def test_without_a_secret_there_is_no_bell() -> None:
    """Nor any reason to look, where `reload` is off."""
    bell = _bell(None)

    assert (False, False, 404) == (bell.is_hung, bell.waits, bell.take(delivered(), BODY)[0])
