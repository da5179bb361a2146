"""The modules of `stream/settings` that hold tables → the tables of docs/configuration.md."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from stream.configuration import sections
from stream.errors import SettingsError
from stream.settings import (
    Bytes,
    KafkaSettings,
    Range,
    Seconds,
    mlflow_settings,
    setting_tables,
    web_settings,
)
from stream.transport.properties import RESERVED, consumer_properties, producer_properties

__all__ = ["each_setting", "fixed", "properties_text", "text", "variable"]

_NAMES = {str: "text", bool: "true or false", int: "whole number", float: "number", Path: "path",
          Seconds: "length of time", Bytes: "size"}  # fmt: skip

_CALLBACKS = ("error_cb", "on_delivery", "bootstrap.servers", "group.id")


def each_setting() -> Iterator[tuple[str, str, str]]:
    """Table, key and text of every setting, in the order of the code."""
    nodes = [
        node
        for module in (setting_tables, mlflow_settings, web_settings)
        for node in ast.parse(inspect.getsource(module)).body
    ]
    classes = {node.name: node for node in nodes if isinstance(node, ast.ClassDef)}
    for section, kind in sections().items():
        body = classes[kind.__name__].body
        for attribute, below in pairwise(body):
            if isinstance(attribute, ast.AnnAssign) and _is_setting(attribute):
                assert isinstance(attribute.target, ast.Name)
                if not isinstance(below, ast.Expr) or not isinstance(below.value, ast.Constant):
                    raise ValueError(f"[{section}] {attribute.target.id} has no text below it")
                yield section, attribute.target.id, str(below.value.value)


def _is_setting(attribute: ast.AnnAssign) -> bool:
    return isinstance(attribute.target, ast.Name) and not attribute.target.id.startswith("__")


def variable(section: str, key: str) -> str:
    """The environment variable of a setting."""
    return f"STREAM_{section.upper()}__{key.upper()}"


def text() -> str:
    """A heading and a table for each table of `stream.toml`."""
    meanings = {(section, key): meaning for section, key, meaning in each_setting()}
    parts: list[str] = []
    for section, kind in sections().items():
        parts += [f"### `[{section}]`", "", inspect.cleandoc(kind.__doc__ or ""), ""]
        parts += ["| key | type | default | meaning |", "|---|---|---|---|"]
        hints = get_type_hints(kind, include_extras=True)
        for field in fields(kind):
            about = meanings[section, field.name]
            cells = (f"`{field.name}`", _type(hints[field.name]), _default(field, hints[field.name]))
            parts.append(f"| {' | '.join(cells)} | {about} `{variable(section, field.name)}` |")
        parts.append("")
    return "\n".join(parts)


def _type(hint: Any) -> str:
    if hint in _NAMES:
        return _NAMES[hint]
    if get_origin(hint) is Literal:
        return " or ".join(f'`"{value}"`' for value in get_args(hint))
    if get_origin(hint) is Annotated:
        inner, bounds = get_args(hint)[0], next(e for e in get_args(hint)[1:] if isinstance(e, Range))
        return f"{_type(inner)}, {bounds.low:,g} to {bounds.high:,g}"
    if get_origin(hint) is tuple:
        return "list of texts"
    if Seconds in get_args(hint):
        return 'length of time or `"off"`'
    if parts := [part for part in get_args(hint) if part is not type(None)]:
        return _type(parts[0]) if type(None) in get_args(hint) else "table"
    raise ValueError(f"no words for the type {hint}")


def _default(field: Field[Any], hint: Any) -> str:
    if field.default is MISSING:
        return "`{}`"
    value = field.default
    if value is None:
        return "–"
    if value == ():
        return "`[]`"
    if hint is Seconds or Seconds in get_args(hint):
        return f'`"{value:g}s"`' if value >= 1 else f'`"{value * 1000:g}ms"`'
    if hint is Bytes:
        return f'`"{value // 2**20}MiB"`' if value % 2**20 == 0 else f'`"{value // 2**10}KiB"`'
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f'`"{value}"`' if isinstance(value, str) else f"`{value}`"


def properties_text() -> str:
    """Two tables: librdkafka properties that are ours alone, and those that we only set first."""
    consumer, producer = _configurations(KafkaSettings())
    plain = _producer(KafkaSettings(), None)
    lines = ["| not yours to set | why |", "|---|---|"]
    lines += [f"| `{name}` | {why} |" for name, why in sorted(RESERVED.items())]
    lines += ["", "| set by us, yours to change | consumer | producer |", "|---|---|---|"]
    for name in sorted({*consumer, *producer} - {*RESERVED, *_CALLBACKS}):
        cells = [f"`{client[name]}`".lower() if name in client else "–" for client in (consumer, producer)]
        if name in plain and plain[name] != producer[name]:
            cells[1] += f"; at-least-once: `{plain[name]}`"
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def fixed() -> set[str]:
    """The properties that stay as they are whatever the configuration says."""
    found: set[str] = set()
    for name in {name for client in _configurations(KafkaSettings()) for name in client} - {*_CALLBACKS}:
        try:
            clients = _configurations(KafkaSettings(consumer={name: "mine"}, producer={name: "mine"}))
        except SettingsError:
            continue
        found |= {name for client in clients if client.get(name) != "mine"}
    return found


def _configurations(kafka: KafkaSettings) -> tuple[dict[str, Any], dict[str, Any]]:
    return consumer_properties(kafka, lambda error: None), _producer(kafka, "mine")


def _producer(kafka: KafkaSettings, transactional_id: str | None) -> dict[str, Any]:
    return producer_properties(kafka, lambda error: None, lambda error, message: None, transactional_id)
