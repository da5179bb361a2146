"""A child process that opens a version first: whatever becomes of it, this process goes on and says what."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import pickle
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from stream.child_python import child_command
from stream.errors import PackageError, Retriable
from stream.first_opening import Asked, FirstOpening
from stream.resources import ask_early, open_behind_child
from stream.settings import Bytes, ModelSettings, Seconds, Settings
from stream.store import PackRequest, pack
from tests.unit.store.signed import replace_file

SAYS = "import json, os, signal, sys, time; fd = int(sys.argv[1])\n"
ASKED = Asked("/a/version", "00", (), 1, 1, timeout_s=60)


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What other tests left running in this process, such as Kafka's client, is not in the way of a copy."""
    monkeypatch.setattr("stream.first_opening.can_be_forked", lambda: True)


def never(line: bytes, says: int) -> None:
    """What no child does that is not a copy."""
    raise AssertionError


def opening(script: str) -> FirstOpening:
    """One whose children run a script instead of opening anything."""
    return FirstOpening([sys.executable, "-S", "-c", SAYS + script])


def refusal(script: str, timeout_s: float = 60) -> tuple[PackageError, list[str]]:
    """What becomes of a child, and the steps that it had passed."""
    passed: list[str] = []
    asked = Asked("/a/version", "00", (), 1, 1, timeout_s)
    with pytest.raises(PackageError) as caught:
        opening(script).check(asked, never, lambda step, found: passed.append(f"{step}: {found}"))
    return caught.value, passed


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", "ended with signal SIGSEGV"),
        ("os.kill(os.getpid(), signal.SIGABRT)", "ended with signal SIGABRT"),
        ("os.kill(os.getpid(), signal.SIGRTMIN + 6)", f"ended with signal {signal.SIGRTMIN + 6}"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "was killed, probably for the memory"),
        ("os._exit(7)", "ended with exit code 7"),
        ("os._exit(0)", "ended with exit code 0"),
        ("sys.stdin.readline(); os.write(fd, b'x' * 100_000)", "ended with"),
        ("os.write(fd, b'{\"passed\":')", "ended with exit code 0"),
        *(
            (f"os.write(fd, {line!r} + b'\\n')", "ended with exit code 0")
            for line in (
                b"no JSON",
                b"7",
                b'{"passed": "load"}',
                b'{"refused": {"step": "load"}}',
                b'{"passed": "load\\nok    signature", "found": "m"}',
                b'{"passed": "golden", "found": "before any other"}',
                b'{"refused": {"step": "load\\nok", "message": "m", "hint": "h"}}',
                b"[" * 9_999,
            )
        ),
    ],
)
def test_child_that_ends_is_a_refusal_that_says_how(script: str, text: str) -> None:
    """Also where it ends as if nothing had happened."""
    error, passed = refusal(script)

    assert ("manifest", []) == (error.step, passed)
    assert text in error.message


def test_child_that_hangs_is_ended_when_its_time_is_up() -> None:
    """It never comes back by itself; the step is the one that it was at."""
    script = 'os.write(fd, b\'{"passed": "manifest", "found": "m@1"}\\n\'); time.sleep(10_000)'

    error, passed = refusal(script, timeout_s=1.0)

    assert ("signature", ["manifest: m@1"]) == (error.step, passed)
    assert "did not come to an end within 1 s" in error.message


def test_refusal_of_the_child_is_the_parents() -> None:
    """Message, step and hint."""
    script = """
os.write(fd, json.dumps({"refused": {"message": "m", "step": "golden", "hint": "h"}}).encode() + b"\\n")
"""
    error, _ = refusal(script)

    assert ("m", "golden", "h") == (error.message, error.step, error.hint)


def test_file_that_the_child_could_not_read_is_not_the_versions_fault() -> None:
    """The refusal has the system's error as its cause, as if it had been met here."""
    error, _ = refusal("""
said = {"refused": {"message": "m", "step": "hash", "hint": "h"}, "errno": 5}
os.write(fd, json.dumps(said).encode() + b"\\n")
""")

    assert isinstance(error.__cause__, OSError)
    assert errno.EIO == error.__cause__.errno


def test_sound_version_is_passed_each_time() -> None:
    """A child for each: two versions in a row."""
    both = opening("sys.stdin.readline(); os.write(fd, b'{\"refused\": null}\\n')")

    for _ in range(2):
        both.check(ASKED, never, print)


def test_child_is_told_what_to_open() -> None:
    """As one line of JSON, and its input stays open after it."""
    error, _ = refusal("""
asked = json.loads(sys.stdin.buffer.readline())
os.write(fd, json.dumps({"refused": {"message": asked["folder"], "step": "load", "hint": ""}}).encode() + b"\\n")
sys.stdin.read()
""")

    assert "/a/version" == error.message


def test_stop_ends_the_child_that_runs_and_starts_none_any_more() -> None:
    """The process is about to end: nobody waits for a model that hangs."""
    hanging = opening("time.sleep(10_000)")
    hanging.begin()
    stopping = threading.Timer(0.0, hanging.stop)

    stopping.start()
    with pytest.raises(Retriable):
        hanging.check(ASKED, never, print)
    stopping.join()
    with pytest.raises(Retriable):
        hanging.begin()

    assert hanging.stopped


def test_child_that_is_never_asked_ends_with_its_owner() -> None:
    """A command that is refused before it opens anything leaves no process behind."""
    with opening("sys.stdin.read()") as unused:
        unused.begin()

    assert unused.stopped


def test_no_child_is_not_the_versions_fault() -> None:
    """A program that is not there stands for a system that has no room for another process."""
    with pytest.raises(Retriable, match="can't start the process"):
        FirstOpening(["/nowhere/python"]).check(ASKED, never, print)


class Does:
    """Unpickled, it does something that no `except` catches."""

    def __init__(self, what: Callable[..., object], *arguments: object) -> None:
        self.what, self.arguments = what, arguments

    def __reduce__(self) -> tuple[object, ...]:
        return self.what, self.arguments


@pytest.fixture
def version(tmp_path: Path) -> Path:
    """The folder of a version."""
    x = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 5.0]])
    fields = [{"name": name, "type": "double"} for name in "ab"]
    schema = json.dumps({"type": "record", "name": "E", "fields": fields})
    pack(LinearRegression().fit(x, x[:, 0]), PackRequest("m", tmp_path / "m"), schema=schema)
    return tmp_path / "m" / "versions" / "1"


MODEL = ModelSettings(open_timeout=Seconds(110.0), open_memory=Bytes(256 * 1024**2))


def copying() -> FirstOpening:
    """Its children are copies of this process, as at a command's start (`alone`)."""
    return FirstOpening()


def interpreting() -> FirstOpening:
    """Its children are new interpreters, as at a reload."""
    return FirstOpening(child_command("stream.store.opening_child"))


@pytest.mark.parametrize(
    ("opening", "harm", "text"),
    [
        # No SIGSEGV: pytest's faulthandler would tell all of a copy's stack.
        pytest.param(copying, Does(signal.raise_signal, signal.SIGSYS), "with signal SIGSYS", id="crash"),
        pytest.param(copying, Does(bytearray, 2 * 1024**3), "bytes of memory", id="memory"),
        pytest.param(copying, Does(os._exit, 0), "with exit code 0", id="exit"),
        pytest.param(
            interpreting, Does(signal.raise_signal, signal.SIGSEGV), "with signal SIGSEGV", id="new"
        ),
        pytest.param(interpreting, Does(bytearray, 2 * 1024**3), "bytes of memory", marks=pytest.mark.slow),
        pytest.param(interpreting, Does(os._exit, 0), "with exit code 0", marks=pytest.mark.slow),
    ],
)
def test_version_that_would_end_this_process_is_refused_at_load(
    version: Path, opening: Callable[[], FirstOpening], harm: Does, text: str
) -> None:
    """In a real child, whose memory is limited."""
    replace_file(version, "model.joblib", pickle.dumps(harm))
    passed: list[str] = []

    with pytest.raises(PackageError) as caught:
        open_behind_child(MODEL, version, opening(), witness=lambda step, found: passed.append(step))

    assert "load" == caught.value.step
    assert text in caught.value.message
    assert (text != "bytes of memory") == ("open_memory" not in caught.value.hint)
    assert ["manifest", "signature", "hash"] == passed  # the first two by this process, which has the keys


class Shouts(BaseException):
    """Its text would forge a line, and asks for the process's end."""

    def __str__(self) -> str:
        raise SystemExit("\x1b]0;title\x07\nok    golden")


@pytest.mark.parametrize("fault", [KeyboardInterrupt("\nok \x1b["), GeneratorExit("\nok \x1b["), Shouts()])
def test_version_that_raises_what_ends_a_process_is_refused_on_one_line(
    version: Path, fault: BaseException, capfd: pytest.CaptureFixture[str]
) -> None:
    """No traceback, which nobody would escape."""
    replace_file(version, "model.joblib", pickle.dumps(Does(_raise, fault)))

    with pytest.raises(PackageError, match=f"raised .*{type(fault).__name__}") as caught:
        open_behind_child(MODEL, version, copying())

    assert ("load", True) == (caught.value.step, caught.value.message.isprintable())
    assert ("", "") == capfd.readouterr()


def _raise(fault: BaseException) -> None:
    raise fault


@pytest.mark.parametrize("script", ["os._exit(9)", "os.kill(os.getpid(), signal.SIGSYS)"])
def test_process_that_a_child_leaves_behind_is_not_waited_for(script: str) -> None:
    """It holds the child's pipe open: the child's own end is the answer, long before its time is up."""
    left_behind = """
pid = os.fork()
if pid == 0:
    signal.pause()
os.write(fd, json.dumps({"passed": "manifest", "found": str(pid)}).encode() + b"\\n")
"""
    found: dict[str, str] = {}
    with pytest.raises(PackageError, match="exit code 9|signal SIGSYS") as caught:
        opening(left_behind + script).check(replace(ASKED, timeout_s=10_000), never, found.__setitem__)
    os.kill(int(found["manifest"]), signal.SIGKILL)

    assert "signature" == caught.value.step


def _leave_behind(place: Path) -> None:
    pid = os.fork()
    if pid == 0:
        signal.pause()
    place.write_text(str(pid))
    os._exit(9)


def test_process_that_a_copy_leaves_behind_is_not_waited_for(version: Path, tmp_path: Path) -> None:
    """It also holds the pipe by which Python sees the end of a copy."""
    place = tmp_path / "pid"
    replace_file(version, "model.joblib", pickle.dumps(Does(_leave_behind, place)))

    with pytest.raises(PackageError, match="exit code 9"):
        open_behind_child(replace(MODEL, open_timeout=Seconds(10_000.0)), version, copying())

    os.kill(int(place.read_text()), signal.SIGKILL)


@pytest.mark.parametrize("opening", [copying, pytest.param(interpreting, marks=pytest.mark.slow)])
def test_version_that_hangs_is_refused_at_load(version: Path, opening: Callable[[], FirstOpening]) -> None:
    """When its time is up."""
    replace_file(version, "model.joblib", pickle.dumps(Does(time.sleep, 10_000)))
    impatient = replace(MODEL, open_timeout=Seconds(0.5 if opening is copying else 10.0))

    with pytest.raises(PackageError, match=r"did not come to an end within \d+(\.5)? s") as caught:
        open_behind_child(impatient, version, opening())

    assert "load" == caught.value.step


@pytest.mark.parametrize("opening", [copying, interpreting])
def test_sound_version_is_opened_here_after_the_child(
    version: Path, opening: Callable[[], FirstOpening]
) -> None:
    """And the child is given as much memory as the version's files ask for."""
    assert "m@1" == open_behind_child(MODEL, version, opening()).manifest.model


def test_what_a_model_prints_in_a_copy_is_not_the_commands_output(
    version: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither through Python nor to the file itself; and a model may start processes of its own."""
    script = "print('from a process')"
    loud = Does(subprocess.run, [sys.executable, "-S", "-c", script])
    replace_file(version, "model.joblib", pickle.dumps([Does(print, "from Python"), loud, Does(os._exit, 0)]))

    with pytest.raises(PackageError):
        open_behind_child(MODEL, version, copying())

    out, err = capfd.readouterr()
    assert ("", ["from Python", "from a process"]) == (out, sorted(err.splitlines()))


def test_child_is_at_work_before_anybody_waits_for_it(version: Path, tmp_path: Path) -> None:
    """And it is the one that is waited for: the version is opened once."""
    noted = tmp_path / "opened"
    replace_file(version, "model.joblib", pickle.dumps(Does(os.mkfifo, noted)))
    opening = copying()

    ask_early(Settings(model=MODEL), version, opening)
    while not noted.exists():
        os.sched_yield()
    with pytest.raises(PackageError, match="holds a NoneType"):  # a second child could make no fifo
        open_behind_child(MODEL, version, opening)


def test_child_at_work_on_another_version_is_ended(version: Path) -> None:
    """A new one became current in between: the verdict is not mistaken for its."""
    opening = copying()
    ask_early(Settings(model=MODEL), version, opening)
    replace_file(version, "model.joblib", pickle.dumps(Does(os._exit, 3)))

    with pytest.raises(PackageError, match="exit code 3"):
        open_behind_child(MODEL, version, opening)


def test_what_is_wrong_with_a_version_is_said_when_it_is_opened(version: Path) -> None:
    """A child that was to begin early is not even started."""
    (version / "manifest.json").write_text("{}")
    opening = copying()

    ask_early(Settings(model=MODEL), version, opening)

    assert opening.copies
    with pytest.raises(PackageError, match="manifest"):
        open_behind_child(MODEL, version, opening)


def test_child_is_heard_where_a_process_has_more_files_than_select_takes() -> None:
    """A service with a thousand connections that looks for a new version."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4_096), hard))
    with contextlib.ExitStack() as held:
        held.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        taken = [held.enter_context(open(os.devnull)) for _ in range(1_024)]  # noqa: PTH123
        assert taken[-1].fileno() > 1_023

        opening("os.write(fd, b'{\"refused\": null}\\n')").check(ASKED, never, print)
