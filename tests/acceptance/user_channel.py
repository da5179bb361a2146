"""A user's own module without any topic: a channel agent alone, fed by a timer."""

from __future__ import annotations

from typing import Any

from stream.app import app as hosted

app: Any = hosted

seen = {"channel": 0}
channel = app.channel(maxsize=1)


@app.agent(channel)  # type: ignore[untyped-decorator]
async def count(values: Any) -> None:
    """Reads the channel."""
    async for _ in values:
        seen["channel"] += 1


@app.timer(interval=0.1)  # type: ignore[untyped-decorator]
async def feed() -> None:
    """Feeds the channel."""
    await channel.put(b"x")


@app.page("/mine")  # type: ignore[untyped-decorator]
async def mine(web: Any, request: Any) -> Any:
    """Shows what was seen."""
    return web.json(seen)
