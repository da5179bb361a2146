"""The targets of `stream export`, one table. Their libraries are imported when they export, not before."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from stream.export.exporter import Exported, Exporter, Option, write_files

if TYPE_CHECKING:
    from stream.store import Package

__all__ = ["EXPORTERS", "BigQuery", "Onnx"]

_DATASET = Option(
    "dataset",
    "where the function or the model goes",
    "PROJECT.DATASET",
    r"[\w\-:]+\.\w+|\w+",
    "project.dataset",
)


class BigQuery:
    """The REST service as a remote function."""

    name = "bigquery"
    help = "the SQL of a remote function that asks `stream serve`."
    options: tuple[Option, ...] = (
        _DATASET,
        Option(
            "connection",
            "the connection that may call the service",
            "PROJECT.LOCATION.CONNECTION",
            r"[\w\-:]+\.[\w\-]+\.[\w\-]+|[\w\-]+\.[\w\-]+",
            "project.eu.connection",
        ),
        Option(
            "endpoint",
            "address of `stream serve`, /bigquery included",
            "https://HOST/bigquery",
            r"https://[^\s'\\]+/bigquery",
            "https://host/bigquery",
        ),
    )

    def export(self, package: Package, options: Mapping[str, str], folder: Path) -> Exported:
        """See `Exporter.export`."""
        from stream.export.bigquery import remote_function

        script = remote_function(package.manifest, **options)
        return Exported(write_files(folder, {"remote_function.sql": script.encode()}))


class Onnx:
    """The model itself, compiled, and the SQL that takes it into BigQuery."""

    name = "onnx"
    help = "model.onnx, which must answer the golden rows as the model did, and the SQL of a model inside BigQuery."
    options: tuple[Option, ...] = (
        _DATASET,
        Option(
            "bucket", "folder for model.onnx", "gs://BUCKET/FOLDER", r"gs://[^\s'\\*]+", "gs://bucket/folder"
        ),
    )

    def export(self, package: Package, options: Mapping[str, str], folder: Path) -> Exported:
        """See `Exporter.export`."""
        from stream.export.onnx import compile_onnx, model_ddl
        from stream.store import golden_of

        compiled = compile_onnx(package, golden_of(package))
        ddl = model_ddl(package.manifest, compiled, **options)
        files = write_files(folder, {"model.onnx": compiled.content, "create_model.sql": ddl.encode()})
        left = f"; {compiled.left_out} with a text that is null were left out" if compiled.left_out else ""
        note = f"{compiled.rows} golden rows have the same answers, scores within {compiled.difference:.1e}{left}"
        return Exported(files, (note,))


EXPORTERS: Mapping[str, Exporter] = {each.name: each for each in (Onnx(), BigQuery())}
"""What `--to` takes → who writes it."""
