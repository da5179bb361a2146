"""Viewers of the live page: one snapshot for all, none when nobody looks."""

from __future__ import annotations

import asyncio
import re
import threading
from contextlib import aclosing

import pytest

from stream.live import Audience

pytestmark = pytest.mark.asyncio


class Making:
    """Makes numbered snapshots, and notes who is told what."""

    def __init__(self) -> None:
        self.made = 0
        self.told: list[bool] = []
        self.gate = threading.Event()
        self.gate.set()

    def make(self) -> bytes:
        """The next one."""
        self.gate.wait(5)
        self.made += 1
        return b"%d" % self.made


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Snapshots follow each other at once; nobody is waited for."""
    monkeypatch.setattr("stream.live.audience.EVERY_S", 0.005)
    monkeypatch.setattr("stream.live.audience.LINGER_S", 0.0)


async def quiet(making: Making) -> None:
    """Until nobody looks any longer."""
    while making.told[-1:] != [False]:
        await asyncio.sleep(0.002)


@pytest.mark.usefixtures("fast")
class TestAudience:
    """Who gets what."""

    async def test_first_event_comes_at_once_and_others_follow(self) -> None:
        """Each is a whole server-sent event."""
        making = Making()
        audience = Audience(making.make, making.told.append)
        async with aclosing(audience.events()) as events:
            found = [await anext(events) for _ in range(3)]
        matches = [re.fullmatch(rb"event: state\ndata: (\d+)\n\n", event) for event in found]
        numbers = [int(match[1]) for match in matches if match]

        assert 3 == len(numbers)
        assert sorted(set(numbers)) == numbers

    async def test_viewers_share_each_snapshot(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """However many look, it is made once; a newcomer gets the newest at once."""
        monkeypatch.setattr("stream.live.audience.EVERY_S", 60.0)
        making = Making()
        audience = Audience(making.make, making.told.append)
        async with aclosing(audience.events()) as first, aclosing(audience.events()) as second:
            found = [await anext(first), await anext(second)]
            audience.close()

        assert [b"event: state\ndata: 1\n\n"] * 2 == found
        assert 1 == making.made

    async def test_nothing_is_made_when_nobody_looks(self) -> None:
        """Before the first viewer, and after the last; the worker is told of both."""
        making = Making()
        audience = Audience(making.make, making.told.append)
        before = making.made
        await audience.state()
        await quiet(making)
        made = making.made
        await asyncio.sleep(0.03)

        assert (0, made) == (before, making.made)
        assert [True, False] == making.told

    async def test_asking_now_and_then_is_looking(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whoever asks again within the time to linger finds the page as it was."""
        monkeypatch.setattr("stream.live.audience.LINGER_S", 5.0)
        making, now = Making(), [0.0]
        audience = Audience(making.make, making.told.append, clock=lambda: now[0])
        for _ in range(5):
            await audience.state()
            now[0] += 4.0
            made = making.made
            while making.made < made + 2:
                await asyncio.sleep(0.002)

        assert [True] == making.told

        now[0] += 2.0
        await quiet(making)

    async def test_slow_viewer_misses_snapshots_and_holds_up_nobody(self) -> None:
        """It gets the newest when it comes back; the others got theirs."""
        making = Making()
        audience = Audience(making.make, making.told.append)
        async with aclosing(audience.events()) as slow, aclosing(audience.events()) as quick:
            await anext(slow)
            for _ in range(20):
                last = await anext(quick)
            found = await anext(slow)

        assert int(found.split()[-1]) >= int(last.split()[-1])

    async def test_silence_is_broken_by_a_comment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """While a snapshot takes long, a viewer still sees that somebody is there."""
        monkeypatch.setattr("stream.live.audience.HEARTBEAT_S", 0.02)
        making = Making()
        audience = Audience(making.make, making.told.append)
        async with aclosing(audience.events()) as events:
            await anext(events)
            making.gate.clear()
            found = {await anext(events) for _ in range(3)}
            making.gate.set()

        assert b": \n\n" in found

    async def test_as_many_as_there_is_room_for(self) -> None:
        """A further one is told why, and gets no event; a place is free again when one goes."""
        making = Making()
        audience = Audience(making.make, making.told.append, most=2)
        async with aclosing(audience.events()) as first:
            await anext(first)
            async with aclosing(audience.events()) as second:
                await anext(second)

                assert "2 viewers are looking" in audience.full
                assert [] == [event async for event in audience.events()]
                assert b"" == await audience.state()
            assert "" == audience.full
            assert 1 == len(audience)

    async def test_close_lets_all_go_at_once(self) -> None:
        """Those who wait, too; nobody is taken afterwards, and the worker is told."""
        making = Making()
        audience = Audience(making.make, making.told.append)

        async def look() -> int:
            return len([event async for event in audience.events()])

        viewers = [asyncio.create_task(look()) for _ in range(3)]
        while making.made < 3:
            await asyncio.sleep(0.002)
        audience.close()
        seen = await asyncio.wait_for(asyncio.gather(*viewers), 1.0)
        await quiet(making)

        assert all(seen)
        assert (b"", "the process ends") == (await audience.state(), audience.full)

    async def test_snapshot_that_can_not_be_made_ends_viewers_only(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A bug is logged with its traceback; the next viewer is served again."""
        making = Making()
        faults = [RuntimeError("planted")]

        def make() -> bytes:
            if faults:
                raise faults.pop()
            return making.make()

        audience = Audience(make, making.told.append)

        assert [] == [event async for event in audience.events()]
        assert ["planted"] == [str(r.exc_info[1]) for r in caplog.records if r.exc_info]
        assert b"1" == await audience.state()
