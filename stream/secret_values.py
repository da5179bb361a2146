"""
Secrets of a configuration: read from where it says, and never shown.

A value of the wrong type may be a secret too, in the wrong form: `["hunter2"]` for a password. So messages say what
kind of thing was found, and quote it only where its key holds no secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stream.errors import SettingsError
from stream.settings import Secret

__all__ = ["hidden", "is_reference", "is_sensitive", "kind_of", "quoted_value", "read_secret"]

LARGEST_BYTES = 1024 * 1024
"""Of a secret's file: a certificate chain fits many times."""

_SENSITIVE = re.compile(
    r"passw|passphrase|secret|token|jaas|credential|\.pem$|api[._]?key|sasl\.oauthbearer\.config", re.I
)
"""Names of librdkafka's properties whose values are secrets."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_KINDS: Mapping[type, str] = {
    dict: "a table",
    list: "a list",
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
}

_LONGEST = 80
"""Characters of a value that are quoted."""


def kind_of(value: object) -> str:
    """What kind of TOML value something is, for messages that must not quote it."""
    return next((name for kind, name in _KINDS.items() if isinstance(value, kind)), "a date or time")


def quoted_value(value: object) -> str:
    """A value of a key that holds no secret, as a message quotes it: what is more than one value is not quoted."""
    if isinstance(value, Secret | dict | list):
        return kind_of(value)
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def is_sensitive(name: str) -> bool:
    """Whether a property's name says that its value is a secret."""
    return _SENSITIVE.search(name) is not None


def hidden(name: str, value: object) -> object:
    """A property's value; as a secret where its name says that it is one, so that it shows itself nowhere."""
    return Secret(value) if isinstance(value, str) and is_sensitive(name) else value


def is_reference(value: object) -> bool:
    """Whether a value says where a secret is: `{ file = … }` or `{ env = … }`."""
    return isinstance(value, dict) and len(value) == 1 and set(value) <= {"file", "env"}


def read_secret(value: object, where: str, base: Path, environ: Mapping[str, str]) -> Any:
    """
    `{ file = … }` or `{ env = … }` → the secret itself; anything else as it is.

    Args:
        value: of a key.
        where: the key, for messages.
        base: the folder that a relative file is in.
        environ: environment variables.
    Raises: SettingsError when the file or the variable can't be read.
    """
    if not isinstance(value, dict) or not is_reference(value):
        return value
    [(source, name)] = value.items()
    if not isinstance(name, str):
        raise SettingsError(
            f"{where}: {source}: expected a text, found {kind_of(name)}", hint=f'write {{ {source} = "…" }}'
        )
    return Secret(_variable(name, where, environ) if source == "env" else _file(name, where, base))


def _variable(name: str, where: str, environ: Mapping[str, str]) -> str:
    if not _VARIABLE.fullmatch(name):
        # Not repeated: it may be the secret itself.
        raise SettingsError(
            f"{where}: env: expected the name of an environment variable",
            hint="put the secret into a variable, and name that",
        )
    if name not in environ:
        raise SettingsError(f"{where}: environment variable `{name}` is not set", hint=f"set {name}")
    return environ[name]


def _file(name: str, where: str, base: Path) -> str:
    hint = "check path and permissions"
    try:
        with (base / name).open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise SettingsError(f"{where}: secret file {name} can't be read: {reason}", hint=hint) from error
    if len(content) > LARGEST_BYTES:
        raise SettingsError(f"{where}: secret file {name} has more than {LARGEST_BYTES} bytes", hint=hint)
    try:
        return content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        # Without its cause, which holds the bytes.
        raise SettingsError(
            f"{where}: secret file {name} is not UTF-8 text", hint="write the secret as text"
        ) from None
