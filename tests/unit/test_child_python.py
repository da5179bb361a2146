"""Which processes can be copied."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import threading
import pyarrow
import scipy.linalg
from stream.child_python import can_be_forked
from stream.transport import EmbeddedBroker

found = [can_be_forked()]
done = threading.Event()
other = threading.Thread(target=done.wait)
other.start()
found.append(can_be_forked())
done.set()
other.join()
found.append(can_be_forked())
broker = EmbeddedBroker()
found.append(can_be_forked())
print(found)
"""


def test_process_that_runs_another_thread_is_never_copied() -> None:
    """Python's or Kafka's: it may hold a lock. BLAS's and those of Arrow's allocator are seen to by their libraries."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)

    assert "[True, False, True, False]" == done.stdout.strip()
