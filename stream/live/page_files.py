"""The files of the live page, as both doors give them: hand-written, with nothing of the model's."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

__all__ = ["EVENT_HEADERS", "PageFile", "page_files"]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What the page may do: run the scripts of this process and ask it; nothing within the page runs, nobody frames it."""

_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}

EVENT_HEADERS: Mapping[str, str] = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Accel-Buffering": "no",  # nginx gathers answers otherwise
}
"""Of the stream of snapshots."""


@dataclass(frozen=True, slots=True)
class PageFile:
    """
    One file.

    Attributes:
        content: its bytes.
        headers: of an answer with them.
    """

    content: bytes
    headers: Mapping[str, str]

    def is_known(self, asked: str) -> bool:
        """Whether a request's `If-None-Match` says that the client has it; "" where it has none."""
        tags = [tag.strip().removeprefix("W/") for tag in asked.split(",")]
        return self.headers["ETag"] in tags or "*" in tags


@cache
def page_files() -> Mapping[str, PageFile]:
    """By path below the door's root: `/` is the page itself, the files that it loads are below `/live/`."""
    folder = files("stream.live").joinpath("page")
    found = {one.name: one.read_bytes() for one in folder.iterdir() if one.name.rpartition(".")[2] in _TYPES}
    return {
        "/" if name == "index.html" else f"/live/{name}": PageFile(content, _headers(name, content))
        for name, content in sorted(found.items())
    }


def _headers(name: str, content: bytes) -> dict[str, str]:
    return {
        "Content-Type": _TYPES[name.rpartition(".")[2]],
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",  # asked for again each time; the answer is short where nothing changed
        "ETag": f'"{hashlib.sha256(content).hexdigest()[:32]}"',
    }
