"""`stream doctor`: what it prints, and its exit codes."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from stream import doctor
from stream.cli.main import main
from stream.doctor import CHECKS, Diagnosis
from tests.kafka.process import free_ports


def run(*arguments: str) -> int | str | None:
    """The command; its exit code."""
    with pytest.raises(SystemExit) as ended:
        main(["doctor", *arguments])
    return ended.value.code


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def configured(folder: Path) -> None:
    """A configuration whose broker, registry and model are all away."""
    broker, registry, web = free_ports(3)
    (folder / "stream.toml").write_text(
        f'[kafka]\nbootstrap_servers = "127.0.0.1:{broker}"\n'
        f'[schema_registry]\nurl = "http://127.0.0.1:{registry}"\ntimeout = "500ms"\n'
        f'[model]\nuri = "nowhere"\n[web]\nport = {web}\n[delivery]\nstate = "state"\n'
    )


def test_without_a_configuration_nothing_is_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    """Defaults are nobody's configuration: exit 2, and how to name one."""
    assert 2 == run()

    said = capsys.readouterr()
    assert "" == said.out
    assert "--config FILE" in said.err


def test_configuration_that_cannot_be_read_is_exit_2(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The one line says which key; the bundle has it, too."""
    (elsewhere / "stream.toml").write_text("[kafka]\nbootstrap = 1\n")

    assert 2 == run("--bundle", "report.zip")

    assert "fail  configuration" in capsys.readouterr().out
    assert b"unknown key" in zipfile.ZipFile("report.zip").read("doctor.txt")


def test_environment_alone_is_a_configuration(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in a container; a variable that is wrong is named."""
    monkeypatch.setenv("STREAM_WEB__PORT", "none")

    assert 2 == run()
    assert "STREAM_WEB__PORT" in capsys.readouterr().out


def test_with_everything_away_each_fault_is_one_failure(
    elsewhere: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Broker, registry and package; what depends on them says so. Nothing is left behind."""
    configured(elsewhere)
    roomy = SimpleNamespace(total=2**40, used=2**39, free=2**39)  # whatever this machine's disk is like
    monkeypatch.setattr(shutil, "disk_usage", lambda place: roomy)

    assert 1 == run("--json")

    found = {each["check"]: each for each in json.loads(capsys.readouterr().out)}
    assert [check.name for check in CHECKS] == list(found)
    assert ["broker", "registry", "signature"] == [
        name for name, each in found.items() if each["state"] == "fail"
    ]
    assert "not looked at, since broker must be right first" == found["lag"]["found"]
    assert {"ok"} == {found[name]["state"] for name in ("configuration", "state folder", "port", "disk")}
    assert ["stream.toml"] == [path.name for path in elsewhere.iterdir()]


def test_lines_are_for_people(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """State, check, what was looked at and found; the next step below; one line for all that wait for one thing."""
    configured(elsewhere)

    run("--bundle", "report.zip")

    said = capsys.readouterr()
    assert "fail  broker: [kafka] bootstrap_servers 127.0.0.1:" in said.out
    assert "      next: start the broker" in said.out
    assert "3 fail" in said.err
    [broker] = [
        line for line in said.out.splitlines() if "since broker must be right first: tls, login" in line
    ]
    assert broker.endswith("group, lag, memory")
    assert re.search(r"[0-9]+ warn, 3 fail, [0-9]+ not looked at", said.err)
    assert "manifest.json" in zipfile.ZipFile("report.zip").namelist()


def test_line_that_did_not_finish_is_no_sound_configuration(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing failed and much was not looked at: exit 1, since a script would take 0 for sound."""
    configured(elsewhere)
    late = Diagnosis(
        "warn", "", "not finished within 8 s", "run the doctor again", looked=False, check="broker"
    )
    monkeypatch.setattr(doctor, "examine", lambda case, checks: [late])

    assert 1 == run()
    assert "not finished within 8 s" in capsys.readouterr().out
