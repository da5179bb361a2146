"""
`python -m benchmarks.rest.load`: closed-loop clients in a process of their own.

Each asks, waits for the answer, and asks again about the next row. The plan comes on stdin, the result goes to
stdout, JSON both.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import aiohttp

__all__ = ["measure"]

_WARM_UP_S = 2.0
"""Before the clock counts: first calls import, allocate and fill caches."""


async def measure(url: str, bodies: list[bytes], clients: int, seconds: float) -> dict[str, Any]:
    """
    Ask for some seconds.

    Args:
        url: of the endpoint.
        bodies: requests, asked for by turns.
        clients: that ask at the same time, over a connection each.
        seconds: how long, after a warm-up.
    Returns: latencies in ms, errors by kind, seconds, and per body one answer.
    """
    latencies: list[float] = []
    errors: dict[str, int] = {}
    answers: dict[int, str] = {}
    begin = time.perf_counter() + _WARM_UP_S
    end = begin + seconds
    connector = aiohttp.TCPConnector(limit=clients)
    headers = {"content-type": "application/json"}

    async def client(number: int) -> None:
        turn = number
        while (started := time.perf_counter()) < end:
            row = turn % len(bodies)
            turn += clients
            try:
                async with session.post(url, data=bodies[row], headers=headers) as answer:
                    text = await answer.text()
                    problem = "" if answer.status == 200 else f"HTTP {answer.status}"
            except aiohttp.ClientError as error:
                text, problem = "", type(error).__name__
            done = time.perf_counter()
            if problem:
                errors[problem] = errors.get(problem, 0) + 1
            else:
                answers[row] = text
            if started >= begin and done <= end and not problem:
                latencies.append((done - started) * 1e3)

    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*map(client, range(clients)))
    return {"latencies_ms": latencies, "errors": errors, "seconds": seconds, "answers": answers}


def main() -> None:
    """Read the plan, carry it out, write the result."""
    plan = json.load(sys.stdin)
    bodies = [json.dumps(body).encode() for body in plan["bodies"]]
    json.dump(asyncio.run(measure(plan["url"], bodies, plan["clients"], plan["seconds"])), sys.stdout)


if __name__ == "__main__":
    main()
