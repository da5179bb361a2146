"""`--repair FILE.toml`: what is to be made of the letters of each reason."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from stream.errors import SettingsError
from stream.nearest import did_you_mean
from stream.reasons import TABLE
from stream.secret_values import kind_of

__all__ = ["ANY", "Repair", "Repairs", "read_repairs"]

ANY = "*"
"""The table for letters whose reason has none of its own."""


@dataclass(frozen=True, slots=True)
class Repair:
    """
    What is done to a letter's fields, in this order. Fields in nested records are dotted paths.

    Attributes:
        rename: old name → new name.
        drop: fields to leave out.
        default: field → the value where it is missing or null.
        cast: fields whose values are made what today's schema has, also from texts and to texts.
        schema: the file of the schema that wrote the values, where they name none that is known.
    """

    rename: Mapping[str, str] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    default: Mapping[str, object] = field(default_factory=dict)
    cast: tuple[str, ...] = ()
    schema: Path | None = None


@dataclass(frozen=True, slots=True)
class Repairs:
    """
    A repair file.

    Attributes:
        file: its path.
        by_reason: a repair for each reason, or for `ANY`.
    """

    file: Path
    by_reason: Mapping[str, Repair]

    def of(self, reason: str) -> Repair | None:
        """The repair of letters of a reason; None where the file says nothing of them."""
        return self.by_reason.get(reason) or self.by_reason.get(ANY)


_EXAMPLE = 'write [reason.wrong_type] and under it rename = { old = "new" }, drop, default or cast'

_EXPECTED = {
    "rename": 'a table of names, such as { old = "new" }',
    "drop": 'a list of fields, such as ["debug"]',
    "default": 'a table of values, such as { origin = "JFK" }',
    "cast": 'a list of fields, such as ["distance"]: each becomes what today\'s schema has',
    "schema": 'a file, such as "old.avsc"',
}


def read_repairs(path: Path) -> Repairs:
    """
    Read a repair file.

    Args:
        path: TOML.
    Raises: SettingsError naming file, table, key, what was expected and what was found.
    """
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{path}: can't be read: {error}", hint="name a TOML file with --repair"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: not TOML: {error}", hint="correct that line") from error
    for key in document:
        if key != "reason":
            hint = did_you_mean(key, ["reason"]) or _EXAMPLE
            raise SettingsError(f"{path}: unknown table `{key}`", hint=hint)
    tables = document.get("reason")
    if not isinstance(tables, dict) or not tables:
        raise SettingsError(f"{path}: says nothing of any reason", hint=_EXAMPLE)
    return Repairs(path, {_reason(path, name): _repair(path, name, table) for name, table in tables.items()})


def _reason(path: Path, name: str) -> str:
    known = [reason.name for reason in TABLE]
    # Of another writer's letters the reason is the exception's class, or a sentence.
    if name not in (*known, ANY, "unknown") and "." not in name:
        hint = did_you_mean(name, known) or "see `stream deadletters stats` for the reasons that there are"
        raise SettingsError(f"{path}: [reason.{name}]: no letter can have this reason", hint=hint)
    return name


def _repair(path: Path, reason: str, table: Any) -> Repair:
    where = f"{path}: [reason.{reason}]"
    if not isinstance(table, dict):
        raise SettingsError(f"{where}: expected a table, found {kind_of(table)}", hint=_EXAMPLE)
    known = [each.name for each in fields(Repair)]
    for key in table:
        if key not in known:
            hint = did_you_mean(key, known) or f"known keys: {', '.join(known)}"
            raise SettingsError(f"{where}: unknown key `{key}`", hint=hint)
    given = {key: _checked(f"{where} {key}", key, value) for key, value in table.items()}
    if "schema" in given:
        given["schema"] = path.parent / given["schema"]
    return Repair(**given)


def _checked(where: str, key: str, value: Any) -> Any:
    if key in ("drop", "cast") and isinstance(value, list) and all(isinstance(each, str) for each in value):
        return tuple(value)
    if key == "rename" and isinstance(value, dict) and all(isinstance(each, str) for each in value.values()):
        return value
    if (key == "default" and isinstance(value, dict)) or (key == "schema" and isinstance(value, str)):
        return value
    raise SettingsError(
        f"{where}: expected {_EXPECTED[key]}; found {kind_of(value)}", hint=f"write {_EXPECTED[key]}"
    )
