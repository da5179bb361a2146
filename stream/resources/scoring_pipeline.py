"""The pipeline of a configuration: what turns its records into predictions and dead letters."""

from __future__ import annotations

from dataclasses import dataclass

from stream.codec import Decoder, Encoder, RecordSchema, compare
from stream.errors import SchemaError
from stream.pipeline import Observer, Pipeline
from stream.records import Batch, Outcome
from stream.registry import RegistryWriters
from stream.resources.known_writers import KnownWriters
from stream.resources.timed_stages import timed
from stream.resources.topic_schemas import chosen_schema, prefix_of
from stream.scoring import carried_names
from stream.settings import Settings
from stream.store import Package, events_of
from stream.telemetry import StageTimes

__all__ = ["LookedUp", "build_pipeline"]


@dataclass(frozen=True, slots=True)
class LookedUp:
    """
    A pipeline whose batches' schema ids are looked up first: the one step that is I/O.

    Attributes:
        pipeline: the pure middle.
        writers: asks the registry, and keeps its answers.
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


def build_pipeline(
    settings: Settings,
    package: Package,
    writers: RegistryWriters | None = None,
    observer: Observer | None = None,
    times: StageTimes | None = None,
) -> Pipeline | LookedUp:
    """
    What a worker scores with: the pure middle, after the look-ups that a registry needs.

    Args:
        settings: the configuration.
        package: the opened model.
        writers: what is known of the registry so far, which the next model's pipeline goes on using; None = none.
        observer: called for each batch that was scored.
        times: takes the time of each stage; None = nothing is timed.
    Raises: SchemaError when the input's schema can't be read, or no record written with it could be scored;
        what `prefix_of` raises.
    """
    features = RecordSchema(package.features)
    known = KnownWriters(features, events_of(package), chosen_schema(settings))
    manifest = package.manifest
    needed = list(manifest.needed)
    for difference in compare(known.default, features, needed):
        if difference.kind in ("missing", "retyped"):
            raise SchemaError(
                f"{[*known.named][-1]}: {difference.message}",
                hint="see `stream check`: no record written with this schema can be scored",
            )
    prediction = RecordSchema(package.prediction)
    prefix = prefix_of(settings, "output", prediction, register=settings.schema_registry.register)
    pipeline = Pipeline(
        Decoder(
            features, needed, settings.framing("input"), known.default, known if writers is None else writers
        ),
        package.model,
        Encoder(prediction, prefix),
        manifest.model,
        carried_names(manifest.carry),
        settings.input.null_value,
        observer,
    )
    if times is not None:
        pipeline = timed(pipeline, times)
    return pipeline if writers is None else LookedUp(pipeline, writers)
