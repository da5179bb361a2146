"""Files of text that somebody names."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream.errors import SettingsError
from stream.text_files import read_text_file


def test_text_is_read_whole(tmp_path: Path) -> None:
    """As it is."""
    (tmp_path / "a.txt").write_text("ä\nb")

    assert "ä\nb" == read_text_file(tmp_path / "a.txt", SettingsError, "")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("none", "can't be read: No such file"),
        (".", "can't be read: Is a directory"),
        ("latin", "not UTF-8 text: byte 7 is not"),
        ("\0", "can't be read: embedded null byte"),
    ],
)
def test_what_is_no_text_is_refused_by_its_name(tmp_path: Path, name: str, reason: str) -> None:
    """With the reason, and without the bytes, which may be a secret."""
    (tmp_path / "latin").write_bytes(b"hunter2\xff")

    with pytest.raises(SettingsError, match=f"^the key: {reason}") as refused:
        read_text_file(tmp_path / name, SettingsError, "give another", "the key")

    assert "give another" == refused.value.hint
    assert None is refused.value.__context__
