"""A small file of text that somebody names, such as a schema or a key: read whole, or refused by its name."""

from __future__ import annotations

from pathlib import Path

from stream.errors import StreamError

__all__ = ["read_text_file"]


def read_text_file(path: Path, refusal: type[StreamError], hint: str, place: str = "") -> str:
    """
    Read a file of UTF-8 text.

    Args:
        path: of the file.
        refusal: the error's class.
        hint: what to do when it can't be read.
        place: what the message calls it; empty for its path.
    Raises: `refusal`, naming it and the reason; its cause may hold the file's bytes, and is not kept.
    """
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        reason = f"not UTF-8 text: byte {error.start} is not"
    except (OSError, ValueError) as error:
        reason = f"can't be read: {getattr(error, 'strerror', None) or error}"
    raise refusal(f"{place or path}: {reason}", hint=hint)
