"""The command line itself."""

from __future__ import annotations

import click
import pytest

from stream.cli import main as entry
from stream.cli.main import COMMANDS, cli


def run(*arguments: str) -> int:
    """Exit code of a command line."""
    with pytest.raises(SystemExit) as end:
        entry(arguments)
    assert isinstance(end.value.code, int)
    return end.value.code


def test_unknown_command_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    """A mistyped command is answered with the nearest known one."""
    assert 2 == run("chek")
    assert "did you mean `check`?" in capsys.readouterr().err


def test_word_that_is_near_nothing_gets_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    """Where no command is near, all known ones are listed."""
    assert 2 == run("xyzzy")
    assert ", ".join(COMMANDS) in capsys.readouterr().err


@pytest.mark.parametrize("debug", [False, True])
def test_bug_is_one_line_unless_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], debug: bool
) -> None:
    """No traceback without --debug, exit 1, and the words of the exception."""

    @click.command()
    def broken() -> None:
        raise KeyError("nobody thought of it")

    monkeypatch.setattr(cli, "get_command", lambda *_: broken)

    assert 1 == run("check", *(["--debug"] if debug else []))
    said = capsys.readouterr().err
    assert "KeyError" in said
    assert debug == ("Traceback" in said)
