"""`stream train --register`: the version that was packed becomes one of a registered model at the MLflow server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from stream.cli.terminal import say

if TYPE_CHECKING:
    from stream.settings import Settings
    from stream.store import Package

__all__ = ["Registration", "registration"]


@dataclass(frozen=True, slots=True)
class Registration:
    """
    What is to be registered, and where.

    Attributes:
        name: of the registered model.
        alias: that the version gets; None for none.
        settings: name the server.
    """

    name: str
    alias: str | None
    settings: Settings

    def of(self, package: Package, run_id: str | None) -> dict[str, object] | None:
        """
        Register a package.

        Args:
            package: just packed, or found.
            run_id: of the run that trained it; None to log a new one.
        Returns: what is at the server now; None where that failed, which was said.
        """
        from stream.errors import StreamError
        from stream.mlflow import PushRequest, push_package

        request = PushRequest(self.name, self.alias, run_id=run_id)
        try:
            pushed = push_package(package, request, self.settings, say)
        except StreamError as error:
            say(f"error: {package.manifest.model} is packed but not registered: {error}")
            say(f"  try: `stream models push {package.path.parent.parent} --name {self.name}` does it later")
            return None
        for message in pushed.messages:
            say(message)
        say(f"registered as {pushed.uri}")
        return {"name": pushed.name, "version": pushed.version, "uri": pushed.uri, "alias": self.alias}


def registration(name: str | None, alias: str | None, settings: Settings | None) -> Registration | None:
    """
    Args:
        name: of `--register`.
        alias: of `--alias`.
        settings: those by which the training is tracked; None where it is not.
    Returns: what is to be done once a version is packed; None for nothing.
    Raises: UsageError for an alias of nothing; SettingsError for names that MLflow does not take, before anything is
        trained.
    """
    if name is None:
        if alias is not None:
            raise click.UsageError("--alias names a registered version: give --register NAME as well")
        return None
    from stream.mlflow import PushRequest, check_names

    check_names(PushRequest(name, alias))
    assert settings is not None
    return Registration(name, alias, settings)
