"""
A downstream application: it reads the predictions and says which flights need help. An ordinary Faust app.

It shares nothing with the worker but the predictions topic and the predictions' Avro schema: its own process, its
own consumer group, no import of prediction-stream. Each prediction above a threshold becomes a line in the log and
an alert, JSON keyed by the flight's id, on a topic of its own.

    faust -A late_flights worker --loglevel info

Set by environment variables: KAFKA_BOOTSTRAP (localhost:9092), PREDICTION_SCHEMA (schemas/prediction.avsc),
PREDICTIONS_TOPIC (flights.predictions), ALERTS_TOPIC (flights.alerts), THRESHOLD (0.8), GROUP (late-flights),
WEB_PORT (6067), and SCHEMA_REGISTRY, its address, where the predictions name their schema by a registry's id.

Faust reads at least once, and sees predictions before the transaction that they are part of is committed: after a
crash on either side an alert may come twice, with the same key and the same `event`. Readers of the alerts drop the
second.
"""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import tempfile
import urllib.request
from collections.abc import AsyncIterable
from functools import cache
from pathlib import Path
from typing import Any

import fastavro
import faust
from fastavro.schema import fingerprint, to_parsing_canonical_form

log = logging.getLogger("late_flights")

THRESHOLD = float(os.environ.get("THRESHOLD", "0.8"))
SCHEMA = json.loads(Path(os.environ.get("PREDICTION_SCHEMA", "schemas/prediction.avsc")).read_text("utf-8"))

MARK = b"\xc3\x01" + bytes.fromhex(fingerprint(to_parsing_canonical_form(SCHEMA), "CRC-64-AVRO"))
"""What a value starts with: Avro's single-object encoding, `C3 01` and the schema's fingerprint."""

REGISTRY = os.environ.get("SCHEMA_REGISTRY", "")
BY_ID = b"\0"
"""With a registry a value starts with 0, and the id of its schema in 4 bytes."""

PARSED = fastavro.parse_schema(SCHEMA)

app = faust.App(
    os.environ.get("GROUP", "late-flights"),
    broker="kafka://" + os.environ.get("KAFKA_BOOTSTRAP", "localhost:9092"),
    store="memory://",
    datadir=str(Path(tempfile.gettempdir()) / "late-flights"),
    topic_disable_leader=True,
    web_bind="127.0.0.1",
    web_port=int(os.environ.get("WEB_PORT", "6067")),
)
predictions = app.topic(
    os.environ.get("PREDICTIONS_TOPIC", "flights.predictions"),
    key_type=bytes,
    key_serializer="raw",
    value_type=bytes,
    value_serializer="raw",
)
alerts = app.topic(
    os.environ.get("ALERTS_TOPIC", "flights.alerts"),
    key_type=bytes,
    key_serializer="raw",
    value_serializer="json",
    partitions=4,
)


def decode(value: bytes) -> dict[str, Any]:
    """
    Read a prediction. Blocks while the registry is asked, once for each schema.

    Args:
        value: of a record of the predictions topic.
    Raises: ValueError when another schema wrote it.
    """
    if REGISTRY and value.startswith(BY_ID):
        written_with = writer_schema(int.from_bytes(value[1:5], "big"))
        prediction = fastavro.schemaless_reader(io.BytesIO(value[5:]), written_with, PARSED)
        assert isinstance(prediction, dict)
        return prediction
    if not value.startswith(MARK):
        found = value[: len(MARK)].hex(" ")
        raise ValueError(f"expected a prediction that starts with {MARK.hex(' ')}, found {found}")
    prediction = fastavro.schemaless_reader(io.BytesIO(value[len(MARK) :]), PARSED, None)
    assert isinstance(prediction, dict)
    return prediction


@cache
def writer_schema(number: int) -> Any:
    """The schema that the registry has under an id."""
    with urllib.request.urlopen(f"{REGISTRY}/schemas/ids/{number}", timeout=10) as answer:
        return fastavro.parse_schema(json.loads(json.load(answer)["schema"]))


def as_alert(prediction: dict[str, Any]) -> dict[str, Any]:
    """
    What to tell those who can do something.

    Args:
        prediction: decoded; its flight's id is such as 2013-10-20-UA-1545-EWR.
    """
    carrier, number = prediction["flight_id"].split("-")[3:5]
    return {
        "flight": f"{carrier}-{number}",
        "flight_id": prediction["flight_id"],
        "origin": prediction["origin"],
        "dest": prediction["dest"],
        "probability": round(prediction["score"], 4),
        "advice": "rebook connections",
        "model": prediction["model"],
        "event": f"{prediction['source_partition']}@{prediction['source_offset']}",
    }


@app.agent(predictions)
async def rebook(stream: AsyncIterable[bytes]) -> None:
    """Raise an alert for each flight that will probably be late."""
    await alerts.maybe_declare()
    async for value in stream:
        prediction = await asyncio.to_thread(decode, value)
        if prediction["score"] < THRESHOLD:
            continue
        alert = as_alert(prediction)
        log.info(
            "%(flight)s likely late (%(probability).0f %%), %(origin)s to %(dest)s: %(advice)s"
            % (alert | {"probability": 100 * prediction["score"]})
        )
        await alerts.send(key=prediction["flight_id"].encode(), value=alert)


@app.page("/health")
async def health(web: Any, request: Any) -> Any:
    """Answer 200 while it is a settled member of its group, 503 before that and during a rebalance."""
    ready = app.rebalancing_count > 0 and not app.rebalancing
    return web.json({"ready": ready}, status=200 if ready else 503)
