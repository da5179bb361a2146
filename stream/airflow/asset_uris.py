"""
The assets of this provider: a model, and the predictions of all runs in a folder.

    stream-model:///data/models/flights            the package in /data/models/flights: a new version of it
    stream-model://registry/flights@champion       the same in MLflow's registry: models:/flights@champion
    stream-predictions:///data/scored              a new run in /data/scored
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, TypeGuard
from urllib.parse import SplitResult, quote, unquote, urlsplit

if TYPE_CHECKING:
    from airflow.sdk import Asset

__all__ = [
    "MODEL_SCHEME",
    "PREDICTIONS_SCHEME",
    "is_fixed",
    "lineage_dataset",
    "model_asset",
    "model_uri",
    "place_of",
    "predictions_asset",
    "predictions_uri",
    "sanitize",
]

MODEL_SCHEME, PREDICTIONS_SCHEME = "stream-model", "stream-predictions"

_MLFLOW = "models:/"
_REGISTRY = "registry"


def is_fixed(place: object) -> TypeGuard[str]:
    """Whether a place is known before a DAG runs: not another task's result, a template or a relative path."""
    return (
        isinstance(place, str)
        and "{{" not in place
        and "{%" not in place
        and (place.startswith(_MLFLOW) or PurePosixPath(place).is_absolute())
    )


def model_uri(place: str) -> str:
    """
    The URI of a model's asset.

    Args:
        place: a package's folder, absolute; or `models:/NAME@ALIAS` of MLflow's registry.
    Raises: ValueError when it is neither.
    """
    if place.startswith(_MLFLOW):
        return f"{MODEL_SCHEME}://{_REGISTRY}/{quote(place.removeprefix(_MLFLOW).strip('/'), safe='/@')}"
    return _of_folder(MODEL_SCHEME, place)


def predictions_uri(folder: str) -> str:
    """
    The URI of the asset of all runs in a folder.

    Args:
        folder: of `stream batch --output`, absolute.
    Raises: ValueError when it is not absolute.
    """
    return _of_folder(PREDICTIONS_SCHEME, folder)


def _of_folder(scheme: str, folder: str) -> str:
    if not is_fixed(folder):
        raise ValueError(
            f"{folder!r} can't be an asset: it must be an absolute path without a template, so that every DAG "
            "means the same folder by it; for a templated path name an asset by outlets=[…]"
        )
    # Airflow takes `//` and `..` as they are; two spellings of a folder would be two assets.
    parts: list[str] = []
    for part in PurePosixPath(folder).parts[1:]:
        parts = parts[:-1] if part == ".." else [*parts, part]
    return f"{scheme}:///{quote('/'.join(parts))}"


def model_asset(place: str, **options: Any) -> Asset:
    """
    A model as an asset: what schedules a DAG when there is a new version.

    Args:
        place: a package's folder, absolute; or `models:/NAME@ALIAS` of MLflow's registry.
        options: of `airflow.sdk.Asset`: `name`, `group`, `extra`.
    Raises: ValueError when it is neither.
    """
    from airflow.sdk import Asset

    return Asset(uri=model_uri(place), **options)


def predictions_asset(folder: str, **options: Any) -> Asset:
    """
    The runs in a folder as an asset: what schedules a DAG when there are new predictions.

    Args:
        folder: of `stream batch --output`, absolute.
        options: of `airflow.sdk.Asset`: `name`, `group`, `extra`.
    Raises: ValueError when it is not absolute.
    """
    from airflow.sdk import Asset

    return Asset(uri=predictions_uri(folder), **options)


def sanitize(uri: SplitResult) -> SplitResult:
    """
    Airflow's check of a URI of these schemes.

    Args:
        uri: split.
    Returns: the same.
    Raises: ValueError when it names nothing.
    """
    if uri.path in ("", "/"):
        raise ValueError(f"{uri.scheme}: names no folder; write {uri.scheme}:///data/flights")
    if uri.netloc and not (uri.scheme == MODEL_SCHEME and uri.netloc == _REGISTRY):
        raise ValueError(
            f"{uri.scheme}://{uri.netloc}…: a folder has three slashes: {uri.scheme}:///{uri.netloc}{uri.path}"
        )
    return uri


def place_of(uri: str) -> str:
    """What `--model` or `--output` is given for an asset's URI: the reverse of `model_uri` and `predictions_uri`."""
    found = urlsplit(uri)
    return f"{_MLFLOW}{unquote(found.path).lstrip('/')}" if found.netloc == _REGISTRY else unquote(found.path)


def lineage_dataset(asset: Asset, lineage_context: object) -> Any:
    """
    An asset as OpenLineage names it.

    Args:
        asset: of one of these schemes.
        lineage_context: not needed.
    """
    from airflow.providers.common.compat.openlineage.facet import Dataset

    place = place_of(asset.uri)
    if place.startswith(_MLFLOW):
        return Dataset(namespace="mlflow", name=place)
    return Dataset(namespace="file", name=place)
