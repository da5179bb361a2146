"""The targets of `stream export`, one table. Their libraries are imported when they export, not before."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from stream.errors import SchemaError
from stream.export.exporter import Exported, Exporter, Option, write_files
from stream.settings import Settings

if TYPE_CHECKING:
    from stream.codec import RecordSchema
    from stream.export.onnx import Compiled
    from stream.store import Package

__all__ = ["EXPORTERS", "AsyncApi", "BigQuery", "Docker", "MlflowFolder", "Onnx", "SageMaker"]

BIGQUERY_BYTES = 450_000_000
"""Of a model that BigQuery imports."""

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
    help = "the SQL of remote functions that ask `stream serve`, the service for Cloud Run, a script that deploys both."
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
            "address of `stream serve`, /bigquery included; left out, deploy.sh puts it in",
            "https://HOST/bigquery",
            r"https://[^\s'\\|&]+/bigquery",
            "https://host/bigquery",
            later=True,
        ),
        Option(
            "image",
            "container image of `stream serve` with the model",
            "REGION-docker.pkg.dev/PROJECT/REPOSITORY/IMAGE:TAG",
            r"[\w.\-:/@]+",
            "europe-docker.pkg.dev/project/models/flights:1",
        ),
        Option("region", "region of Cloud Run", "REGION", r"[a-z]+-[a-z]+[0-9]+", "europe-west1"),
    )

    def export(
        self, package: Package, settings: Settings, options: Mapping[str, str], folder: Path
    ) -> Exported:
        """See `Exporter.export`."""
        from stream.export.bigquery import feature_types, named_otherwise, remote_function
        from stream.export.cloud_run import deploy_script, service_file

        manifest, connection, endpoint = package.manifest, options["connection"], options["endpoint"]
        files = {
            "remote_function.sql": remote_function(
                manifest, feature_types(package), options["dataset"], connection, endpoint
            ),
            "service.yaml": service_file(manifest, options["image"]),
            "deploy.sh": deploy_script(manifest, connection, options["region"], endpoint),
        }
        written = write_files(folder, {name: text.encode() for name, text in files.items()})
        written[-1].chmod(0o755)
        return Exported(written, named_otherwise(manifest.name))


class Onnx:
    """The model itself, compiled, and the SQL that takes it into BigQuery."""

    name = "onnx"
    help = (
        "model.onnx, which must answer as the model does on its golden rows and beside its thresholds, and the SQL of "
        "a model inside BigQuery."
    )
    options: tuple[Option, ...] = (
        _DATASET,
        Option(
            "bucket", "folder for model.onnx", "gs://BUCKET/FOLDER", r"gs://[^\s'\\*]+", "gs://bucket/folder"
        ),
    )

    def export(
        self, package: Package, settings: Settings, options: Mapping[str, str], folder: Path
    ) -> Exported:
        """See `Exporter.export`."""
        from stream.export.bigquery import named_otherwise
        from stream.export.bigquery_model import model_ddl
        from stream.export.onnx import compile_onnx
        from stream.store import golden_of

        compiled = compile_onnx(package, golden_of(package))
        ddl = model_ddl(package.manifest, compiled, **options)
        files = write_files(folder, {"model.onnx": compiled.content, "create_model.sql": ddl.encode()})
        return Exported(files, (*named_otherwise(package.manifest.name), *_said(compiled)))


def _said(compiled: Compiled) -> tuple[str, ...]:
    notes = [
        f"{compiled.rows} golden rows and {compiled.tried} beside them have the same answers, numbers within "
        f"{compiled.difference:.1e}"
    ]
    if compiled.left_out:
        notes.append(f"{compiled.left_out} golden rows with a text that is null were left out")
    if compiled.ties:
        notes.append(f"{compiled.ties} rows have another of two labels that are as probable as each other")
    if len(compiled.content) > BIGQUERY_BYTES:
        size = len(compiled.content) / 1e6
        notes.append(
            f"model.onnx has {size:.0f} MB, and BigQuery takes at most {BIGQUERY_BYTES / 1e6:.0f} MB"
        )
    return tuple(notes)


class AsyncApi:
    """The topics, as a document of AsyncAPI."""

    name = "asyncapi"
    help = "asyncapi.json (AsyncAPI 3): the configuration's topics, their messages with Avro schemas, headers, servers."
    options: tuple[Option, ...] = ()

    def export(
        self, package: Package, settings: Settings, options: Mapping[str, str], folder: Path
    ) -> Exported:
        """See `Exporter.export`."""
        from stream.codec import RecordSchema
        from stream.export.asyncapi import asyncapi_document

        event, origin = _event_schema(package, settings)
        prediction = RecordSchema(package.prediction)
        document = asyncapi_document(settings, package.manifest, event, prediction)
        return Exported(write_files(folder, {"asyncapi.json": document}), (f"an event's schema is {origin}",))


def _event_schema(package: Package, settings: Settings) -> tuple[RecordSchema, str]:
    """What producers write with, and where that is from: of bare values it must be exactly that."""
    from stream.codec import RecordSchema
    from stream.store import events_of
    from stream.text_files import read_text_file

    if settings.input.schema is not None:
        path = settings.path(settings.input.schema)
        text = read_text_file(path, SchemaError, "correct the path of the schema")
        return RecordSchema(text), f"[input] schema {settings.input.schema}"
    events = events_of(package) if settings.framing("input") == "bare" else None
    if events is not None:
        return events, "events.avsc of the package"
    return RecordSchema(
        package.features
    ), "features.avsc of the package; others that it can read are taken, too"


class SageMaker:
    """A model's archive, and a script that makes its endpoints and jobs."""

    name = "sagemaker"
    help = (
        "model.tar.gz, and deploy.py, which makes endpoints and jobs of it; settings, rights, a Dockerfile."
    )
    options: tuple[Option, ...] = (
        Option(
            "image",
            "address of the image in a registry",
            "IMAGE_URI",
            r"[\w.\-]+(:\d+)?/[\w./\-]+((:[\w.\-]+)|(@sha256:[0-9a-f]{64}))?",
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com/stream:1",
        ),
        Option(
            "role",
            "the role that containers run with",
            "ROLE_ARN",
            r"arn:aws[a-z\-]*:iam::\d{12}:role/[\w+=,.@/\-]+",
            "arn:aws:iam::123456789012:role/stream",
        ),
        Option(
            "s3",
            "folder for archives and answers",
            "s3://BUCKET/FOLDER",
            r"s3://[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9](/[^\s'\\*]*)?",
            "s3://bucket/folder",
        ),
    )

    def export(
        self, package: Package, settings: Settings, options: Mapping[str, str], folder: Path
    ) -> Exported:
        """See `Exporter.export`."""
        from stream.export.sagemaker_files import export_sagemaker

        files, note = export_sagemaker(package, settings, options, folder)
        return Exported(files, (note,))


class Docker:
    """A build context with the package in it."""

    name = "docker"
    help = "a build context: a Dockerfile with the targets worker, serve, batch and train, and the package in each."
    options: tuple[Option, ...] = ()

    def export(
        self, package: Package, settings: Settings, options: Mapping[str, str], folder: Path
    ) -> Exported:
        """See `Exporter.export`."""
        from stream.export.docker_context import docker_context

        entries = docker_context(package, settings, folder)
        return Exported(entries, (f"next: docker build --target serve {shlex.quote(str(folder))}",))


class MlflowFolder:
    """A model folder of MLflow, as `stream models push` logs it."""

    name = "mlflow"
    help = "a model folder that any MLflow loads, serves and asks from Spark, with the package in it."
    options: tuple[Option, ...] = ()

    def export(
        self, package: Package, settings: Settings, options: Mapping[str, str], folder: Path
    ) -> Exported:
        """See `Exporter.export`."""
        from stream.mlflow import write_model_folder

        return Exported(write_model_folder(package, folder).files)


EXPORTERS: Mapping[str, Exporter] = {
    each.name: each for each in (Onnx(), BigQuery(), AsyncApi(), SageMaker(), Docker(), MlflowFolder())
}
"""What `--to` takes → who writes it."""
