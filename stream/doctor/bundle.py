"""One zip for a bug report: what the doctor saw, and what it was seen with. No secrets, no records."""

from __future__ import annotations

import json
import os
import platform
import tomllib
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import distributions, version
from pathlib import Path
from typing import Any

from stream.doctor.case import Case
from stream.doctor.diagnosis import Diagnosis
from stream.doctor.secret_removal import Remover, as_given, cleaned, effective, secrets_of
from stream.durable import written_whole
from stream.tasks import NoStatus, own_page

__all__ = ["LOG_BYTES", "write_bundle"]

LOG_BYTES = 256 * 1024
"""Of the end of a log."""

_UNKNOWN = "the configuration can't be read, so it is not known what is secret"


def write_bundle(
    path: Path,
    case: Case | None,
    config: Path | None,
    found: Sequence[Diagnosis],
    log: Path | None = None,
) -> None:
    """
    Write the zip; an existing file is replaced.

    Args:
        path: of the zip.
        case: what was examined; None where the configuration can't be read: then it and the log are left out.
        config: its file; None = `stream.toml` here if there is one.
        found: the doctor's lines.
        log: a worker's log, if one is known.
    Raises: OSError from the disk; nothing is written then.
    """
    files: dict[str, str] = {}
    left_out: dict[str, str] = {}
    given = _given(config) if case is not None else {}
    remover = Remover(secrets_of(case.settings, given) if case is not None else ())
    files["doctor.json"] = _json(cleaned([asdict(each) for each in found], remover.known))
    files["doctor.txt"] = remover.known("".join(map(_line, found)))
    files["versions.json"] = _json(_versions())
    if case is None:
        left_out |= dict.fromkeys(
            ("stream.toml", "settings.json", "status.json", "metrics.txt", "log.txt"), _UNKNOWN
        )
    else:
        files["stream.toml"] = _toml(given, remover)
        files["settings.json"] = _json(cleaned(effective(case.settings), remover.known))
        files["environment.txt"] = _variables()
        _of_worker(case, remover, files, left_out)
        _of_log(log, remover, files, left_out)
    clean = {name: remover.values(text).encode("utf-8", "backslashreplace") for name, text in files.items()}
    manifest = {
        # No hash: whoever looks for secrets takes it for one.
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "files": {n: {"bytes": len(c), "crc32": zlib.crc32(c)} for n, c in clean.items()},
        "left_out": {name: remover.known(why) for name, why in left_out.items()},
    }
    with written_whole(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("manifest.json", _json(manifest))
        for name, content in clean.items():
            bundle.writestr(name, content)


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n"


def _line(found: Diagnosis) -> str:
    step = f"      next: {found.next_step}\n" if found.next_step else ""
    place = f"{found.looked_at}: " if found.looked_at else ""
    return f"{found.state:<4}  {found.check}: {place}{found.found}\n{step}"


def _given(config: Path | None) -> dict[str, Any]:
    """The file's tables; none where the configuration is the environment's alone."""
    path = config or Path("stream.toml")
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _toml(given: Mapping[str, Any], remover: Remover) -> str:
    """The file again, without its comments, which may hold anything, and with its secrets masked."""
    parts: list[str] = []
    for section, table in given.items():
        masked = {key: cleaned(as_given(section, key, value), remover.known) for key, value in table.items()}
        parts += [
            f"[{section}]",
            *(f"{json.dumps(key)} = {_value(value)}" for key, value in masked.items()),
            "",
        ]
    return "\n".join(parts)


def _value(value: object) -> str:
    """TOML's spelling; that of texts, numbers and booleans is JSON's."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_value(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value) if isinstance(value, str | int | float | bool) else str(value)


def _variables() -> str:
    """Names only: what they say is in the settings."""
    return "".join(f"{name}\n" for name in sorted(os.environ) if name.startswith("STREAM_"))


def _versions() -> dict[str, object]:
    installed = {each.metadata["Name"]: each.version for each in distributions()}
    return {
        "prediction-stream": version("prediction-stream"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "distributions": dict(sorted(installed.items(), key=lambda one: str(one[0]).lower())),
    }


def _of_worker(case: Case, remover: Remover, files: dict[str, str], left_out: dict[str, str]) -> None:
    if case.worker is None:
        why = "no worker of this configuration answers at [web] host and port"
        left_out |= dict.fromkeys(("status.json", "metrics.txt"), why)
        return
    files["status.json"] = _json(cleaned(_without_messages(case.worker), remover.foreign))
    metrics = own_page(case.settings, "/metrics")
    if isinstance(metrics, NoStatus):
        left_out["metrics.txt"] = metrics.reason
    else:
        files["metrics.txt"] = remover.foreign(metrics.decode("utf-8", "replace"))


def _without_messages(value: object) -> object:
    """A status without the messages of dead letters, which may quote a record."""
    if isinstance(value, Mapping):
        return {key: _without_messages(each) for key, each in value.items() if key != "message"}
    return [_without_messages(each) for each in value] if isinstance(value, list) else value


def _of_log(log: Path | None, remover: Remover, files: dict[str, str], left_out: dict[str, str]) -> None:
    if log is None:
        left_out["log.txt"] = "workers log to stderr; no file is known: name it with --log"
        return
    with log.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - LOG_BYTES))
        taken = file.read(LOG_BYTES)
    # The first line may have been cut, and its name with it, which tells that a secret follows.
    whole = taken if size <= LOG_BYTES else taken.partition(b"\n")[2]
    files["log.txt"] = remover.foreign(whole.decode("utf-8", "replace"))
