"""Settings from `stream.toml` and the environment, checked: every error names file, key and next step."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin, get_type_hints

from stream.errors import SettingsError
from stream.nearest import did_you_mean
from stream.secret_values import hidden, kind_of, quoted_value, read_secret
from stream.settings import TAKEN_INSTANCES, Bytes, Range, Seconds, Secret, Settings, taken_plainly
from stream.text_files import read_text_file

if TYPE_CHECKING:
    from pydantic import ValidationError

__all__ = ["load_settings", "sections"]

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_BYTES = {"B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3, "KB": 1000, "MB": 1000**2, "GB": 1000**3}
_SERVED_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_QUANTITY = re.compile(r"\s*([0-9]*\.?[0-9]+)\s*([A-Za-z]+)\s*")


def sections() -> dict[str, type]:
    """The tables of `stream.toml` and their types, in the order of the documentation."""
    return {
        name: hint
        for name, hint in get_type_hints(Settings).items()
        if isinstance(hint, type) and is_dataclass(hint)
    }


def load_settings(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """
    Read a configuration.

    Args:
        path: the TOML file; None = `stream.toml` of the current folder if there is one, else defaults.
        environ: environment variables; those called `STREAM_SECTION__KEY` override the file.
    Returns: settings whose relative paths start from the file's folder.
    Raises: SettingsError for the first thing that is wrong, naming file (or variable), key, what was
        expected, what was found and the next step. Reads files only; changes nothing.
    """
    chosen = path or Path("stream.toml")
    if path is None and not chosen.exists():
        raw: dict[str, Any] = {}
        base = Path.cwd()
    else:
        raw = _read(chosen)
        base = chosen.absolute().parent
    origins = _overlay(raw, environ)
    _check_keys(raw, chosen, origins)
    prepared = {
        section: _prepare(table, sections()[section], section, chosen, origins, base, environ)
        for section, table in raw.items()
    }
    loaded = taken_plainly(prepared, base) or _converted(prepared, base, chosen, origins)
    _check_access(loaded, chosen, origins)
    _check_instance(loaded, chosen, origins)
    _check_served_name(loaded, chosen, origins)
    return _check_ranges(loaded, chosen, origins)


def _read(path: Path) -> dict[str, Any]:
    text = read_text_file(path, SettingsError, "name the file, in UTF-8, with --config FILE")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: not TOML: {error}", hint="correct that line") from error


def _overlay(raw: dict[str, Any], environ: Mapping[str, str]) -> dict[str, str]:
    """Put environment settings over the file's; returns which key came from which variable."""
    origins: dict[str, str] = {}
    for variable, text in environ.items():
        if not variable.startswith("STREAM_") or "__" not in variable:
            continue
        section, _, key = variable.removeprefix("STREAM_").lower().partition("__")
        table = raw.setdefault(section, {})
        if isinstance(table, dict):
            table[key] = text
        origins[f"{section}.{key}"] = variable
    return origins


def _where(key: str, file: Path, origins: Mapping[str, str]) -> str:
    return f"environment variable {origins[key]}" if key in origins else f"{file}: {key}"


def _check_keys(raw: Mapping[str, Any], file: Path, origins: Mapping[str, str]) -> None:
    known = sections()
    for section, table in raw.items():
        variable = next((v for k, v in origins.items() if k.split(".")[0] == section), None)
        if section not in known:
            place = f"environment variable {variable}" if variable else f"{file}: [{section}]"
            hint = did_you_mean(section, known) or f"known tables: {', '.join(known)}"
            raise SettingsError(f"{place}: unknown table `{section}`", hint=hint)
        if not isinstance(table, dict):
            raise SettingsError(
                f"{file}: `{section}` is a table, found {kind_of(table)}", hint=f"write [{section}]"
            )
        keys = [f.name for f in fields(known[section])]
        for key in table:
            if key not in keys:
                hint = did_you_mean(key, keys) or f"known keys of [{section}]: {', '.join(keys)}"
                raise SettingsError(
                    f"{_where(f'{section}.{key}', file, origins)}: unknown key `{key}`", hint=hint
                )


def _prepare(
    table: Mapping[str, Any],
    kind: type,
    section: str,
    file: Path,
    origins: Mapping[str, str],
    base: Path,
    environ: Mapping[str, str],
) -> dict[str, Any]:
    """Quantities to numbers, JSON of environment tables to tables, secrets to their values."""
    hints = get_type_hints(kind, include_extras=True)
    done: dict[str, Any] = {}
    for key, value in table.items():
        where = _where(f"{section}.{key}", file, origins)
        hint = hints[key]
        if value == "off" and hint == Seconds | None:
            value = None
        elif hint in (Seconds, Seconds | None):
            value = _quantity(value, _SECONDS, where, "a length of time such as `10s`")
        elif hint in (Bytes, Bytes | None):
            value = _quantity(value, _BYTES, where, "a size such as `16MiB`")
        elif get_origin(hint) is Mapping:
            value = _table(value, where)
            value = {k: hidden(k, read_secret(v, f"{where}.{k}", base, environ)) for k, v in value.items()}
            if _holds_secret(hint):
                value = {k: Secret(v) if isinstance(v, str) else v for k, v in value.items()}
        elif get_origin(hint) is tuple:
            value = _list(value, where)
            value = [read_secret(v, f"{where}[{i}]", base, environ) for i, v in enumerate(value)]
        value = read_secret(value, where, base, environ)
        if _holds_secret(hint) and isinstance(value, str):
            value = Secret(value)
        done[key] = value
    return done


def _holds_secret(hint: object) -> bool:
    return Secret in get_args(hint)


def _quantity(value: object, units: Mapping[str, float], where: str, expected: str) -> object:
    if not isinstance(value, str):
        return value
    found = _QUANTITY.fullmatch(value)
    if found and found[2] in units:
        number = float(found[1]) * units[found[2]]
        return int(number) if units is _BYTES else number
    try:
        return float(value) if units is _SECONDS else int(value)
    except ValueError:
        raise SettingsError(
            f"{where}: expected {expected}, found {quoted_value(value)}",
            hint=f"use one of the units {', '.join(units)}",
        ) from None


def _table(value: object, where: str) -> dict[str, Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except json.JSONDecodeError as error:
            raise SettingsError(
                f"{where}: expected a JSON object, {error}", hint='write {"key": "value"}'
            ) from None
    if not isinstance(value, dict):
        raise SettingsError(
            f"{where}: expected a table, found {kind_of(value)}", hint="write a table of key = value"
        )
    return value


def _list(value: object, where: str) -> list[Any]:
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except json.JSONDecodeError as error:
            raise SettingsError(f"{where}: expected a JSON list, {error}", hint='write ["value"]') from None
    if not isinstance(value, list):
        raise SettingsError(f"{where}: expected a list, found {kind_of(value)}", hint='write ["value"]')
    return value


def _converted(prepared: Mapping[str, Any], base: Path, file: Path, origins: Mapping[str, str]) -> Settings:
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(Settings).validate_python({**prepared, "base": base})
    except ValidationError as error:
        raise _explain(error, file, origins) from None  # its own words quote what was found


def _explain(error: ValidationError, file: Path, origins: Mapping[str, str]) -> SettingsError:
    """The library's first complaint, as ours: place, expected, found."""
    first = error.errors(include_url=False, include_context=False)[0]
    section, key, *below = (str(part) for part in first["loc"])
    hint = get_type_hints(sections()[section]).get(key)
    secret = hint is None or _holds_secret(hint)
    place, expected = _where(f"{section}.{key}", file, origins), first["msg"].removeprefix("Input should be ")
    advice = "see docs/configuration.md for this key"
    if get_origin(hint) is Mapping and below:
        place, secret = f"{place}.{below[0]}", True
        expected = "a text" if _holds_secret(hint) else "a text, a number, true or false"
        advice = (
            'write `"its.name" = "value"`, the name in quotes; a secret as { file = "…" } or { env = "…" }'
        )
    elif secret:
        expected, advice = "a text", 'write "…", { file = "…" } or { env = "…" }'
    found = first.get("input")
    return SettingsError(
        f"{place}: expected {expected.replace('Value error, ', '')},"
        f" found {kind_of(found) if secret else quoted_value(found)}",
        hint=advice,
    )


def _check_access(loaded: Settings, file: Path, origins: Mapping[str, str]) -> None:
    """What would let in whoever comes, or show a password to whoever reads the log."""
    for section in sections():
        for key in ("token", "webhook_secret"):
            if getattr(getattr(loaded, section), key, None) == "":
                raise SettingsError(
                    f"{_where(f'{section}.{key}', file, origins)}: is empty, and would let everybody in",
                    hint="look at the file or variable it comes from, or leave the key out",
                )
    if "@" in loaded.kafka.bootstrap_servers:
        raise SettingsError(
            f"{_where('kafka.bootstrap_servers', file, origins)}: holds a user",
            hint='give "sasl.username" and "sasl.password" in [kafka.properties]',
        )


def _check_instance(loaded: Settings, file: Path, origins: Mapping[str, str]) -> None:
    """A worker and a command of one transactional id would end each other's transactions."""
    if command := TAKEN_INSTANCES.get(loaded.delivery.instance or ""):
        raise SettingsError(
            f"{_where('delivery.instance', file, origins)}: {loaded.delivery.instance} is the name by which"
            f" `{command}` writes in this group",
            hint="choose another, such as the pod's name",
        )


def _check_served_name(loaded: Settings, file: Path, origins: Mapping[str, str]) -> None:
    name = loaded.serve.name
    if name is not None and not _SERVED_NAME.fullmatch(name):
        raise SettingsError(
            f"{_where('serve.name', file, origins)}: expected a name such as flights, found {quoted_value(name)}",
            hint="it stands in a path: at most 100 letters, digits and . _ -, the first a letter or a digit",
        )


def _ranges(hint: object) -> Iterator[Range]:
    if get_origin(hint) is Annotated:
        yield from (extra for extra in get_args(hint)[1:] if isinstance(extra, Range))
    elif get_origin(hint) in (Union, UnionType):
        for part in get_args(hint):
            yield from _ranges(part)


def _check_ranges(loaded: Settings, file: Path, origins: Mapping[str, str]) -> Settings:
    for section, kind in sections().items():
        table = getattr(loaded, section)
        for key, hint in get_type_hints(kind, include_extras=True).items():
            value = getattr(table, key, None)
            for bounds in _ranges(hint):
                if value is not None and not (
                    (bounds.low is None or value >= bounds.low)
                    and (bounds.high is None or value <= bounds.high)
                ):
                    raise SettingsError(
                        f"{_where(f'{section}.{key}', file, origins)}: expected {bounds.low:g} to {bounds.high:g},"
                        f" found {value!r}",
                        hint="choose a value within the bounds",
                    )
    return loaded
