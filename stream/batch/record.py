"""What is known of a run afterwards: `_run.json` in its folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from stream.batch.plan import Planned

__all__ = ["RECORD", "RunRecord"]

RECORD = "_run.json"
"""The record's name; readers of partitioned folders leave out names that begin with `_`."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """
    A run's record.

    Attributes:
        run: its name; the folder is `run=NAME`.
        by: user and machine.
        started: RFC 3339, UTC; of a run that was resumed, when it was first started.
        finished: RFC 3339, UTC.
        engine: `local` or `spark`.
        format: of the parts.
        model: `name@version`.
        manifest_sha256: of the version's manifest, which holds the hashes of its files.
        rows: of all inputs; each is a prediction or a dead row.
        predictions: how many there are.
        dead_rows: how many rows could not be scored; `_dead_rows.jsonl` has them.
        dead_by_reason: the same by reason.
        inputs: each file with its SHA-256, size and rows.
        stream: the version of prediction-stream.
    """

    run: str
    by: str
    started: str
    finished: str
    engine: str
    format: str
    model: str
    manifest_sha256: str
    rows: int
    predictions: int
    dead_rows: int
    dead_by_reason: Mapping[str, int] = field(default_factory=dict)
    inputs: tuple[Planned, ...] = ()
    stream: str = ""

    def to_json(self) -> str:
        """The record as it is written: indented JSON, a newline at the end."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> RunRecord:
        """
        Args:
            text: what `to_json` wrote, of this version or an older one.
        Raises: ValueError, KeyError or TypeError when it is not a record.
        """
        values: dict[str, Any] = json.loads(text)
        known = {name: values[name] for name in cls.__dataclass_fields__ if name in values}
        return cls(**{**known, "inputs": tuple(Planned(**each) for each in known.get("inputs", ()))})
