"""`stream doctor` on a configuration of a test: its lines by name, and those in which it differs from a sound one."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import gettempdir

from stream.child_python import child_command
from stream.configuration import load_settings
from stream.deadline import Deadline
from stream.doctor import ALL_S, CHECKS, Case, Diagnosis, examine
from stream.first_opening import FirstOpening
from tests.acceptance.process import Setup
from tests.kafka.artifacts import KAFKA
from tests.kafka.process import free_ports

__all__ = ["SOUND", "Examined", "examined"]

SOUND = {"version": "warn"} if KAFKA.startswith(("4.3.", "4.4.")) else {}
"""On the Kafka that most tests run on, 4.3.0: KAFKA-20734."""

CROWDED = shutil.disk_usage(gettempdir()).free < 10 * 1024**3
"""Whether the disk of the tests is nearly full itself: that is no fault of a test's making."""

HOST = "somewhere"

PATIENCE = 8
"""How many times the doctor's own limit a machine may take that runs other tests beside this one."""


@dataclass(frozen=True)
class Examined:
    """
    What was found.

    Attributes:
        lines: by check, in the order in which they are printed.
    """

    lines: Mapping[str, Diagnosis]

    @property
    def odd(self) -> dict[str, str]:
        """Check → state, of those that were looked at and are not ok; but for this machine's own disk."""
        return {
            name: each.state
            for name, each in self.lines.items()
            if each.looked and each.state != "ok" and not _is_own_disk(each)
        }

    def words(self, check: str) -> str:
        """A line with its next step."""
        line = self.lines[check]
        return f"{line.looked_at}: {line.found} → {line.next_step}"


def _is_own_disk(found: Diagnosis) -> bool:
    return (
        CROWDED
        and (found.check, found.state) == ("disk", "warn")
        and Path(found.looked_at).stat().st_dev == Path(gettempdir()).stat().st_dev
    )


def examined(setup: Setup, environ: Mapping[str, str] | None = None) -> Examined:
    """
    Examine a test's configuration in this process.

    Args:
        setup: whose state folder and port are replaced by ones of its own, unless it names them.
        environ: variables of the configuration.
    """
    [port] = free_ports(1)
    tables = {name: dict(keys) for name, keys in setup.tables.items()}
    tables.setdefault("delivery", {}).setdefault("state", str(setup.folder / "state"))
    file = replace(setup, tables=tables).write("doctor", port)
    settings = load_settings(file, environ or {})
    with FirstOpening(child_command("stream.store.opening_child")) as opening:
        opening.begin()
        case = Case(settings, str(file), HOST, Deadline.after(PATIENCE * ALL_S), opening)
        found = examine(case, CHECKS)
    if case.registry is not None:
        case.registry.close()
    return Examined({each.check: each for each in found})
