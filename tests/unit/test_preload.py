"""Processes begin with what models need: as copies of this one, or forked by a server."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
from importlib import import_module

import pytest

from stream import preload

pytestmark = pytest.mark.slow  # processes of their own, which wait

SCRIPT = """
import sys, threading
from concurrent.futures import ProcessPoolExecutor
from stream import preload
if __name__ == "__main__":
    over = threading.Event()
    if sys.argv[1] == "forkserver":
        threading.Thread(target=over.wait).start()
    preload.get_ready()
    context = preload.context()
    with ProcessPoolExecutor(1, context) as pool:
        has = pool.submit(eval, "'sklearn.ensemble' in __import__('sys').modules").result()
    over.set()
    print(context.get_start_method(), has)
"""
"""In a process of its own: pytest's has threads."""


@pytest.mark.parametrize(
    "method",
    [
        pytest.param("fork", marks=pytest.mark.skipif(sys.platform != "linux", reason="copies are Linux's")),
        pytest.param(
            "forkserver",
            marks=pytest.mark.skipif(
                "forkserver" not in multiprocessing.get_all_start_methods(), reason="no fork server here"
            ),
        ),
    ],
)
def test_process_has_the_imports_when_it_begins(method: str) -> None:
    """It need not read scikit-learn from the disk; a process with a thread is not copied."""
    done = subprocess.run([sys.executable, "-c", SCRIPT, method], capture_output=True, text=True, check=True)

    assert f"{method} True\n" == done.stdout


def test_imports_can_all_be_had() -> None:
    """A name that does not exist would be passed over in silence."""
    for name in preload.IMPORTED:
        assert name == import_module(name).__name__


def test_start_is_not_a_tenth_garbage_collection() -> None:
    """Once that is asked for, what is imported is hardly looked through."""
    script = """
import gc, sys
from stream.preload import collect_seldom
if sys.argv[1] == "seldom":
    collect_seldom()
found = []
gc.callbacks.append(lambda phase, _: found.append(phase))
import stream.batch
print(len(found))
"""
    often, seldom = (
        int(subprocess.run([sys.executable, "-c", script, how], capture_output=True, check=True).stdout)
        for how in ("often", "seldom")
    )

    assert seldom * 5 < often


def test_garbage_is_collected_as_usual_after_the_start() -> None:
    """What serves for months collects as often as Python itself does."""
    script = """
import gc
from stream import preload
usual = gc.get_threshold()
preload.collect_seldom()
seldom = gc.get_threshold()
preload.collect_as_usual()
print(seldom > usual, gc.get_threshold() == usual)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert "True True\n" == done.stdout
