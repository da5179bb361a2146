"""
What a model is called at an MLflow server.

    models:/flights@champion    the version that an alias names, which may change
    models:/flights/7           a version, which never changes
    models:/m-3f2a…             a logged model of MLflow 3, by its id
    runs:/3f2a…/model           a model that a run has logged
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from stream.errors import SettingsError

__all__ = ["ModelUri", "is_uri", "parse"]

Kind: TypeAlias = Literal["alias", "version", "logged", "run"]

_SCHEME = re.compile(r"([A-Za-z][A-Za-z-]*):(/*)(.*)", re.DOTALL)
_TAKEN = {
    "model": "models",
    "models": "models",
    "run": "runs",
    "runs": "runs",
    "mlflow-artifacts": "",
    "mlflow": "",
}
"""Schemes that are meant for MLflow, and what each is a spelling of; of the last two no model can be had."""

_NAME = re.compile(r"[^/:@\x00-\x1f\x7f]{1,256}\Z")
"""Of a registered model, or an alias; MLflow itself forbids `/` and `:`."""

_LOGGED = re.compile(r"m-[0-9a-f]{8,64}\Z")
_VERSION = re.compile(r"[1-9][0-9]{0,8}\Z")
_RUN = re.compile(r"[A-Za-z0-9_-]{1,128}\Z")

_FORMS = "models:/NAME@ALIAS, models:/NAME/VERSION or runs:/ID/PATH"


@dataclass(frozen=True, slots=True)
class ModelUri:
    """
    A URI, taken apart.

    Attributes:
        kind: what names the model.
        name: of the registered model; the id of a logged model or a run.
        alias: of a version; empty where it has none.
        version: of the registered model; None where the URI does not say.
        path: of the model in the run's artifacts; empty but for a run's.
    """

    kind: Kind
    name: str
    alias: str = ""
    version: int | None = None
    path: str = ""

    def __str__(self) -> str:
        if self.kind == "run":
            return f"runs:/{self.name}/{self.path}"
        if self.kind == "alias":
            return f"models:/{self.name}@{self.alias}"
        return f"models:/{self.name}" + (f"/{self.version}" if self.version is not None else "")


def is_uri(text: str | Path) -> bool:
    """Whether a text is meant as a URI of MLflow, well spelt or not, and not as a path."""
    found = _SCHEME.fullmatch(str(text))
    return found is not None and found[1].lower() in _TAKEN


def parse(text: str | Path) -> ModelUri | None:
    """
    Take a URI apart.

    Args:
        text: of `[model] uri`, `--model` and the like; a `Path` made of one will do.
    Returns: its parts; None for what is no such URI, but a path.
    Raises: SettingsError for one that is misspelt.
    """
    text = str(text)
    found = _SCHEME.fullmatch(text)
    if found is None or found[1].lower() not in _TAKEN:
        return None
    scheme, slashes, rest = found.groups()
    meant = _TAKEN[scheme.lower()]
    if not meant:
        raise _misspelt(text, f"a model can't be had by {scheme}:", f"write {_FORMS}")
    if not rest:
        raise _misspelt(text, "it names no model", f"write {_FORMS}")
    if scheme != meant or slashes != "/":
        raise _misspelt(text, f"it begins with `{scheme}:{slashes}`", f"write {meant}:/{rest}")
    return _registered(text, rest) if meant == "models" else _of_run(text, rest)


def _registered(text: str, rest: str) -> ModelUri:
    if _LOGGED.fullmatch(rest):
        return ModelUri("logged", rest)
    name, at, alias = rest.partition("@")
    if at:
        if not _NAME.fullmatch(name) or not _NAME.fullmatch(alias):
            raise _misspelt(text, "expected a name and an alias", "write models:/NAME@ALIAS")
        return ModelUri("alias", name, alias=alias)
    name, _, version = rest.partition("/")
    if not _NAME.fullmatch(name):
        raise _misspelt(text, "expected a name and a version or an alias", f"write {_FORMS}")
    if not version:
        raise _misspelt(text, "it names no version", f"write models:/{name}@ALIAS or models:/{name}/VERSION")
    if not _VERSION.fullmatch(version):
        raise _misspelt(
            text, f"{version!r} is not the number of a version; `latest` and stages are not followed",
            f"set an alias and write models:/{name}@ALIAS",
        )  # fmt: skip
    return ModelUri("version", name, version=int(version))


def _of_run(text: str, rest: str) -> ModelUri:
    run, _, path = rest.strip("/").partition("/")
    parts = path.split("/")
    if not _RUN.fullmatch(run) or any(part in ("", ".", "..") or not part.isprintable() for part in parts):
        raise _misspelt(
            text, "expected a run and the path of a model", "write runs:/ID/PATH, such as runs:/ID/model"
        )
    return ModelUri("run", run, path=path)


def _misspelt(text: str, why: str, hint: str) -> SettingsError:
    return SettingsError(f"{text!r} is not the URI of a model: {why}", hint=hint)
