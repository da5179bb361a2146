"""What the demo brings along: the packed model and the event's schema, from the wheel or from a clone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stream.errors import PackageError

__all__ = ["Assets", "find_assets"]

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Assets:
    """
    Absolute paths.

    Attributes:
        model: the package folder.
        schema: the event's Avro schema.
    """

    model: Path
    schema: Path


def find_assets(here: Path = HERE) -> Assets:
    """
    Where the demo's model and schema are.

    Args:
        here: the folder of this room. A wheel holds `models` and `schemas` in it, a clone two folders above.
    Raises: PackageError when neither place has them.
    """
    places = (here, here.parents[1])
    for place in places:
        found = Assets(place / "models" / "flights", place / "schemas" / "flight.avsc")
        if found.schema.is_file() and any((found.model / part).exists() for part in ("current", "versions")):
            return found
    raise PackageError(
        f"the demo's model is neither in {places[0]} nor in {places[1]}",
        hint="install the package again, or in a clone run `stream train models/flights/train.py`",
    )
