"""
Texts without secrets, for what leaves the machine.

Three nets, since each has holes: by structure (a key that holds a secret, a property whose name says so), by value
(every secret of this configuration, in each spelling in which it may turn up), and by form (what looks like a secret,
whoever's it is). What is taken for a secret and is none costs a word of the report; the other error costs more.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from html import escape
from typing import Any, get_args, get_type_hints
from urllib.parse import quote, quote_plus

from stream.configuration import sections
from stream.secret_values import is_reference, is_sensitive
from stream.settings import Secret, Settings

__all__ = ["MASK", "Remover", "as_given", "cleaned", "effective", "secrets_of"]

MASK = "********"

SHORT = 4
"""Fewer characters are replaced as whole words only: a one-letter password would take every such letter along."""

LINE_CHARS = 16
"""A line of a secret of several, such as a key's PEM, is a secret, too, from this length on."""

_FORMS = (
    re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", re.S),
    re.compile(r"(?<=:/)[^\s\"'<>]+(?=@)"),
    re.compile(r"(?<![\w.-])[\w.-]+:[^\s\"'<>@/:]+(?=@[\w.-])"),
    re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}(\.[\w-]*)?"),  # a JSON web token
    re.compile(r"(?i)(?<=\bbearer )\s*[\w.~+/=-]+|(?<=\bbasic )\s*[\w+/=-]{8,}"),
    re.compile(r"(?i)(?<=\bcookie)(\"?\s*[:=]\s*)[^\r\n\"']+"),
    re.compile(r"(?i)(?<=[?&]sig=)[^&\s\"']+|(?<=signature=)[^&\s,;\"']+"),
    re.compile(r"(?i)(?<= -u )\S+|(?<=--user )\S+|(?<=--password )\S+"),
    # In a sentence only what has a digit: "the token is refused" stays.
    re.compile(r"(?i)(?:(?<=password is )|(?<=token is )|(?<=password )|(?<=token ))(?=\S*\d)[^\s\"']{6,}"),
    # How large services begin theirs: AWS, GitHub, GitLab, Slack, Stripe and others, Google, SendGrid, npm, PyPI,
    # Vault, Databricks, DigitalOcean.
    re.compile(r"\b(AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[oprsu]_\w{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}"),
    re.compile(r"\bxox[a-z]-[\w-]{10,}|\b[prs]k_(live|test)_\w{16,}|\bsk-[\w-]{32,}|\bAIza[\w-]{30,}"),
    re.compile(r"\bSG\.[\w-]{16,}\.[\w-]{16,}|\b(npm_|pypi-|hv[sb]\.|dapi|do[op]_v1_)[\w-]{20,}"),
)
"""What looks like a secret."""

_NAMED = re.compile(
    r"(?i)([\w.-]*(?:passw|passphrase|passcode|\bpass\b|pwd|secret|token|credential|api[._-]?key|jaas|authorization"
    r"|access[._-]?key|account[._-]?key|private[._-]?key|session[._-]?id|honeycomb-team)[\w.-]*\\?[\"']?"
    r"\s*(?:[:=>]|=>|%3[AD])\s*)(?!\*{8})(\\?\"(?:[^\"\\]|\\.)*\\?\"|'[^']*'|(?:(?:bearer|basic)\s+)?[^\s,;}\]<]+)"
)
"""A name that says what follows it."""

_HEADER = re.compile(r"(?i)(\bauthorization\s*[:=]\s*)(?=[^\s\"'*])(?:=\\?\"[^\"\r\n]*\"|[^\r\n\"])+")
"""Whatever scheme it names, and however many parts that has; up to a quotation mark that ends a text around it."""


_PASSWORD = re.compile(r":/{1,2}[^\s/:@]*:([^\s\"'<>]+)(?=@)")
"""Of an address."""


class Remover:
    """Takes secrets out of texts."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """
        Args:
            secrets: the values that must not be seen.
        """
        spelled = {way for secret in secrets for one in _within(secret) for way in _spellings(one)}
        words = sorted((re.escape(way) if len(way) >= SHORT else rf"(?<!\w){re.escape(way)}(?!\w)" for way in spelled),
                       key=len, reverse=True)  # fmt: skip
        self._known = re.compile("|".join(words)) if words else None

    def values(self, text: str) -> str:
        """A text without the known secrets."""
        return text if self._known is None else self._known.sub(MASK, text)

    def known(self, text: str) -> str:
        """A text of our own making, without the known secrets and what looks like one."""
        found = self.values(text)
        for form in _FORMS:
            found = form.sub(MASK, found)
        return found

    def foreign(self, text: str) -> str:
        """A text of anybody's, such as a log: also without what follows a name such as `password=`."""
        found = _HEADER.sub(rf"\1{MASK}", self.values(text))
        return self.known(_NAMED.sub(_masked, self.known(found)))


def _masked(found: re.Match[str]) -> str:
    """A name and a mask in its value's place, between the same quotation marks: JSON stays JSON."""
    mark = re.match(r"\\?[\"']?", found[2])
    quoted = mark[0] if mark else ""
    return f"{found[1]}{quoted}{MASK}{quoted}"


def _within(secret: str) -> Iterator[str]:
    """A secret, and those that it spells out: the password in a JAAS configuration or in an address."""
    yield secret
    yield from _spelled_out(secret)


def _spelled_out(text: str) -> Iterator[str]:
    """Secrets in a text that is none itself."""
    yield from (found[2].strip("\\\"'") for found in _NAMED.finditer(text))
    yield from (found[1] for found in _PASSWORD.finditer(text))


def _spellings(secret: str) -> Iterator[str]:
    """How a secret may turn up in a header, an address, JSON, HTML or a message."""
    for one in {
        secret,
        secret.strip(),
        *(line for line in secret.splitlines() if len(line.strip()) >= LINE_CHARS),
    }:
        if one:
            yield from (one, quote(one), quote(one, safe=""), quote_plus(one), escape(one), repr(one)[1:-1])
            yield from (json.dumps(one)[1:-1], json.dumps(one, ensure_ascii=False)[1:-1])
            coded = base64.b64encode(one.encode("utf-8", "surrogateescape")).decode()
            yield from (coded, coded.rstrip("="), coded.replace("+", "-").replace("/", "_").rstrip("="))


def secrets_of(settings: Settings, given: Mapping[str, Any]) -> set[str]:
    """
    Every secret of a configuration.

    Args:
        settings: as it was loaded.
        given: the file as it was parsed; a variable may have replaced what it says.
    """
    found = {each.reveal() for each in _walk(settings) if isinstance(each, Secret)}
    texts = [each for each in (*_walk(settings), *_walk(given)) if isinstance(each, str)]
    found |= {secret for text in texts for secret in _spelled_out(text)}
    for section, table in given.items():
        for key, value in table.items() if isinstance(table, Mapping) else ():
            found |= set(_hidden_in(section, key, value))
    user, password = settings.schema_registry.user, settings.schema_registry.password
    if user and isinstance(password, Secret):
        found.add(base64.b64encode(f"{user}:{password.reveal()}".encode()).decode())
    return found


def _walk(value: object) -> Iterator[object]:
    if is_dataclass(value):
        for field in fields(value):
            yield from _walk(getattr(value, field.name))
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _walk(each)
    elif isinstance(value, tuple | list):
        for each in value:
            yield from _walk(each)
    else:
        yield value


def _holds_secret(section: str, key: str) -> bool:
    kind = sections().get(section)
    return is_sensitive(key) or (kind is not None and Secret in get_args(get_type_hints(kind).get(key)))


def _hidden_in(section: str, key: str, value: object) -> Iterator[str]:
    """The secrets that a key of the file spells out."""
    if isinstance(value, Mapping) and not is_reference(value):
        for name, each in value.items():
            yield from _hidden_in(section, key if _holds_secret(section, key) else name, each)
    elif isinstance(value, list):
        for each in value:
            yield from _hidden_in(section, key, each)
    elif not isinstance(value, Mapping) and _holds_secret(section, key):
        yield str(value)


def as_given(section: str, key: str, value: object) -> object:
    """A value of the file, secrets masked; where it says where a secret is, it stays."""
    if is_reference(value):
        return value
    if isinstance(value, Mapping):
        return {
            name: as_given(section, key if _holds_secret(section, key) else name, each)
            for name, each in value.items()
        }
    if isinstance(value, list):
        return [as_given(section, key, each) for each in value]
    return MASK if _holds_secret(section, key) else value


def cleaned(value: object, clean: Callable[[str], str]) -> object:
    """
    A JSON document without secrets.

    Args:
        value: of dicts, lists, texts and numbers.
        clean: takes secrets out of a text. It gets each text alone: in a whole document a secret
            may have no end.
    """
    if isinstance(value, Mapping):
        return {
            name: MASK if is_sensitive(name) and isinstance(each, str) else cleaned(each, clean)
            for name, each in value.items()
        }
    if isinstance(value, list):
        return [cleaned(each, clean) for each in value]
    return clean(value) if isinstance(value, str) else value


def effective(value: object) -> object:
    """Settings as JSON has them, secrets masked."""
    if is_dataclass(value):
        return {field.name: effective(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {name: MASK if is_sensitive(name) else effective(each) for name, each in value.items()}
    if isinstance(value, tuple | list):
        return [effective(each) for each in value]
    if isinstance(value, Secret):
        return MASK
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
