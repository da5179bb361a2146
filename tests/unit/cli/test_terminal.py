"""Whatever a command quotes of others, a terminal sees visible characters, and each line is the command's own."""

from __future__ import annotations

import ast
import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import joblib
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from stream import tasks
from stream.cli import main, terminal
from stream.cli.main import COMMANDS, cli
from stream.errors import BrokerRefused, SettingsError
from stream.shown import shown
from stream.tasks.findings import Finding
from stream.tasks.group_status import GroupStatus, PartitionStatus
from tests.unit.store.signed import packed, replace_file, rewrite

CLI = Path(terminal.__file__).parent

EVIL = "a\nFORGED line\r\x1b]0;pwned\x07\x1b[8m\x9b31m\u202e\u2028\u200b[bold]x[/nothing]"

FILE = "a\nFORGED \x1b[31m\x9b\u202e[bold]"
"""A name that a file system takes."""


@pytest.fixture(scope="module")
def evil(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a package, a model, a sample and rows, whose authors mean no good."""
    folder = tmp_path_factory.mktemp("evil") / FILE
    version = packed(folder / "m").path
    packed(folder / "m")

    def speak(document: dict[str, Any]) -> None:
        document["libraries"] = {EVIL: EVIL, "numpy": EVIL}
        document["metrics"] = {EVIL: EVIL, "auc": EVIL}

    rewrite(folder / "m" / "versions" / "2", speak)
    rewrite(version, lambda document: document.update(task=EVIL))
    shutil.copytree(folder / "m", folder / "torn")
    schema = json.dumps({"type": "record", "name": "m", "fields": [{"name": "a", "type": EVIL, "doc": EVIL}]})
    replace_file(folder / "torn" / "versions" / "2", "features.avsc", schema.encode())
    (folder / "loose").mkdir()
    shutil.copytree(folder / "m" / "versions", folder / "loose" / "versions")
    (folder / "loose" / "current").write_text(EVIL)
    frame = pd.DataFrame({EVIL: [0.0, 1.0, 2.0, 3.0], "b": [1.0, 0.0, 1.0, 0.0]})
    joblib.dump(LogisticRegression().fit(frame, [EVIL, "x", EVIL, "x"]), folder / f"{FILE}.joblib")
    joblib.dump(LinearRegression().fit(frame.rename(columns={EVIL: "c"}), [1, 2, 3, 4]), folder / "c.joblib")
    frame.to_csv(folder / f"{FILE}.csv", index=False)
    pd.DataFrame({"a": [EVIL, "1"], "b": ["1", EVIL]}).to_csv(folder / "texts.csv", index=False)
    (folder / "bad.toml").write_text(f"[{json.dumps(EVIL)}]\n")
    (folder / "recipe.py").write_text(f"raise ValueError({EVIL!r})\n")
    return folder


LINES = [
    "models list m", "models list m --json", "models list loose", "models show m", "models show m --json",
    "models show torn", "models verify m", "models verify m --json", "models verify torn", "models verify loose",
    "models verify m --version 1", "models verify {evil}", "models rollback m", "models rollback loose --to 2",
    "pack {file}.joblib --name n --sample {file}.csv --out o", "pack {file}.joblib --name {evil} --sample {file}.csv",
    "pack {file}.joblib --name n --sample {file}.csv --out o --json --carry {evil}", "pack {file}.csv --name n",
    "pack c.joblib --name n --sample {file}.csv", "pack {file}.joblib --name n --sample texts.csv",
    "pack {file}.joblib --name n --sample {file}.csv --sign {file}.csv",
    "batch texts.csv --output {file} --model m", "batch texts.csv --output o --model m --format jsonl --json",
    "batch history --output {file}", "batch {evil} --output o --model m", "batch texts.csv --output o --model torn",
    "batch {file}.csv --output o --model m", "batch history --output {evil}",
    "sql {sql} --model m", "sql {sql} --model m --json", "sql {wrong} --model m", "sql {failing} --model m",
    "sql {file} --model torn", "export --to {evil} m",
    "export --to bigquery --out o --dataset {evil} m", "serve --config bad.toml",
    "serve --port {evil}",
    "train recipe.py", "train {evil}.py", "check --config bad.toml", "{evil}",
    "models {evil}", "check --{evil}", "worker --config bad.toml", "demo --events {evil}", "status --config {evil}",
    "topics --config bad.toml", "produce {evil}", "watch --from {evil}", "check {evil}", "--{evil}",
    "deadletters show {evil}", "deadletters stats --config bad.toml", "deadletters {evil}",
    "explain {evil} --config bad.toml", "explain --hex {evil}", "explain --all 1:2",
    "backfill --from {evil} --to 3", "backfill --from 0 --to 1 --config bad.toml", "backfill {evil}",
    "doctor {evil}", "doctor --config bad.toml", "doctor --config {evil}",
]  # fmt: skip

WORDS = {
    "{evil}": EVIL,
    "{file}": FILE,
    "{sql}": "SELECT *, predict_error(f) e, 'x' AS \"" + EVIL + "\" FROM 'texts.csv' f",
    "{wrong}": f"SELECT\n{EVIL} FROM nowhere",
    "{failing}": f"SELECT cast('{EVIL}' AS INT)",
}


@pytest.mark.parametrize("at_terminal", [False, True], ids=["piped", "terminal"])
@pytest.mark.parametrize("line", LINES)
def test_command_prints_lines_of_its_own_only(
    line: str,
    at_terminal: bool,
    evil: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """In file names, manifests, schemas, cells, queries, arguments and exceptions, on both streams."""
    shutil.copytree(evil, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("TERM", "dumb")  # no bold headings: what is left was in a cell
    if at_terminal:
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        monkeypatch.setenv("STREAM_MODEL__OPEN_TIMEOUT", "off")  # what a child says is shown when piped

    said, data = _run(line, capfd)

    assert said
    _check(said)
    if at_terminal or "--json" in line or not line.startswith(("pack", "batch", "export")):
        _check(data)


def _run(line: str, capfd: pytest.CaptureFixture[str]) -> tuple[str, str]:
    arguments = line.split(" ")
    for word, text in WORDS.items():
        arguments = [argument.replace(word, text) for argument in arguments]
    with pytest.raises(SystemExit):
        main(arguments)
    found = capfd.readouterr()
    return found.err or found.out, found.out


def _check(text: str) -> None:
    lines = text.split("\n")
    assert lines == [shown(line, 10**6) for line in lines]
    assert [] == [line for line in lines if line.lstrip().startswith("FORGED")]


def test_every_command_is_asked() -> None:
    """None is forgotten: a new one needs lines here."""
    assert set(COMMANDS) <= {line.split(" ")[0] for line in LINES}


@dataclass
class Seen:
    """What a monkeypatched task yields or raises."""

    rows: list[dict[str, object]]
    error: Exception | None = None

    def __call__(self, *_: object, **__: object) -> Iterator[dict[str, object]]:
        """As `watch_topic`."""
        yield from self.rows
        if self.error is not None:
            raise self.error


ROW: dict[str, object] = {"key": EVIL, EVIL: EVIL, "headers": {EVIL: EVIL}, "list": [EVIL], "none": None}


@pytest.mark.parametrize("at_terminal", [False, True], ids=["piped", "terminal"])
def test_watched_records_are_rows_on_a_terminal_and_json_elsewhere(
    at_terminal: bool, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A record is one line, of exact values where a program reads them."""
    monkeypatch.setattr(tasks, "watch_topic", Seen([ROW, ROW], BrokerRefused(EVIL, hint=EVIL)))
    if at_terminal:
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)

    said, data = _run("watch", capfd)

    _check(said)
    _check(data)
    assert (2, 2) == (len(data.splitlines()), len(said.splitlines()))
    assert at_terminal or [ROW, ROW] == [json.loads(line) for line in data.splitlines()]


def test_value_forges_no_column_and_no_wrapped_line(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """What could be taken for two values is quoted, and blanks push nothing to the terminal's next line."""
    row: dict[str, object] = {"key": "x  label=1", "b=c": 'say "no"', "n": 1, "pad": f"a{' ' * 90}forged"}
    monkeypatch.setattr(tasks, "watch_topic", Seen([row]))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)

    assert 'key="x  label=1"  "b=c"="say \\"no\\""  n=1  pad="a  forged"\n' == _run("watch", capfd)[1]


def test_workers_web_and_cluster_are_strangers_too(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """`stream status` asks any address that it is given, `stream check` any registry."""
    group = GroupStatus(EVIL, [PartitionStatus(0, 1, 2, 1, 1)], 1.0, 0)
    answer = {"model": EVIL, "instance": EVIL, "state": EVIL, "dead_letters": {"by_reason": {EVIL: EVIL}}}
    finding = Finding("error", EVIL, EVIL, EVIL)
    monkeypatch.setattr(tasks, "check_contract", lambda _: [finding])
    monkeypatch.setattr(tasks, "observe_group", lambda *_: group)
    monkeypatch.setattr(tasks, "statuses", lambda *_: ([answer], [tasks.NoStatus(EVIL)]))

    for line in ("status", "status --json", "check", "check --json"):
        said, data = _run(line, capfd)
        _check(said)
        _check(data)


def test_names_that_are_not_utf8_are_handed_on_by_their_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """A program gets the path, a person its escaped form; neither gets a traceback."""
    path = os.fsdecode(bytes(tmp_path) + b"/\xff\xc3\xa9")

    terminal.print_data(path)
    terminal.say(path)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    terminal.print_data(path)

    found = capfdbinary.readouterr()
    escaped = bytes(tmp_path) + "/\\udcffé\n".encode()
    assert (os.fsencode(path) + b"\n" + escaped, escaped) == found


def test_warning_is_one_line(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """A library quotes in it what it was given."""

    @click.command()
    def warned() -> None:
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn(EVIL, stacklevel=1)

    monkeypatch.setattr(cli, "get_command", lambda *_: warned)
    monkeypatch.setattr("warnings.showwarning", _as_python_does)

    said, _ = _run("check", capfd)

    _check(said)
    assert 1 == len(said.splitlines())


def _as_python_does(message: Any, category: Any, filename: str, lineno: int, *_: object) -> None:
    import warnings

    sys.stderr.write(warnings.formatwarning(message, category, filename, lineno))


@pytest.mark.parametrize(
    "error", [SettingsError(EVIL, hint=EVIL), OSError(5, EVIL, EVIL), KeyError(EVIL), ValueError(EVIL)]
)
@pytest.mark.parametrize("debug", ["", " --debug"])
def test_error_is_its_own_lines(
    error: Exception, debug: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Ours, the system's, and a bug's; with a traceback too."""

    @click.command()
    def broken() -> None:
        raise error

    monkeypatch.setattr(cli, "get_command", lambda *_: broken)

    _check(_run(f"check{debug}", capfd)[0])


def _printing(tree: ast.AST) -> Iterator[str]:
    """Calls that print past the one module that may."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in ("print", "click.echo", "click.secho", "click.echo_via_pager") or called.endswith(
                ("stdout.write", "stderr.write", "print_exc")
            ):
                yield called


@pytest.mark.parametrize("path", sorted(CLI.glob("*.py")), ids=lambda path: path.name)
def test_one_module_prints(path: Path) -> None:
    """So that what is shown is decided in one place."""
    found = list(_printing(ast.parse(path.read_text("utf-8"))))

    assert (path.name == "terminal.py") == bool(found)
