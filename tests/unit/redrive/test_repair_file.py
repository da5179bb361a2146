"""Repair files: what is read, and what is refused with the place and the next step."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stream.errors import SettingsError
from stream.redrive import read_repairs
from stream.redrive.repair_file import Repair


def written(folder: Path, text: str) -> Path:
    """A repair file."""
    path = folder / "repair.toml"
    path.write_text(text)
    return path


def test_each_reason_has_its_repair(tmp_path: Path) -> None:
    """The table of the reason, else that of `*`; a schema's path starts at the file's folder."""
    repairs = read_repairs(
        written(
            tmp_path,
            '[reason.wrong_type]\nrename = { a = "b" }\ncast = ["b"]\ndefault = { c = 1 }\ndrop = ["d"]\n'
            '[reason."org.a.Bad"]\nschema = "old.avsc"\n[reason."*"]\ndrop = ["x"]\n',
        )
    )

    assert Repair({"a": "b"}, ("d",), {"c": 1}, ("b",)) == repairs.of("wrong_type")
    assert Repair(schema=tmp_path / "old.avsc") == repairs.of("org.a.Bad")
    assert Repair(drop=("x",)) == repairs.of("missing_field")


@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        ("", "says nothing of any reason", "write \\[reason.wrong_type\\]"),
        ("[reason]\n", "says nothing of any reason", "write \\[reason.wrong_type\\]"),
        ("[reasons.wrong_type]\n", "unknown table `reasons`", "did you mean `reason`\\?"),
        ("[reason.wrong_typ]\n", "reason.wrong_typ", "did you mean `wrong_type`\\?"),
        ("[reason]\nwrong_type = 1\n", "reason.wrong_type\\]: expected a table", "write"),
        ('[reason.wrong_type]\nrenam = { a = "b" }\n', "unknown key `renam`", "did you mean `rename`\\?"),
        ('[reason.wrong_type]\nrename = ["a"]\n', "rename: expected a table", "old = "),
        ("[reason.wrong_type]\nrename = { a = 1 }\n", "rename: expected a table", "old = "),
        ('[reason.wrong_type]\ncast = { a = "int" }\n', "cast: expected a list", "today's schema"),
        ("[reason.wrong_type]\ndrop = [1]\n", "drop: expected a list", "debug"),
        ('[reason.wrong_type]\ndrop = "a"\n', "drop: expected a list", "debug"),
        ("[reason.wrong_type]\nschema = 1\n", "schema: expected a file", "old.avsc"),
        ("[reason.wrong_type\n", "not TOML", "correct that line"),
    ],
)
def test_what_can_not_be_meant_is_refused(tmp_path: Path, text: str, place: str, hint: str) -> None:
    """With file, table, key, what was expected, and the nearest name."""
    with pytest.raises(SettingsError, match=place) as caught:
        read_repairs(written(tmp_path, text))
    assert str(tmp_path) in caught.value.message
    assert re.search(hint, caught.value.hint)


def test_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """By its name."""
    with pytest.raises(SettingsError, match=r"nowhere.toml: can't be read"):
        read_repairs(tmp_path / "nowhere.toml")
