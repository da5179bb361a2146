"""Files that were damaged on their way."""

from __future__ import annotations

from pathlib import Path


def damaged(content: bytes) -> bytes:
    """The content with the last bit of its last byte turned: never the same, whatever it was."""
    return content[:-1] + bytes([content[-1] ^ 1])


def damage(path: Path) -> None:
    """Turn the last bit of a file."""
    path.write_bytes(damaged(path.read_bytes()))
