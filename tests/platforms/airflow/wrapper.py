"""
`stream` as tests start it: it does what `WRAPPED` says once, at the first attempt, and is `stream` otherwise.

    killed-after    kill the task that waits for it when the run is published: nobody learns of the run
    killed-before   kill the task, and go on without it
    held            begin when the file `GO` is there
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

MARK, STREAM = Path(os.environ["MARK"]), os.environ["STREAM"]
WHAT = "" if MARK.exists() else os.environ["WRAPPED"]
MARK.write_text(str(os.getpid()))

if WHAT == "killed-before":
    os.kill(os.getppid(), signal.SIGKILL)
if WHAT == "held":
    while not Path(os.environ["GO"]).exists():
        time.sleep(0.1)
quiet = {"stderr": subprocess.DEVNULL, "stdout": subprocess.DEVNULL} if WHAT.startswith("killed") else {}
done = subprocess.run([STREAM, *sys.argv[1:]], check=False, **quiet)  # type: ignore[call-overload]
if WHAT == "killed-after":
    os.kill(os.getppid(), signal.SIGKILL)
sys.exit(done.returncode)
