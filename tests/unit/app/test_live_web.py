"""The live page at the worker's web: its files, its stream, and viewers that read slowly or stay for ever."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable
from unittest.mock import AsyncMock, Mock

import pytest
from aiohttp import ClientConnectionResetError, web
from aiohttp.test_utils import make_mocked_request

from stream.app.live_web import serve_live
from stream.live import Audience, page_files
from stream.settings import WebSettings
from tests.unit.app.web_rig import Rig, served

pytestmark = pytest.mark.asyncio

EVENTS = b"GET /live/events HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Show:
    """A live page whose snapshots are as large as wanted."""

    def __init__(self, size: int = 20, most: int = 32) -> None:
        self.ticks = 0
        self.audience = Audience(lambda: b'{"a":"%b"}' % (b"x" * size), self.watch, most)
        self.watched = False

    def watch(self, watched: bool) -> None:
        """Noted."""
        self.watched = watched

    def tick(self) -> None:
        """Counted."""
        self.ticks += 1

    def add(self, application: web.Application) -> None:
        """As the worker adds its page."""
        serve_live(application, self.audience, self.tick)


async def read_until(client: socket.socket, wanted: Callable[[bytes], bool]) -> bytes:
    """What came, up to what is wanted."""
    found = b""
    while not wanted(found):
        part = await asyncio.get_running_loop().sock_recv(client, 65_536)
        assert part, found
        found += part
    return found


async def gone(rig: Rig) -> None:
    """Until no connection is left."""
    while len(rig.connections):
        await asyncio.sleep(0.01)


class TestFiles:
    """What the page is made of."""

    @pytest.mark.parametrize("path", sorted(page_files()))
    async def test_file_is_public_typed_and_confined(self, path: str) -> None:
        """It needs no token and shows nothing of the worker; the browser may not guess its type, nor frame it."""
        show = Show()
        async with served(WebSettings(token="hush"), add=show.add) as rig:
            status, answer = await rig.ask(path)

        head = answer.partition("\r\n\r\n")[0]
        assert 200 == status
        assert "X-Content-Type-Options: nosniff" in head
        assert "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'" in head
        assert "frame-ancestors 'none'" in head
        assert re.search(r"Content-Type: (text/(html|css|javascript); charset=utf-8|image/svg\+xml)", head)

    async def test_file_is_not_sent_again_where_it_is_known(self) -> None:
        """A browser asks with the tag that it was given."""
        async with served(add=Show().add) as rig:
            tag = page_files()["/"].headers["ETag"]
            again = await rig.ask("/", **{"If-None-Match": f'"other", W/{tag}'})
            other = await rig.ask("/", **{"If-None-Match": '"other"'})

        assert (304, 200) == (again[0], other[0])
        assert again[1].endswith("\r\n\r\n")

    @pytest.mark.parametrize(
        "path",
        ["/live/", "/live/index.html", "/live/..%2f__init__.py", "/live/../web.py", "/live/__init__.py"],
    )
    async def test_nothing_else_of_the_folder_is_there(self, path: str) -> None:
        """Only the page's own files, by their names."""
        async with served(add=Show().add) as rig:
            assert 404 == (await rig.ask(path))[0]


class TestSnapshots:
    """Who gets the worker's state."""

    @pytest.mark.parametrize("path", ["/live/events", "/live/state"])
    async def test_token_is_asked_for(self, path: str) -> None:
        """The page is public, what it shows is not; and a foreign name reads nothing."""
        show = Show()
        async with served(WebSettings(token="hush"), add=show.add) as rig:
            refused, wrong = (await rig.ask(path))[0], await rig.ask(path, Authorization="Bearer wrong")
            foreign = await rig.ask(path, host="evil.example", Authorization="Bearer hush")
            watched = show.watched

        assert (401, 401, 403, False) == (refused, wrong[0], foreign[0], watched)

    async def test_state_is_one_snapshot(self) -> None:
        """JSON, not to be kept."""
        async with served(WebSettings(token="hush"), add=Show().add) as rig:
            status, answer = await rig.ask("/live/state", Authorization="Bearer hush")

        assert (200, '{"a":"xxxxxxxxxxxxxxxxxxxx"}') == (status, answer.rpartition("\r\n")[2])
        assert "Cache-Control: no-store" in answer

    async def test_stream_begins_at_once_and_ends_with_the_client(self) -> None:
        """Server-sent events; a place is free again when its viewer is gone."""
        show = Show()
        async with served(add=show.add) as rig:
            [client] = await rig.connect(1, EVENTS)
            found = await read_until(client, lambda got: got.count(b"\n\n") >= 1 and b"data: " in got)
            during = len(show.audience)
            client.close()
            await gone(rig)
            after = len(show.audience)

        assert b"text/event-stream" in found
        assert b'event: state\ndata: {"a":"xxxxxxxxxxxxxxxxxxxx"}\n\n' in found
        assert (1, 0) == (during, after)

    async def test_viewers_are_bounded_and_probes_answered(self) -> None:
        """One more is told when to come again; health is answered through the crowd."""
        show = Show(most=3)
        async with served(add=show.add) as rig:
            for client in await rig.connect(3, EVENTS):
                await read_until(client, lambda got: b"data: " in got)
            status, answer = await rig.ask("/live/events")

            assert 503 == status
            assert "Retry-After: 5" in answer
            assert "3 viewers are looking" in answer
            assert 503 == (await rig.ask("/live/state"))[0]
            assert 200 == (await rig.ask())[0]

    async def test_viewer_that_does_not_read_is_let_go(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It holds a few snapshots for as long as it has to take them, whatever their size; others get theirs."""
        monkeypatch.setattr("stream.live.audience.EVERY_S", 0.005)
        monkeypatch.setattr("stream.app.live_web.SEND_S", 0.1)
        show = Show(size=200_000)
        async with served(add=show.add) as rig:
            [mute] = await rig.connect(1, EVENTS)
            [reading] = await rig.connect(1, EVENTS)
            while len(show.audience) < 2:
                await asyncio.sleep(0.005)
            while len(show.audience) > 1:
                await read_until(reading, lambda got: got.count(b"data: ") >= 3)
            mute.close()

            assert 1 == len(show.audience)

    async def test_trail_is_kept_while_nobody_looks(self) -> None:
        """The application ticks from its start on, in a thread; no snapshot is made for it."""
        show = Show()
        async with served(add=show.add) as rig:
            while not show.ticks:
                await asyncio.sleep(0.005)

            assert (1, False, 0) == (show.ticks, show.watched, len(rig.connections))

    async def test_end_of_the_process_ends_streams_in_order(self) -> None:
        """Each viewer reads the end of its answer; none is waited for."""
        show = Show()
        async with served(add=show.add) as rig:
            clients = await rig.connect(5, EVENTS)
            for client in clients:
                await read_until(client, lambda got: b"data: " in got)
            show.audience.close()
            ends = [await read_until(client, lambda got: got.endswith(b"0\r\n\r\n")) for client in clients]

        assert 5 == len(ends)


@pytest.mark.parametrize("path", ["/", "/live/live.js", "/live/state", "/live/events"])
async def test_viewer_that_is_gone_before_its_answer_leaves_no_trace_in_the_log(
    path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever connects and vanishes can't fill the log."""
    show, application = Show(), web.Application()
    show.add(application)
    left = Mock(write_headers=AsyncMock(side_effect=ClientConnectionResetError))
    request = make_mocked_request("GET", path, writer=left, app=application)
    match = await application.router.resolve(request)

    answer = await match.handler(request)
    show.audience.close()

    assert 200 == answer.status
    assert [] == caplog.messages
