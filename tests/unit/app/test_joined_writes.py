"""Parts of an answer leave together, and none is lost or kept for long."""

from __future__ import annotations

import asyncio

from stream.app.joined_writes import JoinedWrites


class Transport(asyncio.Transport):
    """Remembers what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[bytes | str] = []

    def write(self, data: object) -> None:
        """Remember it."""
        assert isinstance(data, bytes)
        self.given.append(data)

    def close(self) -> None:
        """Remember it."""
        self.given.append("closed")

    def is_closing(self) -> bool:
        """Whether `close` was called."""
        return "closed" in self.given


async def _written(*parts: bytes) -> tuple[Transport, JoinedWrites]:
    transport = Transport()
    writes = JoinedWrites(transport, asyncio.get_running_loop())
    for part in parts:
        writes.write(part)
    return transport, writes


def test_what_is_written_in_one_turn_leaves_together() -> None:
    """At its end, without being asked."""

    async def run() -> list[bytes | str]:
        transport, writes = await _written(b"head", b"body")
        before = list(transport.given)
        await asyncio.sleep(0)
        writes.write(b"next")
        await asyncio.sleep(0)
        return [*before, *transport.given]

    assert [b"headbody", b"next"] == asyncio.run(run())


def test_an_answer_that_is_complete_leaves_at_once() -> None:
    """And not a second time at the end of the turn."""

    async def run() -> list[bytes | str]:
        transport, writes = await _written(b"head", b"body")
        writes.flush()
        before = list(transport.given)
        await asyncio.sleep(0)
        assert before == transport.given
        return before

    assert [b"headbody"] == asyncio.run(run())


def test_much_does_not_wait_for_the_end_of_the_turn() -> None:
    """Many small parts count together: the transport must see what its client doesn't fetch."""

    async def run() -> list[int]:
        transport, _ = await _written(*[b"x" * 1_000] * 100)
        return [len(each) for each in transport.given]

    assert [66_000] == asyncio.run(run())


def test_a_connection_closes_behind_what_was_written() -> None:
    """What is written later goes nowhere: a transport that is closed raises."""

    async def run() -> list[bytes | str]:
        transport, writes = await _written(b"head", b"body")
        writes.close()
        writes.write(b"late")
        await asyncio.sleep(0)
        return transport.given

    assert [b"headbody", "closed"] == asyncio.run(run())
