"""A contestant is all its processes."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from benchmarks.process import Contestant, Died, process_cpu_s

CHILD = "import time; x = bytearray(40 << 20); sum(range(3_000_000)); print('up', flush=True); time.sleep(60)"

PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {CHILD!r}])"


def test_family_is_the_process_and_its_children_and_ends_with_it(tmp_path: Path) -> None:
    """Their CPU and memory are counted together; none outlives the contestant."""
    log = tmp_path / "log"
    with Contestant([sys.executable, "-c", PARENT], log) as process:
        deadline = time.monotonic() + 60
        while log.read_text() != "up\n" and time.monotonic() < deadline:
            time.sleep(0.02)
        family = process.family()

        assert 2 == len(family)
        assert process.pid in family
        assert process.family_cpu_s() > process.cpu_s() > 0
        assert process.family_mib() > 40
    assert [] == process.family()


def test_cpu_of_a_process_that_is_gone_is_no_number() -> None:
    """A contestant that ended must not count as one that costs nothing."""
    with pytest.raises(Died, match="is gone"):
        process_cpu_s(2**22 + 1)
