"""
`python -m benchmarks.rest.memory`: what a request costs in memory, by the kind of its body.

A service of its own for each kind; its peak is the kernel's (`VmHWM`, set back before each request), so nothing between
two looks is missed. The table stands in docs/rest.md.
"""

from __future__ import annotations

import argparse
import http.client
import io
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "models" / "flights"
JSON, CSV, LINES, NPY = "application/json", "text/csv", "application/jsonlines", "application/x-npy"
START_S = 120

ROW = {
    "flight_id": "2013-10-19-US-2086-EWR", "carrier": "US", "origin": "EWR", "dest": "CLT", "distance": 529.0,
    "dep_delay": -7.0, "weekday": 5, "hour": 13, "temp": 62.96, "humid": 46.37, "wind_speed": 6.90468, "precip": 0.0,
    "pressure": 1013.5, "visib": 10.0,
}  # fmt: skip


def rows(count: int) -> bytes:
    """Rows as they should be."""
    return json.dumps([ROW] * count).encode()


def listed(item: bytes, size: int, before: bytes = b"[", after: bytes = b"]") -> bytes:
    """As many items as fit."""
    return before + b",".join([item] * (size // (len(item) + 1))) + after


def wide(size: int) -> bytes:
    """One object of many keys, of which every ten thousandth is an object, so that their number is not plain to see."""
    keys = (f'"{i:06x}":{"{}" if i % 5_000 == 0 else "1"}' for i in range(size // 11))
    return ("[{" + ",".join(keys) + "}]").encode()


def tensor(size: int) -> bytes:
    """The Open Inference Protocol's."""
    before = b'{"inputs":[{"name":"distance","shape":[1],"datatype":"FP64","data":['
    return listed(b"0.5", size, before, b"]}]}")


def array(values: Any) -> bytes:
    """As numpy saves it; mixed values are texts."""
    buffer = io.BytesIO()
    np.save(buffer, np.array(values))
    return buffer.getvalue()


KINDS: dict[str, tuple[str, str, Callable[[int], bytes]]] = {
    "20,000 rows": ("/predict", JSON, lambda size: rows(min(20_000, size // 260))),
    "rows that lack all fields": ("/predict", JSON, lambda size: listed(b"{}", min(size, 60_000))),
    "too many empty objects": ("/predict", JSON, lambda size: listed(b"{}", size)),
    "too many rows by position": (
        "/invocations", JSON, lambda size: listed(b"[1]", size, b'{"instances":[', b"]}")),
    "a list of small numbers": ("/predict", JSON, lambda size: listed(b"999", size)),
    "a tensor of another shape": ("/v2/models/flights/infer", JSON, tensor),
    "texts of two letters": ("/predict", JSON, lambda size: listed(b'"ab"', size)),
    "an object of many keys": ("/predict", JSON, wide),
    "a text with an emoji": ("/predict", JSON, lambda size: b'["\xf0\x9f\x98\x80' + b"a" * size + b'"]'),
    "BigQuery's calls": ("/bigquery", JSON, lambda size: listed(b"[{}]", size, b'{"calls":[', b"]}")),
    "nested lists": ("/predict", JSON, lambda size: b"[" * (size // 2) + b"]" * (size // 2)),
    "csv of many rows": ("/invocations", CSV, lambda size: b"distance\n" + b"1\n" * (size // 2)),
    "csv of many columns": (
        "/invocations", CSV, lambda size: ",".join(f"c{i}" for i in range(size // 8)).encode() + b"\n"),
    "csv of many cells": (
        "/invocations", CSV,
        lambda size: b"distance," + listed(b"x", 10_000, b"", b"\n") + (b"ab," * 4_999 + b"ab\n") * (size // 15_000)),
    "a list of too many rows": ("/invocations", JSON, lambda size: listed(b"[1]", size)),
    "20,000 lines of JSON": (
        "/invocations", LINES, lambda size: (json.dumps(ROW).encode() + b"\n") * min(20_000, size // 260)),
    "too many lines of JSON": ("/invocations", LINES, lambda size: b"1\n" * (size // 2)),
    "a line of many keys": ("/invocations", LINES, lambda size: wide(size)[1:-1]),
    "an array of texts": (
        "/invocations", NPY, lambda size: array([[*ROW.values()]] * min(20_000, size // 1_800))),
    "an array of too many rows": ("/invocations", NPY, lambda size: array(np.zeros((size // 104, 13)))),
    "an array of another width": ("/invocations", NPY, lambda size: array(np.zeros((size // 4_000, 4_000), bool))),
    "not JSON": ("/predict", JSON, lambda size: b"{" + b"a" * size),
}  # fmt: skip
"""By name: where to, as what, and the body of about so many bytes."""


class Service:
    """A `stream serve` of its own."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        environ = {**os.environ, "STREAM_MODEL__URI": str(MODEL), "STREAM_MODEL__RELOAD": "off"}
        command = [sys.executable, "-m", "stream", "serve", "--port", str(self.port)]
        self._process = subprocess.Popen(command, cwd=folder, env=environ, stderr=subprocess.DEVNULL)
        self._proc = Path(f"/proc/{self._process.pid}")

    def ready(self) -> None:
        """Wait until it has answered a row, so that nothing is imported later."""
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            try:
                self.ask("/predict", JSON, json.dumps(ROW).encode())
                return
            except OSError:
                time.sleep(0.1)
        raise TimeoutError(f"no answer within {START_S} s")

    def ask(self, path: str, kind: str, body: bytes) -> tuple[int, int]:
        """The status, and the bytes of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request("POST", path, body, {"content-type": kind})
            answer = connection.getresponse()
            return answer.status, len(answer.read())
        finally:
            connection.close()

    def forget_peak(self) -> None:
        """The kernel's peak begins anew."""
        (self._proc / "clear_refs").write_text("5")

    def kib(self, name: str) -> int:
        """`VmRSS` or `VmHWM`."""
        found = re.search(rf"{name}:\s+(\d+)", (self._proc / "status").read_text())
        assert found is not None
        return int(found[1])

    def end(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.wait()


def measured(name: str, size: int) -> str:
    """A line of the table."""
    path, kind, make = KINDS[name]
    body = make(size)
    service = Service(ROOT)
    try:
        service.ready()
        service.forget_peak()
        before = service.kib("VmRSS")
        started = time.monotonic()
        status, answer = service.ask(path, kind, body)
        took = time.monotonic() - started
        more = service.kib("VmHWM") - before
    finally:
        service.end()
    times = more * 1024 / len(body)
    return (
        f"| {name} | `{path}` | {len(body) / 2**20:,.2f} | {status} | {answer / 1024:,.1f} | {more / 1024:,.1f} "
        f"| {times:,.1f} | {took:,.2f} |"
    )


def main() -> None:
    """A table of all kinds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rest.memory", description=__doc__)
    parser.add_argument("--mib", type=float, default=15, help="about the size of a body (default: 15)")
    parser.add_argument("--only", default="", help="kinds whose names hold this")
    options = parser.parse_args()
    print("| body | endpoint | MiB | status | answer KiB | memory MiB | × the body | s |")
    print("|---|---|--:|--:|--:|--:|--:|--:|")
    for name in KINDS:
        if options.only in name:
            print(measured(name, int(options.mib * 2**20)), flush=True)


if __name__ == "__main__":
    main()
