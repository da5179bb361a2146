"""`stream` as PID 1 of a container: signals arrive, orphans are collected, the exit code is the program's own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

NAMESPACE = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"]
BEGIN = "import os, signal, sys, time\nfrom stream.cli.first_process import leave_first_process\n"
HANDLES = "signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))\n"
READY = "print('ready', flush=True)\ntime.sleep(60)\n"


def _can_be_first() -> bool:
    try:
        return subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


as_first = pytest.mark.skipif(not _can_be_first(), reason="no PID namespaces here")


def _first(script: str) -> subprocess.Popen[str]:
    """Runs as PID 1, with SIGHUP as a container has it: `nohup` around the tests would have it ignored."""
    script = f"{BEGIN}signal.signal(signal.SIGHUP, signal.SIG_DFL)\n{script}"
    command = [*NAMESPACE, sys.executable, "-c", script]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@as_first
@pytest.mark.parametrize(
    ("handler", "name", "code"),
    [
        ("", "SIGTERM", 128 + signal.SIGTERM),
        ("", "SIGHUP", 128 + signal.SIGHUP),
        (HANDLES, "SIGTERM", 5),
    ],
)
def test_signal_to_pid_1_ends_the_program(handler: str, name: str, code: int) -> None:
    """With or without a handler; without what is tried here Linux would drop it."""
    with _first(f"leave_first_process()\n{handler}{READY}") as process:
        assert process.stdout is not None
        assert "ready\n" == process.stdout.readline()
        os.kill(_child(process.pid), getattr(signal, name))

        assert code == process.wait(30)


def _child(parent: int) -> int:
    """Its one child, by its number out here."""
    [child] = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return int(child)


@as_first
def test_program_that_is_killed_ends_the_container() -> None:
    """As where memory runs out: with the code that engines show for it."""
    with _first(f"leave_first_process()\n{READY}") as process:
        assert process.stdout is not None
        assert "ready\n" == process.stdout.readline()
        os.kill(_child(_child(process.pid)), signal.SIGKILL)

        assert 128 + signal.SIGKILL == process.wait(30)


@as_first
@pytest.mark.parametrize("code", [0, 1, 2, 130])
def test_exit_code_is_the_programs_own(code: int) -> None:
    """Of 0 to 255."""
    with _first(f"leave_first_process()\nassert os.getpid() != 1\nsys.exit({code})") as process:
        assert code == process.wait(30)


@as_first
def test_orphans_are_collected() -> None:
    """A process whose parent is gone becomes PID 1's child: no zombie of it is left."""
    script = """leave_first_process()
if not (middle := os.fork()):
    if not (orphan := os.fork()):
        os._exit(0)
    time.sleep(0.05)
    os.write(1, str(orphan).encode())
    os._exit(0)
os.waitpid(middle, 0)
end = time.monotonic() + 20
while any(each.isdigit() and int(each) not in (1, os.getpid()) for each in os.listdir('/proc')):
    if time.monotonic() > end: sys.exit(3)
"""
    with _first(script) as process:
        assert 0 == process.wait(40)


def test_any_other_process_stays_itself() -> None:
    """No child is made."""
    script = f"{BEGIN}before = os.getpid()\nleave_first_process()\nsys.exit(before != os.getpid())"
    assert 0 == subprocess.run([sys.executable, "-c", script], check=False).returncode
