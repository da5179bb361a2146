"""`python -m tests.browser.screenshots`: the pictures of the live page in docs/images, of a real demo and service."""

from __future__ import annotations

import base64
import itertools
import json
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pandas as pd
from PIL import Image
from selenium.webdriver import Chrome

from stream.demo.flights import load_flights, split
from tests.browser.chrome import browser, emulate
from tests.browser.visit import Visit
from tests.kafka.process import free_ports

__all__ = ["main"]

IMAGES = Path(__file__).parents[2] / "docs" / "images"

LARGEST_BYTES = 200_000

WARM_UP_S = 240.0
"""For the sparklines to have something to show: a step of them is ten seconds."""

_OPEN_TRUNCATED = """
[...document.querySelectorAll("#recent button")].find((one) => one.textContent === "truncated").click();
"""

ROWS_A_REQUEST = 4
ROWS_PER_S = 60.0


def main() -> int:
    """Take all pictures; 1 when one is too large."""
    parser = ArgumentParser(prog="scripts/screenshots", description="Takes the pictures in docs/images.")
    parser.add_argument(
        "--warm-up", type=float, default=WARM_UP_S, metavar="SECONDS", help="before the first one"
    )
    warm_up_s = parser.parse_args().warm_up
    IMAGES.mkdir(exist_ok=True)
    with browser() as chrome, _demo() as demo_url, _service() as service_url:
        time.sleep(warm_up_s)
        _worker(chrome, demo_url)
        _look(chrome, service_url, "live-serve")
    large = [path.name for path in IMAGES.glob("live-*.png") if path.stat().st_size > LARGEST_BYTES]
    if large:
        sys.stderr.write(f"larger than {LARGEST_BYTES} bytes: {', '.join(large)}\n")
    return 1 if large else 0


def _worker(chrome: Chrome, url: str) -> None:
    _look(chrome, url, "live-light")
    _look(chrome, url, "live-dark", scheme="dark")
    _look(chrome, url, "live-phone", width=390, height=844)
    visit = _open(chrome, url)
    visit.run(_OPEN_TRUNCATED)
    visit.until(lambda: chrome.find_elements("css selector", "#letter mark"), "the failed byte")
    _take(chrome, "live-letter")


def _open(chrome: Chrome, url: str, *, width: int = 1440, height: int = 1020, scheme: str = "light") -> Visit:
    emulate(chrome, width=width, height=height, scheme=scheme)
    visit = Visit(chrome, url)
    visit.until_drawn()
    visit.until(
        lambda: visit.run("return document.querySelectorAll('#latest-table tbody tr').length") == 12, "rows"
    )
    time.sleep(8)  # the spread of the answers is that of those since somebody looks
    return visit


def _look(
    chrome: Chrome, url: str, name: str, *, width: int = 1440, height: int = 1020, scheme: str = "light"
) -> None:
    _open(chrome, url, width=width, height=height, scheme=scheme)
    _take(chrome, name)


def _take(chrome: Chrome, name: str) -> None:
    shot = chrome.execute_cdp_cmd("Page.captureScreenshot", {})
    picture = Image.open(BytesIO(base64.b64decode(shot["data"]))).convert("RGB")
    file = IMAGES / f"{name}.png"
    picture.quantize(256, dither=Image.Dither.NONE).save(file, optimize=True)
    sys.stdout.write(f"{file.name}: {file.stat().st_size:,} bytes\n")


@contextmanager
def _demo() -> Iterator[str]:
    """The demo's page, its flights flowing."""
    [port] = free_ports(1)
    with _process("demo", "--no-browser", "--events", "3000", "--port", str(port)):
        yield _answering(f"http://127.0.0.1:{port}/")


@contextmanager
def _service() -> Iterator[str]:
    """The page of a service that is asked."""
    [port] = free_ports(1)
    stop = threading.Event()
    with _process("serve", "--model", "models/flights", "--port", str(port)):
        url = _answering(f"http://127.0.0.1:{port}/")
        asking = threading.Thread(target=_ask, args=(url, stop))
        asking.start()
        try:
            yield url
        finally:
            stop.set()
            asking.join()


def _ask(url: str, stop: threading.Event) -> None:
    """Flights, some a request; now and then a request without a distance, which is refused."""
    _, held_out = split(load_flights())
    rows = json.loads(pd.DataFrame(held_out.iloc[:2_000]).to_json(orient="records", date_format="iso"))
    for i in itertools.count(0, ROWS_A_REQUEST):
        if stop.wait(ROWS_A_REQUEST / ROWS_PER_S):
            return
        asked = [dict(row) for row in rows[i % len(rows) : i % len(rows) + ROWS_A_REQUEST]]
        if i % 400 == 0:
            del asked[0]["distance"]
        body = json.dumps(asked).encode()
        request = urllib.request.Request(f"{url}predict", body, {"Content-Type": "application/json"})
        try:
            urllib.request.urlopen(request, timeout=30).close()
        except urllib.error.HTTPError as refused:
            refused.close()


def _answering(url: str) -> str:
    for _ in range(600):
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            time.sleep(0.2)
        else:
            return url
    raise RuntimeError(f"{url} does not answer")


@contextmanager
def _process(*arguments: str) -> Iterator[None]:
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen([sys.executable, "-m", "stream", *arguments], stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)


if __name__ == "__main__":
    sys.exit(main())
