"""What OpenLineage is told of a run: the files that were read, the model, the predictions, their columns and rows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["lineage_of_batch", "lineage_of_training"]

_FILES = 100
"""Inputs named one by one; of more than that, only their folders are."""


def lineage_of_batch(record: Mapping[str, Any], output: str, model: str | None, folder: str) -> Any:
    """
    The facets of a batch run.

    Args:
        record: of the run, as `stream batch --json` prints it.
        output: the folder of all runs.
        model: the package's folder or URI; None where the configuration names it.
        folder: to which relative paths refer.
    Returns: an `OperatorLineage`.
    """
    from airflow.providers.common.compat.openlineage.facet import (
        Dataset,
        InputDataset,
        OutputDataset,
        OutputStatisticsOutputDatasetFacet,
        SchemaDatasetFacet,
        SchemaDatasetFacetFields,
    )
    from airflow.providers.openlineage.extractors import OperatorLineage

    fields = [SchemaDatasetFacetFields(name, _type(kind)) for name, kind in record["columns"].items()]
    made = OutputDataset(
        namespace="file",
        name=_absolute(folder, output),
        facets={"schema": SchemaDatasetFacet(fields=fields)},
        outputFacets={"outputStatistics": OutputStatisticsOutputDatasetFacet(rowCount=record["predictions"])},
    )
    read: list[Dataset] = [_input(InputDataset, each, folder) for each in _read(record["inputs"])]
    if model is not None:
        read.append(_model(Dataset, model, folder, record["model"]))
    return OperatorLineage(inputs=read, outputs=[made])


def lineage_of_training(result: Mapping[str, Any], out: str, folder: str) -> Any:
    """
    The facets of a training.

    Args:
        result: as `stream train` prints it.
        out: the package's folder.
        folder: to which relative paths refer.
    Returns: an `OperatorLineage`.
    """
    from airflow.providers.common.compat.openlineage.facet import Dataset
    from airflow.providers.openlineage.extractors import OperatorLineage

    return OperatorLineage(outputs=[_model(Dataset, out, folder, f"{result['name']}@{result['version']}")])


def _read(inputs: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The files; or, of many, the folders that they are in, with the sums of their rows and bytes."""
    if len(inputs) <= _FILES:
        return list(inputs)
    sums: dict[str, dict[str, Any]] = {}
    for each in inputs:
        parent = str(Path(each["path"]).parent)
        found = sums.setdefault(parent, {"path": parent, "rows": 0, "size_bytes": 0})
        found["rows"] += each["rows"]
        found["size_bytes"] += each["size_bytes"]
    return list(sums.values())


def _input(make: Any, read: Mapping[str, Any], folder: str) -> Any:
    from openlineage.client.facet_v2 import input_statistics_input_dataset as statistics

    facet = statistics.InputStatisticsInputDatasetFacet(rowCount=read["rows"], size=read["size_bytes"])
    return make(
        namespace="file", name=_absolute(folder, read["path"]), inputFacets={"inputStatistics": facet}
    )


def _model(make: Any, place: str, folder: str, version: str) -> Any:
    from openlineage.client.facet_v2 import dataset_version_dataset

    facets = {"version": dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=version)}
    if place.startswith(("models:/", "runs:/")):
        return make(namespace="mlflow", name=place, facets=facets)
    return make(namespace="file", name=_absolute(folder, place), facets=facets)


def _absolute(folder: str, path: str) -> str:
    return str(Path(folder) / path)


def _type(avro: str) -> str:
    """An Avro type in a word: `string`, `array`; a union is its branch that is not null."""
    found = json.loads(avro)
    if isinstance(found, list):
        found = next((branch for branch in found if branch != "null"), "null")
    return str(found.get("logicalType", found["type"])) if isinstance(found, dict) else str(found)
