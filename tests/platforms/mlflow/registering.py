"""Models registered at a server, as `stream models push` leaves them: MLmodel, and the package beside it."""

from __future__ import annotations

import shutil
from pathlib import Path

from stream.mlflow import METADATA, ModelUri, ModelVersion, Server, client
from stream.settings import MlflowSettings, Settings
from stream.store import MLMODEL

__all__ = ["model_folder", "register", "register_folder", "settings_for"]


def settings_for(url: str, **others: object) -> Settings:
    """A configuration whose server is at an address, with other keys of `[mlflow]`."""
    return Settings(mlflow=MlflowSettings(tracking_uri=url, **others))  # type: ignore[arg-type]


def model_folder(package: Path, into: Path) -> Path:
    """A model folder of MLflow with a package in it."""
    into.mkdir(parents=True)
    shutil.copytree(package, into / "package")
    (into / MLMODEL).write_text(f"flavors: {{}}\nmetadata:\n  {METADATA}:\n    package: package\n")
    return into


def register_folder(server: Server, name: str, folder: Path) -> ModelVersion:
    """Log a folder in a new run, and register it as the next version of a model."""
    api = server.api
    experiment = api.get_experiment_by_name(name)
    run = api.create_run(experiment.experiment_id if experiment else api.create_experiment(name))
    api.log_artifacts(run.info.run_id, str(folder), "model")
    if not api.search_registered_models(f"name='{name}'"):
        api.create_registered_model(name)
    made = api.create_model_version(name, f"{run.info.artifact_uri}/model", run.info.run_id)
    return server.version_of(ModelUri("version", name, version=int(made.version)))


def register(url: str, name: str, package: Path, scratch: Path, *, alias: str | None = None) -> ModelVersion:
    """Register a package's current version, and let an alias name it."""
    with client(settings_for(url)) as server:
        found = len(list(scratch.glob("logged-*")))
        made = register_folder(server, name, model_folder(package, scratch / f"logged-{found}"))
        if alias is not None:
            server.api.set_registered_model_alias(name, alias, str(made.version))
    return made
