"""An MLflow server, as far as models are concerned: which version a name means, and what that version consists of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stream.errors import Retriable, SettingsError
from stream.mlflow.answers import NotThere, asked, translated
from stream.mlflow.artifacts import Artifacts
from stream.mlflow.bounded_answer import answered, bound_answers
from stream.mlflow.environment import address_of, configured
from stream.mlflow.model_uri import ModelUri
from stream.nearest import nearest
from stream.settings import Settings

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion as Answer

__all__ = ["ModelVersion", "Server", "client"]

_NAMED = 10
"""Aliases or models that a message names."""

_QUESTION_TIMEOUTS = 4
"""That a question may take, all its answers together: MLflow's client repeats each once."""


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """
    A version of a registered model.

    Attributes:
        name: of the registered model.
        version: its number there.
        run_id: of the run that logged it; empty where none did.
        source: where its artifacts are.
        created_ms: when it was registered, milliseconds since the epoch.
    """

    name: str
    version: int
    run_id: str = ""
    source: str = ""
    created_ms: int = 0

    @property
    def uri(self) -> str:
        """`models:/NAME/VERSION`."""
        return f"models:/{self.name}/{self.version}"


@dataclass(frozen=True, slots=True)
class Server:
    """
    One server, while it is in use: see `client`.

    Attributes:
        api: MLflow's own client.
        address: of the registry, for messages.
        timeout_s: of one answer.
        tracking_uri: where runs are.
        registry_uri: where models are registered; None for the same.
    """

    api: MlflowClient
    address: str
    timeout_s: float
    tracking_uri: str
    registry_uri: str | None = None

    def version_of(self, uri: ModelUri) -> ModelVersion:
        """
        The registered version that a URI means now.

        Args:
            uri: with an alias or a version.
        Raises: NotThere (a SettingsError) that names what is there; Retriable when the server does not answer,
            BrokerRefused when it refuses. Blocks for `[mlflow] timeout`, four times at most.
        """
        return answered(
            lambda: self._version_of(uri), str(uri), self.address, _QUESTION_TIMEOUTS * self.timeout_s
        )

    def _version_of(self, uri: ModelUri) -> ModelVersion:
        try:
            with translated(str(uri), self.address):
                if uri.kind == "alias":
                    answer = self.api.get_model_version_by_alias(uri.name, uri.alias)
                else:
                    answer = self.api.get_model_version(uri.name, str(uri.version))
                found = _version(uri, answer)
        except NotThere as error:
            raise self._absent(uri, error) from error
        return found

    def artifacts(self, uri: ModelUri | ModelVersion) -> Artifacts:
        """
        The files of a model.

        Args:
            uri: of a run or a logged model, or a version as the server knows it.
        Raises: as `version_of`.
        """
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
        from mlflow.store.artifact.models_artifact_repo import ModelsArtifactRepository

        with asked(str(getattr(uri, "uri", uri)), self.address):
            if isinstance(uri, ModelVersion) and self._is_databricks:
                # The storage's own address is of no use there without the credentials that this asks for.
                models = ModelsArtifactRepository(uri.uri, self.tracking_uri, self.registry_uri)
                return Artifacts(models.repo, uri.uri, self.address)
            if isinstance(uri, ModelVersion):
                place = self.api.get_model_version_download_uri(uri.name, str(uri.version))
            else:
                place = str(uri)
            repository = get_artifact_repository(
                place, tracking_uri=self.tracking_uri, registry_uri=self.registry_uri
            )
        return Artifacts(repository, str(getattr(uri, "uri", uri)), self.address)

    @property
    def _is_databricks(self) -> bool:
        return (self.registry_uri or self.tracking_uri).partition(":")[0] in ("databricks", "databricks-uc")

    def _absent(self, uri: ModelUri, error: NotThere) -> SettingsError:
        """What is there instead: other aliases of the model, other models."""
        try:
            with translated(str(uri), self.address):
                model = self.api.get_registered_model(uri.name)
                aliases = {name: int(version) for name, version in dict(model.aliases).items()}
        except NotThere:
            return self._no_model(uri)
        except Retriable:
            return error
        if uri.kind == "version":
            named = ", ".join(f"{name} → {version}" for name, version in sorted(aliases.items())[:_NAMED])
            return NotThere(
                f"{uri}: {self.address} has no version {uri.version} of {uri.name}; its aliases: {named or 'none'}",
                hint="name a version that is there",
            )
        named = ", ".join(f"{name} → {version}" for name, version in sorted(aliases.items())[:_NAMED])
        return NotThere(
            f"{uri}: {uri.name} at {self.address} has no alias {uri.alias!r}; its aliases: {named or 'none'}",
            hint=f"set the alias there, or write models:/{uri.name}/VERSION",
        )

    def _no_model(self, uri: ModelUri) -> NotThere:
        with translated(str(uri), self.address):
            names = [str(model.name) for model in self.api.search_registered_models(max_results=100)]
        near = nearest(uri.name, names, most=_NAMED) or sorted(names)[:_NAMED]
        return NotThere(
            f"{uri}: {self.address} has no model {uri.name!r}; models there: {', '.join(near) or 'none'}",
            hint="correct the name, or register the model",
        )


def _version(uri: ModelUri, answer: Answer) -> ModelVersion:
    version = int(answer.version)
    if version < 1 or (uri.version is not None and version != uri.version):
        raise ValueError(version)
    return ModelVersion(
        uri.name,
        version,
        str(answer.run_id or ""),
        str(answer.source or ""),
        int(answer.creation_timestamp or 0),
    )


@contextmanager
def client(settings: Settings) -> Iterator[Server]:
    """
    The server that the settings name, in use until the end of the block.

    MLflow's own variables of the environment are set as `[mlflow]` says meanwhile.

    Args:
        settings: the configuration.
    Raises: SettingsError when no server is named, or the extra `mlflow` is not installed. Nothing is asked yet.
    Blocks while another thread of this process uses MLflow.
    """
    with configured(settings) as (tracking, registry):
        from mlflow import MlflowClient

        address = address_of(settings.mlflow)
        with asked(address, address):
            api = MlflowClient(tracking, registry)
            bound_answers()
        yield Server(api, address, float(settings.mlflow.timeout), tracking, registry)
