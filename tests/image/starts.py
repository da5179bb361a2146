"""How soon the image `serve` answers: with its bytecode and without, from the disk and from the page cache."""

from __future__ import annotations

import os
import resource
import shutil
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.docker.compose import ROOT
from tests.image.built import Built, hand_over, hold
from tests.kafka.process import free_ports, wait_for

__all__ = ["report_starts"]

_ROW = b"UA,EWR,ORD,719,40,4,17,,,,,,"
_TIMES = 5
_START_S = 120


def report_starts(built: Built) -> None:
    """
    Start it as SageMaker does, and print seconds: until `/ping` is 200, until the first answer, of processor.

    Args:
        built: the image `serve`.
    """
    print("  serve, the best of", _TIMES, "starts: /ping, the first answer, processor in all [s]")
    for bytecode in (True, False):
        for cold in (True, False):
            starts = [_start(built, bytecode=bytecode, cold=cold) for _ in range(_TIMES)]
            best = "  ".join(f"{min(each):5.2f}" for each in zip(*starts, strict=True))
            print(
                f"  {best}  {'with' if bytecode else 'without'} bytecode, {'cold' if cold else 'warm'}",
                flush=True,
            )


def _start(built: Built, *, bytecode: bool, cold: bool) -> tuple[float, float, float]:
    [port] = free_ports(1)
    # Bytecode is looked for there, and nowhere else.
    given = {"SAGEMAKER_BIND_TO_PORT": str(port)} | ({} if bytecode else {"PYTHONPYCACHEPREFIX": "/tmp/none"})
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model"
        shutil.copytree(ROOT / "models/flights", model)
        hand_over(Path(folder))
        if cold:
            _forget(built.root)
        before, began = _processor_s(), time.monotonic()
        with built.runs(["stream", "serve"], given, {model: "/opt/ml/model"}) as server:
            url = f"http://127.0.0.1:{port}"
            wait_for(lambda: _answers(f"{url}/ping"), _START_S, "/ping")
            ready = time.monotonic() - began
            hold(_answers(f"{url}/invocations", _ROW), "/invocations does not answer")
            answered = time.monotonic() - began
            server.send("TERM")
            hold(server.ends(60) == 0, server.said())
        return ready, answered, _processor_s() - before


def _answers(url: str, body: bytes | None = None) -> bool:
    asked = urllib.request.Request(url, body, {"content-type": "text/csv"})
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError):
        return False


def _forget(root: Path) -> None:
    """Out of the page cache with an image's files, and with no others of the machine."""
    os.sync()
    for path in root.rglob("*"):
        if path.is_file() and not path.is_symlink():
            opened = os.open(path, os.O_RDONLY)
            os.posix_fadvise(opened, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(opened)


def _processor_s() -> float:
    """Of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
