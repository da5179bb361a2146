"""A user's own module: the worker's app, with an agent, a channel, a timer, a command and a page of their own."""

from __future__ import annotations

import os
from typing import Any

from stream.app import app as hosted

app: Any = hosted

seen = {"predictions": 0, "channel": 0, "ticks": 0}

predictions = app.topic(os.environ["USER_TOPIC"], value_serializer="raw", key_serializer="raw")
channel = app.channel(maxsize=1)


@app.agent(predictions)  # type: ignore[untyped-decorator]
async def react(values: Any) -> None:
    """Reacts to each prediction, and hands it on within the process."""
    async for value in values:
        seen["predictions"] += 1
        await channel.put(value)


@app.agent(channel)  # type: ignore[untyped-decorator]
async def count(values: Any) -> None:
    """Reads what the other agent hands on."""
    async for _ in values:
        seen["channel"] += 1


@app.timer(interval=0.2)  # type: ignore[untyped-decorator]
async def tick() -> None:
    """Counts time."""
    seen["ticks"] += 1


@app.page("/mine")  # type: ignore[untyped-decorator]
async def mine(web: Any, request: Any) -> Any:
    """Shows what was seen."""
    return web.json(seen)


@app.command()  # type: ignore[untyped-decorator]
async def greet() -> None:
    """Says hello."""
    print("hello from the user's command")  # noqa: T201  it is a command
