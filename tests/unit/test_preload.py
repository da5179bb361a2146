"""Processes are forked by a server that has imported what models need."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
from importlib import import_module

import pytest

from stream import preload


@pytest.mark.skipif(
    "forkserver" not in multiprocessing.get_all_start_methods(), reason="this system has no fork server"
)
def test_process_has_the_imports_when_it_begins() -> None:
    """It need not read scikit-learn from the disk."""
    script = (
        "import sys\n"
        "from concurrent.futures import ProcessPoolExecutor\n"
        "from stream import preload\n"
        "if __name__ == '__main__':\n"
        "    preload.get_ready()\n"
        "    with ProcessPoolExecutor(1, preload.context()) as pool:\n"
        "        print(pool.submit(eval, \"'sklearn.ensemble' in __import__('sys').modules\").result())\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert "True\n" == done.stdout


def test_imports_can_all_be_had() -> None:
    """A name that does not exist would be passed over in silence."""
    for name in preload.IMPORTED:
        assert name == import_module(name).__name__
