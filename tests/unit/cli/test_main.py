"""The command line itself."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator

import click
import pytest

from stream.cli import main as entry
from stream.cli.main import COMMANDS, SECTIONS, cli
from stream.cli.terminal import print_data, print_line, print_table, say


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


@pytest.fixture
def reader_gone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A stdout whose reader has gone, as in `stream … | head`."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        yield


def printing(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Let every command do this."""

    @click.command()
    def command() -> None:
        act()

    monkeypatch.setattr(cli, "get_command", lambda *_: command)


@pytest.mark.parametrize(
    "act",
    [
        lambda: print_line("x"),
        lambda: print_data("x"),
        lambda: print_data("\xe9"),
        lambda: print_table([{"n": 1}]),
    ],
    ids=["line", "data", "bytes", "table"],
)
@pytest.mark.usefixtures("reader_gone")
def test_reader_that_has_gone_is_no_error(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], act: Callable[[], object]
) -> None:
    """Exit 0 without a word, whichever way a command prints."""
    printing(monkeypatch, act)

    assert 0 == run("check")
    assert "" == capfd.readouterr().err


@pytest.mark.usefixtures("reader_gone")
def test_help_whose_reader_has_gone_is_no_error() -> None:
    """click prints it, and would end with 1."""
    assert 0 == run("--help")


def test_connection_that_breaks_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is not taken for the end of whoever reads the output."""

    def broken() -> None:
        raise BrokenPipeError(32, "Broken pipe")

    printing(monkeypatch, broken)

    assert 1 == run("check")
    assert "a connection was closed" in capsys.readouterr().err


def test_work_goes_on_when_nobody_reads_its_messages(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Progress that can't be told ends no replay."""
    read, write = os.pipe()
    os.close(read)
    monkeypatch.setattr(sys, "stderr", os.fdopen(write, "w"))

    def work() -> None:
        say("half")
        print_line("done")

    printing(monkeypatch, work)

    assert 0 == run("check")
    assert "done\n" == capsys.readouterr().out


def test_help_has_every_command_under_one_title(capsys: pytest.CaptureFixture[str]) -> None:
    """A command of two sections would be one entry of `COMMANDS` only."""
    assert 0 == run("--help")
    help_text = capsys.readouterr().out

    assert list(COMMANDS) == [name for commands in SECTIONS.values() for name in commands]
    assert list(COMMANDS) == re.findall(r"^  ([a-z]\w+)  ", help_text, re.MULTILINE)
    assert list(SECTIONS) == re.findall(r"^(\w.*):$", help_text, re.MULTILINE)[1:]
