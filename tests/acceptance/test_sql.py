"""`stream sql` as a process: tables, JSON lines, files, exit codes, and a prompt on a terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.acceptance.process import END_S, ROOT

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def stream(tmp_path: Path, package: Path) -> Run:
    """Runs `stream` in a folder with a configuration and some visits; `text` is its standard input."""
    (tmp_path / "stream.toml").write_text(f'[model]\nuri = "{package}"\n')
    visits = [
        {"id": 1, "channel": "mail", "pages": 30, "seconds": 9.5},
        {"id": 2, "channel": "never seen", "pages": 0, "seconds": None},
        {"id": 3, "channel": None, "pages": 7, "seconds": 1.0},
    ]
    (tmp_path / "visits.jsonl").write_text("".join(json.dumps(visit) + "\n" for visit in visits))

    def run(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "stream", *arguments],
            input=text, capture_output=True, text=True, cwd=tmp_path, timeout=END_S, check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip

    return run


def test_rows_come_as_json_lines_and_faults_are_said(stream: Run) -> None:
    """A row that can't be scored has null for its prediction, a line on stderr, and makes the exit code 1."""
    result = stream("sql", "--json", "SELECT *, predict(f) FROM 'visits.jsonl' f ORDER BY id")

    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert 1 == result.returncode, result.stderr
    assert [1, 2, None] == [row["predict(f)"] and row["predict(f)"]["id"] for row in rows]
    assert ["id", "label", "score", "model"] == list(rows[0]["predict(f)"])
    assert "1 of 3 rows asked about have no prediction" in result.stderr
    assert "wrong_type (contract), first: field 'channel': expected string, found no value" in result.stderr


@pytest.mark.slow
def test_query_of_standard_input_is_kept_in_a_file(stream: Run, tmp_path: Path) -> None:
    """Nothing is printed on stdout; without nulls the exit code is 0."""
    query = (
        "SELECT id, predict_label(f) AS label FROM 'visits.jsonl' f WHERE channel IS NOT NULL ORDER BY id;"
    )

    result = stream("sql", "--save", "out.parquet", text=query)

    assert (0, "", "2 rows written to out.parquet\n") == (result.returncode, result.stdout, result.stderr)
    rows = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert [(1, "buys"), (2, "leaves")] == [(row["id"], row["label"]) for row in rows]


@pytest.mark.slow
def test_refused_query_leaves_no_traceback(stream: Run) -> None:
    """Exit code 2, one message with the next thing to try; nothing of DuckDB's own leaks when Python ends."""
    result = stream("sql", "SELECT predict(f) FROM (SELECT 1 AS id) f")

    assert (2, "") == (result.returncode, result.stdout), result.stderr
    assert result.stderr.startswith("error: predict(f): the rows lack 'channel', 'pages'")
    assert "  try: rename columns" in result.stderr
    assert "Traceback" not in result.stderr
    assert "leaked" not in result.stderr


_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
"""What moves the cursor and colours the text."""


class Terminal:
    """`stream sql` on a terminal of its own."""

    def __init__(self, folder: Path) -> None:
        self._ours, theirs = pty.openpty()
        environ = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(folder / "state"),
                   "TERM": "xterm", "COLUMNS": "100", "LINES": "40", "PROMPT_TOOLKIT_NO_CPR": "1"}  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, "-m", "stream", "sql"],
            stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=environ, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        self.seen = ""

    def type(self, keys: str) -> None:
        """Type keys."""
        os.write(self._ours, keys.encode())

    def until(self, text: str) -> str:
        """Block until it shows a text; all that it showed since the last time."""
        deadline = time.monotonic() + END_S
        while text not in self.seen:
            ready, _, _ = select.select([self._ours], [], [], 1.0)
            if ready:
                self.seen += os.read(self._ours, 65_536).decode("utf-8", "replace")
                self.seen = _ESCAPE.sub("", self.seen)
            if time.monotonic() > deadline:
                raise AssertionError(f"{text!r} is not in {self.seen!r}")
        shown, _, self.seen = self.seen.partition(text)
        return shown + text

    def end(self) -> int:
        """Block until it has ended; its exit code."""
        deadline = time.monotonic() + END_S
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                if select.select([self._ours], [], [], 0.2)[0]:
                    os.read(self._ours, 65_536)
            except OSError:  # Linux says so when the other end is closed
                break
        return self.process.wait(END_S)

    def close(self) -> None:
        """End it whatever it does."""
        self.process.kill()
        self.process.wait()
        os.close(self._ours)


@pytest.mark.slow
def test_prompt_answers_goes_on_after_an_error_and_remembers(stream: Run, tmp_path: Path) -> None:
    """A statement over two lines; an error; the next day an arrow brings the statement back."""
    terminal = Terminal(tmp_path)
    try:
        terminal.until("stream>")
        terminal.type("SELECT predict_label(f) AS answer\rFROM 'visits.jsonl' f WHERE id = 1;\r")
        assert "answer" in terminal.until("buys")
        terminal.type("SELEC 1;\r")
        terminal.until("syntax error")
        terminal.until("stream>")
        terminal.type("SELECT 40 + 2;\r")
        terminal.until("42")
        terminal.until("stream>")
        terminal.type("\x04")
        assert 0 == terminal.end()
    finally:
        terminal.close()

    terminal = Terminal(tmp_path)  # another day
    try:
        terminal.until("stream>")
        terminal.type("\x1b[A")
        terminal.until("SELECT 40 + 2;")
        terminal.type("\r")
        terminal.until("42")
        terminal.type("quit\r")
        assert 0 == terminal.end()
    finally:
        terminal.close()
    assert 0o700 == (tmp_path / "state" / "prediction-stream").stat().st_mode & 0o777
