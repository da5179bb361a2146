"""
A run's folder, from its creation to the one rename that makes it visible.

    DIR/.run-NAME/work/plan.json        what is to be done; a later command with the same plan resumes here
    DIR/.run-NAME/work/lock             locked while a process works on it
    DIR/.run-NAME/work/done-00000.json  one for each finished unit
    DIR/.run-NAME/work/dead-00000.jsonl
    DIR/.run-NAME/out/part-00000.parquet
    DIR/run=NAME/                       `out`, renamed: parts, _run.json, _dead_rows.jsonl
"""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import secrets
import shutil
import socket
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from stream.batch.plan import Plan
from stream.batch.record import RECORD, RunRecord
from stream.batch.work import Done, dead_name, done_name
from stream.durable import sync, written_whole
from stream.errors import SettingsError, StreamError

__all__ = ["DEAD_ROWS", "Run", "Title", "open_run"]

DEAD_ROWS = "_dead_rows.jsonl"
"""The file of the rows that could not be scored, in a run's folder."""


@dataclass(frozen=True, slots=True)
class Title:
    """
    What identifies a run, besides its inputs.

    Attributes:
        model: `name@version`.
        manifest_sha256: of the version's manifest.
        format: the name of the parts' format.
        engine: `local` or `spark`; another engine may resume the run.
        key: of the work, which the output has one run of; empty for none.
    """

    model: str
    manifest_sha256: str
    format: str
    engine: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """
    A run in progress, owned by this process alone.

    Attributes:
        name: of the run.
        output: the folder of all runs.
        plan: what is to be done.
        title: of the run.
        started: RFC 3339.
        done: the units that earlier commands finished.
    """

    name: str
    output: Path
    plan: Plan
    title: Title
    started: str
    done: tuple[Done, ...]

    @property
    def folder(self) -> Path:
        """Where the run is kept until it is published."""
        return self.output / f".run-{self.name}"

    def publish(
        self,
        done: list[Done],
        finished: datetime,
        columns: Mapping[str, str] | None = None,
        replaces: str = "",
    ) -> RunRecord:
        """
        Make the run visible: 1 gather its dead rows, 2 write its record, 3 rename it, 4 remove its work folder.

        Args:
            done: every unit of the plan.
            finished: now.
            columns: of the parts, with their types, for the record.
            replaces: the run that this one takes the place of; it is removed. Between two renames neither is visible.
        Returns: the record.
        Raises: OSError from the disk; the run is then not visible, and the same command resumes it.
        """
        out = self.folder / "out"
        for half in out.glob(".*"):  # half-written files of a process that was killed
            half.unlink()
        dead = Counter[str]()
        for each in done:
            dead.update(each.dead_by_reason)
        if dead:
            with written_whole(out / DEAD_ROWS) as file:  # 1
                for unit in self.plan.units:
                    with (self.folder / "work" / dead_name(unit.number)).open("rb") as part:
                        shutil.copyfileobj(part, file)
        record = RunRecord(
            run=self.name, by=_whoami(), started=self.started, finished=_rfc3339(finished),
            engine=self.title.engine, format=self.title.format, model=self.title.model,
            manifest_sha256=self.title.manifest_sha256, rows=self.plan.rows,
            predictions=sum(each.predictions for each in done), dead_rows=dead.total(),
            dead_by_reason=dict(dead.most_common()), inputs=self.plan.files,
            stream=version("prediction-stream"), key=self.title.key, columns=columns or {},
        )  # fmt: skip
        with written_whole(out / RECORD) as file:  # 2
            file.write(record.to_json().encode())
        sync(out)
        if replaces:  # into the work folder, which is removed; a command that resumes this one finds it moved
            with suppress(FileNotFoundError):
                (self.output / f"run={replaces}").rename(self.folder / f"replaced-{replaces}")
        out.rename(self.output / f"run={self.name}")  # 3
        sync(self.output)
        shutil.rmtree(self.folder, ignore_errors=True)  # 4
        return record


@contextmanager
def open_run(output: Path, plan: Plan, title: Title, now: datetime) -> Iterator[Run]:
    """
    Start a run, or resume one of the same plan that was stopped.

    Args:
        output: the folder of all runs; created if it doesn't exist.
        plan: at least one unit or file.
        title: of the run.
        now: the time, UTC.
    Yields: the run, locked against other processes.
    Raises: StreamError when another process works on the same plan; SettingsError when no folder can be created in
        the output; OSError from the disk.
    """
    with _begun(output):
        output.mkdir(parents=True, exist_ok=True)
    asked = _plan_text(plan, title)
    for folder in sorted(output.glob(".run-*")):
        name = folder.name.removeprefix(".run-")
        if (output / f"run={name}").exists():
            # It was published, then stopped before its work folder was removed.
            shutil.rmtree(folder, ignore_errors=True)
            continue
        known = _read_plan(folder)
        if known is None or known.get("asked") != asked:
            continue
        with _locked(folder):
            yield Run(name, output, plan, title, str(known["started"]), _finished(folder, plan))
            return
    name = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    folder = output / f".run-{name}"
    with _begun(output):
        (folder / "work").mkdir(parents=True)
        (folder / "out").mkdir()
    with _locked(folder):
        with written_whole(folder / "work" / "plan.json") as file:
            file.write(json.dumps({"started": _rfc3339(now), "asked": asked}).encode())
        yield Run(name, output, plan, title, _rfc3339(now), ())


@contextmanager
def _begun(output: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SettingsError(
            f"--output {output}: no run can be started there: {error.strerror}",
            hint="choose a folder that this user can create and write to",
        ) from error


def _plan_text(plan: Plan, title: Title) -> dict[str, Any]:
    """What two commands must share to be the same run; the engine may differ."""
    planned = asdict(plan)
    del planned["stamps"], planned["prints"]
    asked = {**planned, "model": title.model, "manifest": title.manifest_sha256, "format": title.format}
    if title.key:
        asked["key"] = title.key
    found: dict[str, Any] = json.loads(json.dumps(asked))
    return found


def _read_plan(folder: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads((folder / "work" / "plan.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None  # it stopped before it had a plan: there is nothing to resume
    return found


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / "work" / "lock").open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StreamError(
                f"{folder}: another process is scoring the same inputs with the same model",
                hint="wait until it ends, or stop it; then run again",
            ) from error
        yield


def _finished(folder: Path, plan: Plan) -> tuple[Done, ...]:
    found: list[Done] = []
    for unit in plan.units:
        path = folder / "work" / done_name(unit.number)
        if path.exists():
            note = json.loads(path.read_text("utf-8"))
            found.append(Done(unit.number, unit.rows, note["predictions"], note["dead"]))
    return tuple(found)


def _rfc3339(moment: datetime) -> str:
    # Milliseconds: two runs started in one second still have an order.
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1_000:03d}Z"


def _whoami() -> str:
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        user = f"uid {os.getuid()}"  # a container's user often has no name
    return f"{user}@{socket.gethostname()}"
