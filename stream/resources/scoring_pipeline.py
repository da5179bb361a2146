"""The pipeline of a configuration: what turns its records into predictions and dead letters."""

from __future__ import annotations

from dataclasses import dataclass

from stream.codec import Decoder, Encoder, RecordSchema, WriterSchemas, compare
from stream.errors import SchemaError
from stream.pipeline import Observer, Pipeline
from stream.records import Batch, Outcome
from stream.registry import RegistryWriters
from stream.resources.topic_schemas import prefix_of, read_schema
from stream.scoring import carried_names
from stream.settings import Settings
from stream.store import Package

__all__ = ["LookedUp", "build_pipeline", "serving"]


@dataclass(frozen=True, slots=True)
class LookedUp:
    """
    A pipeline whose batches' schema ids are looked up first: the one step that is I/O.

    Attributes:
        pipeline: the pure middle.
        writers: asks the registry, and keeps what it said.
    """

    pipeline: Pipeline
    writers: RegistryWriters

    @property
    def name(self) -> str:
        """`name@version` of its model."""
        return self.pipeline.name

    def process(self, batch: Batch) -> list[Outcome]:
        """
        See `Pipeline.process`.

        Raises: Retriable when the registry does not answer: nothing has happened, try the batch again.
        """
        self.writers.prepare(batch.values, batch.headers)
        return self.pipeline.process(batch)


def serving(
    settings: Settings,
    package: Package,
    writers: RegistryWriters | None,
    observer: Observer | None = None,
) -> Pipeline | LookedUp:
    """
    What a worker scores with: the pure middle, after the look-ups that a registry needs.

    Args:
        settings: the configuration.
        package: the opened model.
        writers: what is known of the registry so far; the next model goes on with it.
        observer: told of each batch that was scored.
    Raises: Refused as `build_pipeline`.
    """
    pipeline = build_pipeline(settings, package, writers, observer)
    return pipeline if writers is None else LookedUp(pipeline, writers)


def build_pipeline(
    settings: Settings,
    package: Package,
    writers: WriterSchemas | None = None,
    observer: Observer | None = None,
) -> Pipeline:
    """
    The pure middle for a configuration.

    Args:
        settings: the configuration.
        package: the opened model.
        writers: schemas of values that carry a registry's id.
        observer: told of each batch that was scored.
    Raises: SchemaError when the input's schema can't be read; what `prefix_of` raises.
    """
    features = RecordSchema(package.features)
    chosen = settings.input.schema
    writer = features if chosen is None else read_schema(settings.path(chosen))
    manifest = package.manifest
    for difference in compare(writer, features, list(manifest.needed)):
        if difference.kind in ("missing", "retyped"):
            raise SchemaError(
                f"[input] schema {chosen}: {difference.message}",
                hint="see `stream check`: no record written with this schema can be scored",
            )
    carry = carried_names(manifest.carry)
    paths = list(manifest.needed)
    prediction = RecordSchema(package.prediction)
    return Pipeline(
        Decoder(features, paths, settings.framing("input"), writer, writers),
        package.model,
        Encoder(
            prediction, prefix_of(settings, "output", prediction, register=settings.schema_registry.register)
        ),
        manifest.model,
        carry,
        settings.input.null_value,
        observer,
    )
