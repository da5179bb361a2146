"""
A package → a version of a registered model at an MLflow server.

1 is it there already, and does it fit what is there; 2 a run with its metrics; 3 its folder, uploaded; 4 only then a
registered version, and its alias. A push that ends in between leaves a run that says so, and no version.
"""

from __future__ import annotations

import hashlib
import math
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stream.errors import SettingsError, StreamError
from stream.manifest import Manifest
from stream.mlflow.answers import NotThere, asked
from stream.mlflow.model_folder import METADATA, write_model_folder
from stream.mlflow.registered_inputs import differences_of
from stream.mlflow.server import Server, client
from stream.settings import Seconds, Settings
from stream.store import CARD, MANIFEST, Package, signature_of

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion as Answer

__all__ = ["PushRequest", "Pushed", "check_names", "push_package"]

_UPLOAD_S = 600.0
"""For one file of 4 GB on a slow line; `[mlflow] timeout` where that is longer."""

_SHA256 = f"{METADATA}.manifest_sha256"
_PACKAGE = f"{METADATA}.package"
_SIGNER = f"{METADATA}.signer"

_MAX_TEXT = 500
"""Of a tag or a parameter: MLflow's own limit of the first."""

_MOST = 100
"""Metrics, parameters or tags in one question: MLflow's own limit of the last two."""


@dataclass(frozen=True, slots=True)
class PushRequest:
    """
    What a package is to become.

    Attributes:
        name: of the registered model.
        alias: that the version gets; None for none.
        experiment: of the run that logs it; None for the registered model's name.
        again: register it once more, though this version is there.
        allow_difference: register it beside another model's versions, which take other inputs.
        run_id: of the run that trained it, with its metrics and card; None to log a run of its own.
    """

    name: str
    alias: str | None = None
    experiment: str | None = None
    again: bool = False
    allow_difference: bool = False
    run_id: str | None = None


@dataclass(frozen=True, slots=True)
class Pushed:
    """
    A version at the server.

    Attributes:
        name: of the registered model.
        version: its number there.
        run_id: of the run that logged it.
        address: of the registry.
        new: whether it was not there before.
        messages: a sentence each.
    """

    name: str
    version: int
    run_id: str
    address: str
    new: bool
    messages: tuple[str, ...] = ()

    @property
    def uri(self) -> str:
        """`models:/NAME/VERSION`."""
        return f"models:/{self.name}/{self.version}"


def push_package(
    package: Package, request: PushRequest, settings: Settings, tell: Callable[[str], None]
) -> Pushed:
    """
    Log a package in a run, and register it.

    Args:
        package: opened.
        request: what it is to become.
        settings: the configuration, which names the server.
        tell: called with each step.
    Returns: the registered version; the one that is there, where this package was pushed before, byte by byte.
    Raises: SettingsError for a name that MLflow doesn't take, or that another model has; Retriable when the server does
        not answer, BrokerRefused when it refuses. Nothing was registered then.
    Blocks while it is uploaded.
    """
    check_names(request)
    sha256 = hashlib.sha256((package.path / MANIFEST).read_bytes()).hexdigest()
    tell("asking the server")
    with client(settings) as server:  # 1
        there = _versions(server, request.name)
        same = next((one for one in there if one.tags.get(_SHA256) == sha256), None)
        if same is not None and not request.again:
            messages = _aliased(server, request, int(same.version))
            return Pushed(
                request.name,
                int(same.version),
                str(same.run_id or ""),
                server.address,
                False,
                tuple(messages),
            )
        messages = differences_of(server, there, package, request)
    chosen = settings.mlflow
    patient = replace(
        settings, mlflow=replace(chosen, timeout=Seconds(max(float(chosen.timeout), _UPLOAD_S)))
    )
    with client(patient) as server:
        return _pushed(server, package, request, sha256, messages, tell)


def check_names(request: PushRequest) -> None:
    """Raises: SettingsError for a name or an alias that MLflow does not take."""
    for what, text, pattern in (
        ("the name", request.name, r"[^/:@\x00-\x1f]{1,256}"),
        ("the alias", request.alias, r"(?![vV][0-9]+\Z)(?!latest\Z)[\w-]{1,255}"),
    ):
        if text is not None and not re.fullmatch(pattern, text):
            raise SettingsError(
                f"{what} {text!r}: MLflow does not take it",
                hint="use letters, digits, - and _; an alias is not v1",
            )


def _versions(server: Server, name: str) -> list[Answer]:
    """Those of the registered model, the newest first; none where there is no such model."""
    if not _exists(server, name):
        return []
    quoted = name.replace("'", "\\'")
    with asked(f"models:/{name}", server.address):
        found = list(server.api.search_model_versions(f"name='{quoted}'", max_results=1000))
    return sorted(found, key=lambda one: int(one.version), reverse=True)


def _aliased(server: Server, request: PushRequest, version: int) -> list[str]:
    if request.alias is None:
        return []
    with asked(f"models:/{request.name}@{request.alias}", server.address):
        server.api.set_registered_model_alias(request.name, request.alias, str(version))
    return [f"the alias {request.alias} names version {version} now"]


def _pushed(
    server: Server,
    package: Package,
    request: PushRequest,
    sha256: str,
    messages: list[str],
    tell: Callable[[str], None],
) -> Pushed:
    api, manifest = server.api, package.manifest
    tags = _tags(package, sha256)
    tell("logging a run")
    with _run(server, request, manifest, tags) as run_id:
        model_id = _logged(server, package, request, run_id, tags, tell)  # 2 and 3
        tell("registering the version")
        with asked(f"models:/{request.name}", server.address):  # 4
            if not _exists(server, request.name):
                api.create_registered_model(request.name)
            made = api.create_model_version(
                request.name, f"models:/{model_id}", run_id, tags=tags, model_id=model_id
            )
    version = int(made.version)
    messages = [*messages, *_aliased(server, request, version)]
    return Pushed(request.name, version, run_id, server.address, True, tuple(messages))


def _exists(server: Server, name: str) -> bool:
    try:
        with asked(f"models:/{name}", server.address):
            server.api.get_registered_model(name)
    except NotThere:
        return False
    return True


def _tags(package: Package, sha256: str) -> dict[str, str]:
    """By which a version is found again, and what vouches for it."""
    signer = "none" if signature_of(package.path) is None else "not checked"
    if package.signer is not None:
        signer = package.signer.fingerprint
    tags = {_PACKAGE: package.manifest.model, _SHA256: sha256, _SIGNER: signer}
    commit = package.manifest.metrics.get("git_commit")
    return tags if commit is None else {**tags, "mlflow.source.git.commit": str(commit)}


@contextmanager
def _run(server: Server, request: PushRequest, manifest: Manifest, tags: Mapping[str, str]) -> Iterator[str]:
    """A run, which has failed where the block does. Yields: its id."""
    if request.run_id is not None:  # it has ended, or ends by itself
        yield request.run_id
        return
    api, name = server.api, request.experiment or request.name
    with asked(f"the experiment {name}", server.address):
        known = api.get_experiment_by_name(name)
        experiment = api.create_experiment(name) if known is None else known.experiment_id
        run_id = str(api.create_run(experiment, tags=dict(tags), run_name=manifest.model).info.run_id)
    try:
        yield run_id
    except BaseException:
        with suppress(StreamError), asked(f"the run {run_id}", server.address):
            api.set_terminated(run_id, "FAILED")
        raise
    with asked(f"the run {run_id}", server.address):
        api.set_terminated(run_id)


def _logged(
    server: Server,
    package: Package,
    request: PushRequest,
    run_id: str,
    tags: Mapping[str, str],
    tell: Callable[[str], None],
) -> str:
    """Log the model's folder, its metrics and its card. Returns: the id of the logged model."""
    from mlflow.entities import LoggedModelOutput

    api, manifest = server.api, package.manifest
    with asked(f"the run {run_id}", server.address):
        run = api.get_run(run_id)
        model = api.create_logged_model(
            run.info.experiment_id,
            name=re.sub(r"[^\w -]", "_", request.name),
            source_run_id=run_id,
            tags=dict(tags),
            model_type="prediction-stream",
        )
        if request.run_id is None:
            _log_numbers(api, run_id, str(model.model_id), manifest)
            for name in (MANIFEST, *([CARD] if CARD in manifest.files else [])):
                api.log_artifact(run_id, str(package.path / name))
    with tempfile.TemporaryDirectory(prefix="stream-push-") as place:
        about = {
            "run_id": run_id,
            "model_id": str(model.model_id),
            "artifact_path": str(model.artifact_location),
        }
        written = write_model_folder(package, Path(place), about)
        size = sum(path.stat().st_size for path in written.files)
        tell(f"uploading {len(written.files)} files, {size:,} bytes")
        with asked(f"the run {run_id}", server.address):
            api.log_model_artifacts(model.model_id, place)
            api.log_outputs(run_id, [LoggedModelOutput(model.model_id, 0)])
            api.finalize_logged_model(model.model_id, "READY")
    return str(model.model_id)


def _log_numbers(api: Any, run_id: str, model_id: str, manifest: Manifest) -> None:
    """The manifest's finite metrics as metrics, all else of it that is short as parameters."""
    from mlflow.entities import Metric, Param

    now_ms = int(time.time() * 1000)
    metrics, texts = [], {
        "task": manifest.task, "answer": manifest.answer, "features": len(manifest.features),
        "classes": ", ".join(map(str, manifest.classes or ())), "tolerance": manifest.tolerance,
        "proof": manifest.proof,
    }  # fmt: skip
    for name, value in manifest.metrics.items():
        key = re.sub(r"[^\w\-. /:]", "_", name)[:250]
        if isinstance(value, str) or not math.isfinite(value):
            texts[key] = value
        else:
            metrics.append(Metric(key, float(value), now_ms, 0, model_id=model_id, run_id=run_id))
    texts |= {f"library {name}": text for name, text in manifest.libraries.items()}
    params = [Param(key, str(value)[:_MAX_TEXT]) for key, value in texts.items() if value not in (None, "")]
    for start in range(0, max(len(metrics), len(params)), _MOST):
        api.log_batch(run_id, metrics[start : start + _MOST], params[start : start + _MOST])
