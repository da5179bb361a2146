"""An experiment of an MLflow server, found or made, and a run begun in it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from stream.errors import Retriable, SettingsError
from stream.mlflow.answers import asked
from stream.mlflow.environment import without_secrets
from stream.mlflow.run_values import tag_text
from stream.mlflow.server import Server

__all__ = ["Begun", "begin_run"]


_KIND = {"mlflow.experimentKind": "custom_model_development"}
"""By this tag the pages of MLflow 3 open with what trainings have."""


@dataclass(frozen=True, slots=True)
class Begun:
    """
    A run that a server knows.

    Attributes:
        id: of the run.
        name: of the run, for people.
        experiment: its experiment's name.
        experiment_id: of the experiment.
        place: the tracking server's URI, without credentials.
    """

    id: str
    name: str
    experiment: str
    experiment_id: str
    place: str

    @property
    def url(self) -> str | None:
        """Its page; None where the place is no server."""
        if not self.place.startswith(("http://", "https://")):
            return None
        return f"{self.place.rstrip('/')}/#/experiments/{quote(self.experiment_id)}/runs/{quote(self.id)}"


def begin_run(server: Server, experiment: str, name: str, tags: Mapping[str, object]) -> Begun:
    """
    Begin a run.

    Args:
        server: in use.
        experiment: its name; made if it isn't there.
        name: of the run, for people.
        tags: of the run.
    Raises: Retriable when the server does not answer, BrokerRefused when it refuses, SettingsError for a name that it
        does not take, or an experiment that was deleted. Blocks for the server's timeout at each of three calls.
    """
    place = without_secrets(server.tracking_uri)
    experiment_id = _experiment(server, experiment, place)
    with asked(f"a run in the experiment {experiment!r}", place):
        run = server.api.create_run(
            experiment_id,
            start_time=int(time.time() * 1000),
            tags={key: tag_text(value) for key, value in tags.items()},
            run_name=name,
        )
        return Begun(str(run.info.run_id), str(run.info.run_name), experiment, experiment_id, place)


def _experiment(server: Server, name: str, place: str) -> str:
    what = f"the experiment {name!r}"
    found = _known(server, name, place)
    if found is not None:
        return found
    try:
        with asked(what, place):
            return str(server.api.create_experiment(name, tags=_KIND))
    except (SettingsError, Retriable):
        found = _known(server, name, place)  # another training may have made it meanwhile
        if found is None:
            raise
        return found


def _known(server: Server, name: str, place: str) -> str | None:
    with asked(f"the experiment {name!r}", place):
        found = server.api.get_experiment_by_name(name)
        if found is None:
            return None
        experiment_id, stage = str(found.experiment_id), str(found.lifecycle_stage)
    if stage != "active":
        raise SettingsError(
            f"the experiment {name!r} at {place} was deleted",
            hint=f"restore it (mlflow experiments restore -x {experiment_id}), or give another --experiment",
        )
    return experiment_id
