"""A command as a child: its lines, its end, and what goes on without the task that began it."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from stream.airflow.child_run import ChildRun, Outcome
from stream.airflow.command_line import OWN, Order
from stream.airflow.detached_run import ask_to_stop, begin, log_lines, look, outcome_of
from stream.airflow.provider_info import get_provider_info

TWO_STREAMS = """
import sys
print('{}')
print('rows: 1', file=sys.stderr)
print('error: no\\n  try: x', file=sys.stderr)
"""
SLEEPS = "import sys, time; print('ready', file=sys.stderr, flush=True); time.sleep(600)"


def order(code: str, limit_s: float | None = None) -> Order:
    """A command of this interpreter, without what makes its start slow."""
    return Order((sys.executable, "-S", "-E", "-c", code), dict(os.environ), None, limit_s)


def wait_until_it_ends(folder: Path) -> str:
    """The state that is not `running`."""
    while (state := look(folder)) == "running":
        time.sleep(0.01)
    return state


def test_lines_are_told_and_output_is_kept() -> None:
    """Standard error is the log's, standard output the result's."""
    told = list[str]()
    outcome = ChildRun(order(f"{TWO_STREAMS}sys.exit(2)")).wait(told.append)

    assert (2, "{}\n") == (outcome.code, outcome.stdout)
    assert ["rows: 1", "error: no", "  try: x"] == told
    assert "error: no\n  try: x" == outcome.reason


def test_an_ended_command_takes_its_children_with_it() -> None:
    """The whole group gets the signal; the outcome names it."""
    child = ChildRun(
        order(f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEPS!r}]); {SLEEPS}")
    )
    ready = threading.Semaphore(0)
    ended = list[Outcome]()
    waiter = threading.Thread(target=lambda: ended.append(child.wait(lambda _: ready.release())))
    waiter.start()
    for _ in range(2):
        assert ready.acquire(timeout=60)
    child.end()
    waiter.join(60)  # the pipe's other ends are closed: nobody is left

    assert [-signal.SIGTERM] == [outcome.code for outcome in ended]
    assert ended[0].reason.startswith("it was ended by SIGTERM")


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (Outcome(1, ""), "it said nothing"),
        (Outcome(1, "", ("a", "b", "c", "d")), "b\nc\nd"),
        (Outcome(2, "", ("error: old", "Error: new", "more")), "Error: new\nmore"),
        (Outcome(-9, "", ("a",)), "it was ended by SIGKILL\na"),
    ],
)
def test_the_reason_is_the_last_error(outcome: Outcome, reason: str) -> None:
    """Of a command that says no error: its last lines."""
    assert reason == outcome.reason


def test_a_detached_command_leaves_its_outcome(tmp_path: Path) -> None:
    """There is no moment in which it seems to be lost: the lock is handed over."""
    folder = tmp_path / "deep" / "run"
    begin(folder, order(TWO_STREAMS))

    assert "done" == wait_until_it_ends(folder)
    assert (0, "{}\n") == (outcome_of(folder).code, outcome_of(folder).stdout)
    assert ["rows: 1", "error: no", "  try: x"] == list(log_lines(folder))


def test_a_detached_command_ends_when_that_is_asked_for(tmp_path: Path) -> None:
    """From any process that can write to the folder."""
    folder = tmp_path / "run"
    begin(folder, order(SLEEPS))
    ask_to_stop(folder)

    assert ("done", -signal.SIGTERM) == (wait_until_it_ends(folder), outcome_of(folder).code)


def test_a_detached_command_ends_at_its_limit(tmp_path: Path) -> None:
    """And says so."""
    folder = tmp_path / "run"
    begin(folder, order(SLEEPS, 0.0))

    assert "done" == wait_until_it_ends(folder)
    assert "error: it took longer than execution_timeout, 0 s" == outcome_of(folder).last[-1]


def test_a_watcher_that_is_killed_is_lost(tmp_path: Path) -> None:
    """Nobody waits for it for ever."""
    folder = tmp_path / "run"
    begin(folder, order("import os, signal; os.kill(os.getppid(), signal.SIGKILL)"))

    assert "lost" == wait_until_it_ends(folder)


def test_a_program_that_is_not_there_is_an_outcome(tmp_path: Path) -> None:
    """The task that began it has gone; its successor learns why."""
    begin(tmp_path / "run", Order((str(tmp_path / "stream"),), {}))

    assert ("done", 127) == (wait_until_it_ends(tmp_path / "run"), outcome_of(tmp_path / "run").code)
    assert "can't be started: No such file or directory" in outcome_of(tmp_path / "run").reason


def test_the_provider_needs_the_standard_library_only() -> None:
    """Airflow reads its metadata while it is being imported, in an environment without our libraries."""
    rooms = ("provider_info", "detached_run", "asset_uris", "command_line")
    imports = ", ".join(["sys", "stream.airflow", *(f"stream.airflow.{room}" for room in rooms)])
    code = (
        f"import {imports}; print({{name.split('.')[0] for name in sys.modules}} - sys.stdlib_module_names)"
    )
    command = [sys.executable, "-S", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PYTHONPATH": "."})

    assert {"stream", "__main__"} == ast.literal_eval(done.stdout)


def test_the_metadata_holds_no_brace_in_a_default() -> None:
    """Airflow formats the defaults: with one, none of its commands would start."""
    sections = get_provider_info()["config"]
    assert isinstance(sections, dict)
    defaults = [option["default"] for section in sections.values() for option in section["options"].values()]

    assert ["", ""] == [default.format() for default in defaults]


def test_a_package_of_that_name_in_the_folder_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker may have been started anywhere, also where somebody has a `stream.py` of their own."""
    (tmp_path / "stream.py").write_text("raise SystemExit(3)\n")
    monkeypatch.chdir(tmp_path)
    begin(tmp_path / "run", order("print(1)"))
    found = subprocess.run([*OWN, "--version"], capture_output=True, text=True, check=False)

    assert "done" == wait_until_it_ends(tmp_path / "run")
    assert (0, "1\n", 0) == (
        outcome_of(tmp_path / "run").code, outcome_of(tmp_path / "run").stdout, found.returncode,
    )  # fmt: skip


def test_variables_of_a_detached_command_are_written_nowhere(tmp_path: Path) -> None:
    """They have the passwords of Airflow's own database, and the folder is beside the predictions."""
    secret = Order((*order("import os; print(len(os.environ['X']))").command,), {"X": "hunter2" * 9})
    begin(tmp_path / "run", secret)

    assert "done" == wait_until_it_ends(tmp_path / "run")
    assert "63\n" == outcome_of(tmp_path / "run").stdout
    assert [] == [path for path in (tmp_path / "run").iterdir() if b"hunter2" in path.read_bytes()]


def test_an_ended_command_takes_those_with_it_who_do_not_want_to_end() -> None:
    """A process that ignores SIGTERM is killed, though the command that began it has ended at once."""
    stubborn = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPS}"
    child = ChildRun(
        order(f"import subprocess, sys; subprocess.Popen([sys.executable, '-S', '-c', {stubborn!r}]).wait()")
    )
    ready = threading.Semaphore(0)
    waiter = threading.Thread(target=child.wait, args=(lambda _: ready.release(),))
    waiter.start()
    assert ready.acquire(timeout=60)
    child.end(0.2)
    waiter.join(60)  # its standard error ends with the last of them

    assert not waiter.is_alive()
