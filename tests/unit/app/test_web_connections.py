"""The worker's web under clients that say nothing, too much, or too often."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import ssl
from pathlib import Path

import pytest

from stream.app.address import server_tls
from stream.app.web_connections import Turns
from stream.settings import WebSettings
from tests.authority import Authority
from tests.unit.app.web_rig import HEALTH, rest, served

pytestmark = pytest.mark.asyncio

HALF_A_HEAD = b"GET /health/live HTTP/1.1\r\nX: "
GET = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n"
HANGS = b"GET /hangs HTTP/1.1\r\nHost: localhost\r\n\r\n"


def files_open() -> int:
    """Of this process."""
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - a count


class TestCrowds:
    """Clients that only hold connections."""

    @pytest.mark.parametrize("said", [b"", HALF_A_HEAD, HANGS])
    async def test_newcomer_is_answered_through_a_crowd(self, said: bytes) -> None:
        """Whatever the crowd says, and however many they are; it never holds more than its number."""
        async with served() as rig:
            await rig.connect(50, said)

            assert 200 == (await rig.ask())[0]
            assert 10 >= len(rig.connections)

    async def test_body_of_thousands_of_chunks_ends_its_connection(self) -> None:
        """Each is work for the loop; a few are taken, as those of a page that reads them may be."""
        head = b"POST /health/live HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        end = b"0\r\n\r\n"
        async with served() as rig:
            [flood] = await rig.connect(1, head + b"1\r\na\r\n" * 5_000 + end)
            [few] = await rig.connect(1, head + b"1\r\na\r\n" * 50 + end)

            assert b"" == await rest(flood)
            assert (await asyncio.get_running_loop().sock_recv(few, 100)).startswith(b"HTTP/1.1 405 ")
            assert 200 == (await rig.ask())[0]

    async def test_those_silent_for_longest_make_room(self) -> None:
        """A request that is being answered is not cut off for a newcomer while another says nothing."""
        async with served(most=3) as rig:
            [answered] = await rig.connect(1, HANGS)
            while not rig.hanging:
                await asyncio.sleep(0.01)
            crowd = await rig.connect(6, HALF_A_HEAD)

            assert [b""] * 4 == [await rest(client) for client in crowd[:4]]
            with pytest.raises(BlockingIOError):
                answered.recv(1)

    async def test_silence_has_a_limit(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Before a first request, and between two."""
        for name, value in (("HEAD_S", 0.05), ("IDLE_S", 0.05), ("LOOK_S", 0.02)):
            monkeypatch.setattr(f"stream.app.web_connections.{name}", value)
        async with served() as rig:
            [mute] = await rig.connect(1, HALF_A_HEAD)
            [idle] = await rig.connect(1, b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")

            assert b"" == await rest(mute)
            assert (await rest(idle)).endswith(b"fine")
            assert 0 == len(rig.connections)

    async def test_files_are_given_back(self) -> None:
        """Held for no more connections than its number, and for none once the crowd is gone."""
        async with served() as rig:
            before = files_open()
            crowd = await rig.connect(40, HALF_A_HEAD)
            for client in crowd[:30]:
                await rest(client)
            held = files_open() - before - len(crowd)
            for client in crowd:
                client.close()
            while len(rig.connections):
                await asyncio.sleep(0.01)

            assert 10 >= held
            assert before >= files_open()

    async def test_no_file_left_ends_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A connection that can't be taken is tried again."""
        monkeypatch.setattr("stream.app.web_connections.AGAIN_S", 0.01)
        async with served() as rig:
            loop = asyncio.get_running_loop()
            real, faults = loop.sock_accept, [OSError(24, "Too many open files")] * 3

            async def short(listener: socket.socket) -> tuple[socket.socket, object]:
                if faults:
                    raise faults.pop()
                found: tuple[socket.socket, object] = await real(listener)
                return found

            monkeypatch.setattr(loop, "sock_accept", short)
            await rig.ask()  # was being taken already

            assert 200 == (await rig.ask())[0]
            assert [] == faults

    async def test_turns_are_spaced(self) -> None:
        """So many a second, in order; the first does not wait."""
        loop, turns, seen = asyncio.get_running_loop(), Turns(100), list[float]()

        async def come() -> None:
            await turns.wait()
            seen.append(loop.time())

        started = loop.time()
        await asyncio.gather(*(come() for _ in range(6)))

        assert 0.05 <= seen[-1] - started + 1e-3


class TestTls:
    """Handshakes count as connections do."""

    async def test_silent_handshakes_make_room(self, tmp_path: Path) -> None:
        """A crowd that never shakes hands does not keep out a client that does."""
        authority = Authority(tmp_path)
        context = server_tls("[web]", *authority.issue("web"), Path.absolute)
        async with served(tls=context) as rig:
            await rig.connect(50, b"\x16\x03")
            client = ssl.create_default_context(cafile=authority.ca)
            reader, writer = await asyncio.open_connection("127.0.0.1", rig.port, ssl=client)
            writer.write(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = await reader.read()
            writer.close()
            await writer.wait_closed()

            assert b"fine" in answer
            assert 10 >= len(rig.connections)


class TestAccess:
    """Who is answered."""

    @pytest.mark.parametrize("path", [HEALTH, "/api/status", "/nowhere"])
    async def test_foreign_name_is_refused_everywhere(self, path: str) -> None:
        """A page's own name that points here reads nothing; the next step is named."""
        async with served() as rig:
            status, text = await rig.ask(path, host="rebound.example:6066")

        assert 403 == status
        assert "[web] hosts" in text

    @pytest.mark.parametrize(
        ("head", "status"),
        [
            ("GET /api/status HTTP/1.0\r\n\r\n", 200),
            ("GET /api/status HTTP/1.1\r\nConnection: close\r\n\r\n", 400),
            ("GET /api/status HTTP/1.0\r\nHost: evil.example\r\n\r\n", 403),
            ("GET http://127.0.0.1/api/status HTTP/1.0\r\nHost: evil.example\r\n\r\n", 403),
            ("GET /api/status HTTP/1.0\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", 400),
            ("GET /api/status HTTP/1.0\r\nHost: \r\n\r\n", 403),
            ("GET /api/status HTTP/1.0\r\nHost: 127.0.0.1.evil.example\r\n\r\n", 403),
        ],
    )
    async def test_host_in_every_form(self, head: str, status: int) -> None:
        """None from HTTP/1.0, two, an empty one, one beside a whole address."""
        async with served() as rig:
            assert status == (await rig.say(head.encode()))[0]

    @pytest.mark.parametrize(
        ("path", "authorization", "status"),
        [
            (HEALTH, "", 200),
            ("/api/status", "", 401),
            ("/api/status", "Bearer wrong", 401),
            ("/api/status", "Bearer ", 401),
            ("/api/status", "Basic hush", 401),
            ("/api/status", "Bearer hush\xe9", 401),
            ("/nowhere", "", 401),
            ("/health/live/../../api/status", "", 401),
            ("/api/status", "bearer hush", 200),
        ],
    )
    async def test_token_is_asked_for(self, path: str, authorization: str, status: int) -> None:
        """Of every page but health, of pages that are not there too."""
        async with served(WebSettings(token="hush")) as rig:
            headers = {"Authorization": authorization} if authorization else {}

            assert status == (await rig.ask(path, **headers))[0]

    @pytest.mark.parametrize(
        "said",
        [
            b"GET /health/live HTTP/1.0\r\n\r\n",
            b"GET /nowhere HTTP/1.0\r\n\r\n",
            b"POST /health/live HTTP/1.0\r\n\r\n",
            b"GET /health/live HTTP/9.9\r\n\r\n",
            b"\x00\x01\r\n\r\n",
            GET + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
            GET + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 20_000 + b"\r\n\r\n",
            b"GET / HTTP/1.1\r\n" + b"".join(b"X%d: y\r\n" % i for i in range(500)) + b"\r\n",
        ],
    )
    async def test_no_answer_names_a_version_and_none_is_logged(
        self, said: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Of what is served with, whether the request can be read or not; a client can't fill the log."""
        async with served() as rig:
            _, text = await rig.say(said)

        assert "aiohttp" not in text.lower()
        assert "python/" not in text.lower()
        assert [] == [record for record in caplog.records if record.levelno > logging.INFO]
