"""Values that are of their settings' types already: they need no library that converts, which is slow to import."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, NewType, Union, get_args, get_origin, get_type_hints

from stream.settings.setting_tables import Settings

__all__ = ["taken_plainly"]

_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")
"""A byte of the environment that is not UTF-8."""


def taken_plainly(tables: Mapping[str, Mapping[str, Any]], base: Path) -> Settings | None:
    """
    Settings of values that can be taken as they are.

    Args:
        tables: per table of `Settings`, values by key; each key is known.
        base: the folder of the configuration.
    Returns: None where a value is of another type than its setting, and must be converted or refused. Bounds are not
        looked at.
    """
    kinds, taken = get_type_hints(Settings), {}
    for name, table in tables.items():
        hints = get_type_hints(kinds[name], include_extras=True)
        if not all(_fits(value, hints[key]) for key, value in table.items()):
            return None
        taken[name] = kinds[name](**table)
    return Settings(**taken, base=base)


def _fits(value: object, hint: Any) -> bool:
    """Whether a value is of exactly this type: not of one that is made from it, as a whole number is no `float`."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _fits(value, inner[0])
    if origin in (Union, UnionType):
        return any(_fits(value, each) for each in inner)
    if origin is Literal:
        return any(type(value) is type(each) and value == each for each in inner)
    if origin is Mapping:
        return type(value) is dict and all(
            _fits(k, inner[0]) and _fits(v, inner[1]) for k, v in value.items()
        )
    if type(value) is not (hint.__supertype__ if isinstance(hint, NewType) else hint):
        return False
    return type(value) is not str or not _LONE_SURROGATE.search(value)
