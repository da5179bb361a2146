"""
What came true, for the live page beside each prediction.

The demo knows how each flight ended, its worker does not: the demo writes the outcomes to a file once it has read them,
and the worker's page looks there. No model sees them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from stream.durable import renamed

__all__ = ["OUTCOMES", "Truth", "write_outcomes"]

OUTCOMES = "outcomes.json"
"""The file, beside the worker's stream.toml."""

_WORDS = {True: "late", False: "on time", None: "landed elsewhere"}


def write_outcomes(file: Path, late: Mapping[str, bool | None]) -> None:
    """
    Write a file that `Truth` reads.

    Args:
        file: where to.
        late: outcome by flight id; None where the flight landed elsewhere.
    Raises: OSError from the disk.
    """
    with renamed(file) as beside:
        beside.write_text(json.dumps(dict(late)), "utf-8")


class Truth:
    """Tells what became of a flight, as soon as the file is there."""

    def __init__(self, file: Path) -> None:
        """
        Args:
            file: what `write_outcomes` writes, perhaps later.
        """
        self._file = file
        self._late: Mapping[str, bool | None] = {}

    def __call__(self, prediction: Mapping[str, object]) -> Mapping[str, object] | None:
        """
        Args:
            prediction: its fields.
        Returns: `text`, how the flight ended, and `right`, whether that was predicted (None where it landed elsewhere);
            None for a flight that is not known, or not yet.
        """
        if not self._late and self._file.is_file():
            self._late = json.loads(self._file.read_text("utf-8"))
        flight = str(prediction.get("flight_id"))
        if flight not in self._late:
            return None
        late = self._late[flight]
        return {"text": _WORDS[late], "right": None if late is None else late == prediction.get("label")}
