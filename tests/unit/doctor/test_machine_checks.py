"""This machine: folder, disk, port and clock, each broken alone."""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import pytest

from stream.doctor import Case
from stream.doctor.machine_checks import clock, disk, port, state
from stream.registry import Client, Connection
from stream.settings import DeliverySettings, RegistrySettings, Settings, WebSettings
from tests.kafka.confluent import Answer, Memory
from tests.unit.doctor.examined import FakeSurvey, case_of, settings


def at(folder: Path) -> Case:
    """A case whose state folder is this one."""
    return case_of(
        replace(settings(), delivery=DeliverySettings(instance="scorer-0", state=folder), base=folder.parent)
    )


class TestState:
    """The worker's own folder."""

    def test_folder_that_will_be_created_is_ok_and_is_not_created(self, tmp_path: Path) -> None:
        """Looking changes nothing."""
        assert "ok" == state(at(tmp_path / "a" / "b")).state
        assert [] == list(tmp_path.iterdir())

    def test_folder_of_ours_is_ok_and_stays_empty(self, tmp_path: Path) -> None:
        """As after a stop."""
        (own := tmp_path / "own").mkdir(mode=0o700)

        assert "ok" == state(at(own)).state
        assert [] == list(own.iterdir())

    def test_folder_that_others_may_write_to(self, tmp_path: Path) -> None:
        """The step is the command."""
        (own := tmp_path / "own").mkdir()
        own.chmod(0o777)

        line = state(at(own))

        assert "fail" == line.state
        assert f"chmod 700 {own}" in line.next_step

    def test_link_in_the_folders_place(self, tmp_path: Path) -> None:
        """Whoever put it there chooses what is overwritten."""
        (tmp_path / "own").symlink_to(tmp_path)

        assert ("fail", True) == ((line := state(at(tmp_path / "own"))).state, "is a link" in line.found)

    @pytest.mark.parametrize("kind", ["link", "folder", "second name"])
    def test_something_else_in_the_notes_place(self, tmp_path: Path, kind: str) -> None:
        """A link, a folder, or some other file's name."""
        (own := tmp_path / "own").mkdir(mode=0o700)
        note, other = own / "scoring.note", tmp_path / "other"
        other.touch()
        if kind == "link":
            note.symlink_to(other)
        elif kind == "folder":
            note.mkdir()
        else:
            os.link(other, note)

        line = state(at(own))

        assert "fail" == line.state
        assert "scoring.note" in line.found

    def test_file_in_the_folders_place(self, tmp_path: Path) -> None:
        """Also above it."""
        (tmp_path / "own").touch()

        assert ["fail", "fail"] == [state(at(tmp_path / "own" / below)).state for below in ("", "below")]

    def test_folder_that_may_not_be_written_to(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Neither the folder, nor the one in which it would be created."""
        monkeypatch.setattr(os, "access", lambda place, mode: False)

        line = state(at(tmp_path / "own"))

        assert "fail" == line.state
        assert f"Permission denied: {tmp_path}" in line.found


class TestDisk:
    """Room."""

    @pytest.mark.parametrize(
        ("free", "total", "expected"),
        [
            (4096, 10**12, "fail"),
            (50 << 20, 10**12, "warn"),
            (10**10, 10**12, "warn"),
            (10**11, 10**12, "ok"),
            (900 << 10, 1 << 20, "ok"),
            (63 << 20, 64 << 20, "ok"),
            (31 << 20, 64 << 20, "warn"),
        ],
    )
    def test_room_that_is_left(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, total: int, expected: str
    ) -> None:
        """Little for the note, little at all, or a small part of a large disk; not a small disk that is empty."""
        usage = SimpleNamespace(total=total, used=total - free, free=free)
        monkeypatch.setattr(shutil, "disk_usage", lambda place: usage)

        line = disk(at(tmp_path / "own"))

        assert (expected, str(tmp_path)) == (line.state, line.looked_at)


STATUS = {
    "group": "scorer",
    "instance": "scorer-0",
    "state": "running",
    "model": "m@1",
    "dead_letters": {"by_reason": {}},
}
"""Of this configuration's own worker."""


@contextmanager
def answering(body: bytes) -> Iterator[int]:
    """A web that has one answer; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """The answer."""
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


class TestPort:
    """Free, or ours."""

    @staticmethod
    def _settings(number: int) -> Settings:
        return replace(settings(), web=WebSettings(port=number))

    def test_free_port_is_ok(self) -> None:
        """And is free afterwards."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            number = taken.getsockname()[1]

        assert ["ok", "ok"] == [port(case_of(self._settings(number))).state for _ in range(2)]

    def test_own_worker_is_ok(self) -> None:
        """Of this group and instance."""
        body = STATUS
        with answering(json.dumps(body).encode()) as number:
            assert "ok" == port(case_of(self._settings(number))).state

    @pytest.mark.parametrize("other", [{"group": "others"}, {"instance": "scorer-1"}], ids=str)
    def test_another_worker_is_a_failure(self, other: dict[str, str]) -> None:
        """It is named."""
        body = {**STATUS, **other}
        with answering(json.dumps(body).encode()) as number:
            line = port(case_of(self._settings(number)))

        assert "fail" == line.state
        assert next(iter(other.values())) in line.found

    def test_anything_else_is_a_failure(self) -> None:
        """With the variable to set."""
        with answering(b"hello") as number:
            line = port(case_of(self._settings(number)))

        assert "fail" == line.state
        assert "STREAM_WEB__PORT" in line.next_step


class TestClock:
    """By whoever tells a time."""

    @staticmethod
    def _case(**newest_s: float) -> Case:
        """A cluster whose topics have a newest record so many seconds from now."""
        now = time.time()
        known: dict[str, int | None] = {name: int((now + ahead) * 1000) for name, ahead in newest_s.items()}
        return case_of(settings(), FakeSurvey(newest=known))

    @pytest.mark.parametrize(
        ("ahead_s", "expected", "way"),
        [(0.0, "ok", ""), (60.0, "warn", "behind"), (-60.0, "warn", "ahead"), (4000.0, "fail", "behind")],
    )
    def test_brokers_clock(self, ahead_s: float, expected: str, way: str) -> None:
        """The transactional id was noted with the broker's time, just after it was asked for."""
        case = self._case(__transaction_state=ahead_s)
        case.trial_s = time.time() - 0.5

        line = clock(case)

        assert (expected, "by the brokers") == (line.state, line.looked_at)
        assert way in line.found

    @pytest.mark.parametrize(("date", "expected"), [(0.0, "ok"), (90.0, "warn"), (-9000.0, "fail")])
    def test_registrys_clock(self, date: float, expected: str) -> None:
        """From its answer's `Date`, where the brokers' is not to be seen."""
        case, memory = self._case(), Memory()
        memory.script = [Answer(200, b"[]", {"Date": formatdate(time.time() + date, usegmt=True)})]
        case.registry = Client(Connection(RegistrySettings(url="http://r"), transport=memory.transport))
        case.registry.versions("none")

        line = clock(case)

        assert expected == line.state
        assert "schema registry" in line.looked_at

    def test_event_from_the_future(self) -> None:
        """Where nobody tells a time, it is the only thing that can."""
        line = clock(self._case(**{"in": 7200.0}))

        assert ("fail", "by the newest event of in") == (line.state, line.looked_at)

    def test_event_from_the_past_tells_nothing(self) -> None:
        """It is not taken for a clock that is right."""
        line = clock(self._case(**{"in": -7200.0}))

        assert ("warn", "nothing that could be asked told its time") == (line.state, line.found)

    def test_without_a_broker_or_a_registry_it_is_not_looked_at(self) -> None:
        """That is their lines' fault."""
        line = clock(case_of(settings(), FakeSurvey(brokers=[])))

        assert ("warn", False) == (line.state, line.looked)
