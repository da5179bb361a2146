"""Models that nobody pushed as a package: on which terms they are made packages of here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from stream.errors import PackageError
from stream.settings import Settings
from stream.store import Trust

__all__ = ["Terms", "plain_name", "renamed"]


@dataclass(frozen=True, slots=True)
class Terms:
    """
    What a model must show, and what it may take.

    Attributes:
        trust: who must have signed it, and how large it may be.
        trusted: whether the server is trusted like the owner of a pickle.
        timeout_s: that packing it may take; None = no limit.
    """

    trust: Trust
    trusted: bool
    timeout_s: float | None

    @classmethod
    def of(cls, settings: Settings, trust: Trust) -> Terms:
        """Those of a configuration."""
        return cls(trust, settings.mlflow.trusted, settings.model.open_timeout)

    def check(self, place: str) -> None:
        """Raises: PackageError (step `signature`) where one is required: nobody has signed what is no package."""
        if self.trust.require:
            raise PackageError(
                f"{place}: is not a package that was pushed, so nobody has signed it",
                step="signature",
                hint="pack it with `stream pack --sign KEY`, and push that",
            )


def plain_name(name: str) -> str:
    """What a package may be called, as near as can be."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", name).lstrip("._-")[:100] or "model"


def renamed(error: PackageError, folder: Path, place: str) -> PackageError:
    """The same refusal, of what people know instead of a folder that is gone by then."""
    return PackageError(error.message.replace(str(folder), place), step=error.step, hint=error.hint)
