"""A process ends some time after a signal, whatever it is at."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap

import pytest

from stream.app.last_resort import WATCH

pytestmark = pytest.mark.slow  # processes of their own, which wait

PROGRAM = """
    import signal, sys, threading, time
    from stream.app.last_resort import LastResort
    from stream.deadline import Deadline

    resort = LastResort({after}, lambda: {failed})
    signal.signal(signal.SIGTERM, lambda number, frame: resort.end_by(Deadline.after({after})))
    resort.watch()
    print("ready", flush=True)
    {work}
"""


def code_of(work: str, *, failed: bool = False, after: float = 2) -> int:
    """The exit code of a process that gets a SIGTERM while it works."""
    program = textwrap.dedent(PROGRAM).format(after=after, failed=failed, work=work)
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert b"ready\n" == process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        return process.wait(60)


@pytest.mark.parametrize(("failed", "code"), [(False, 0), (True, 1)])
def test_process_that_waits_for_a_thread_ends(failed: bool, code: int) -> None:
    """The thread sleeps in C; the code says whether anything is missing."""
    waits = "threading.Thread(target=time.sleep, args=(600,)).start()"

    assert code == code_of(waits, failed=failed)


def test_process_that_never_lets_go_of_the_interpreter_is_killed() -> None:
    """No Python code runs any more, and no signal handler."""
    assert -signal.SIGKILL == code_of("sum(range(10**13))")


def test_process_that_ends_by_itself_is_left_alone() -> None:
    """Its own code; the child that watches it does not hold it up."""
    assert 3 == code_of("time.sleep(0.2); sys.exit(3)", after=600)


def test_process_whose_interpreter_does_not_end_is_killed() -> None:
    """It ends by itself, and something that it holds does not let go; no thread of Python's runs any more."""
    holds = (
        "sys.held = type('Held', (), {'__del__': lambda _, sleep=time.sleep: sleep(600)})(); time.sleep(0.2)"
    )

    assert -signal.SIGKILL == code_of(holds)


def test_child_that_starts_after_its_parents_end_ends_too() -> None:
    """It would take whoever inherits it, such as a container's first process, for its parent."""
    with subprocess.Popen(["true"]) as ended:
        pass
    watch = [sys.executable, "-I", "-S", "-c", WATCH, "0.1", str(ended.pid)]
    with subprocess.Popen(watch, stdin=subprocess.PIPE) as child:
        child.communicate(b"a signal came", timeout=60)

        assert 0 == child.returncode
