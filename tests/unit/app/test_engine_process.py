"""What a process sets for itself while an engine works in it."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

KEPT = """
import gc, sys
from pathlib import Path
from stream.app.engine_process import set_up_process

def resident_mib():
    return int(Path("/proc/self/status").read_text().partition("VmRSS:")[2].split()[0]) / 1024

set_up_process()
before = resident_mib()
small = []
for turn in range(200):
    large = [b"x" * (4 * 1024**2) for _ in range(8)]
    small.append(b"y" * 100_000)
    del large
print(gc.get_threshold()[0], sys.getswitchinterval(), resident_mib() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="tells glibc when to give memory back")
def test_large_blocks_are_given_back_whatever_small_ones_stay() -> None:
    """As a broker's answers, between which records stay in a batch: 20 MB stay here."""
    ended = subprocess.run([sys.executable, "-c", KEPT], capture_output=True, text=True, check=True)
    garbage_after, switch_s, grown_mib = map(float, ended.stdout.split())

    assert (200_000, 0.0005) == (garbage_after, switch_s)
    assert grown_mib < 30
