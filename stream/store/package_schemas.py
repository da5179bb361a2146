"""A version's schemas: they hold what its manifest names, and what its model's answers make."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from stream.codec import Leaf, RecordSchema, schema_of
from stream.errors import PackageError, SchemaError
from stream.manifest import Manifest
from stream.scoring import prediction_schema
from stream.store.manifests import EVENTS_FILE
from stream.store.projection import carried_types
from stream.types import List

__all__ = ["read_schemas", "sound_schema"]


def read_schemas(folder: Path, manifest: Manifest, files: Mapping[str, bytes]) -> tuple[str, str]:
    """
    Args:
        folder: of the version, for messages.
        manifest: of the version.
        files: contents by name.
    Returns: the features' and the prediction's schema, which hold what the manifest names.
    Raises: PackageError (step `manifest`).
    """
    with sound_schema(folder / "features.avsc") as place:
        features = schema_of(files[place.name].decode())
        _check_features(features, manifest, place)
    if EVENTS_FILE in files:
        with sound_schema(folder / EVENTS_FILE) as place:
            schema_of(files[place.name].decode())
    with sound_schema(folder / "prediction.avsc") as place:
        prediction = schema_of(files[place.name].decode())
        _check_prediction(prediction, features, manifest, place)
    return features.text, prediction.text


@contextmanager
def sound_schema(place: Path) -> Iterator[Path]:
    """Refuse the version where reading one of its schemas fails. Raises: PackageError (step `manifest`)."""
    try:
        yield place
    except (SchemaError, UnicodeDecodeError) as error:
        raise PackageError(f"{place}: {error}", step="manifest", hint="pack the model again") from error


def _check_prediction(schema: RecordSchema, features: RecordSchema, manifest: Manifest, place: Path) -> None:
    """What is published has the fields that this model's answers and carried fields make, and no other."""
    namespace, _, name = schema.name.rpartition(".")
    types = carried_types(features, manifest.carry)
    wanted = schema_of(prediction_schema(manifest, types, name=name, namespace=namespace))
    expected, found = ([_typed(leaf) for leaf in each.leaves()] for each in (wanted, schema))
    if schema.fields != wanted.fields or expected != found:
        raise PackageError(
            f"{place}: does not fit the manifest: expected the fields {', '.join(expected)}; "
            f"found {', '.join(found)}",
            step="manifest",
            hint="pack the model again",
        )


def _typed(leaf: Leaf) -> str:
    return f"{leaf.path} ({leaf.type.full_name}{' or null' if leaf.nullable else ''})"


def _check_features(schema: RecordSchema, manifest: Manifest, place: Path) -> None:
    """The types of the columns that will be decoded are those that the model's input is built from."""
    for path in manifest.carry:
        schema.leaf(path)
    for feature in manifest.features:
        leaf = schema.leaf(feature.path)
        found = leaf.type.full_name, leaf.nullable
        kind = leaf.type.item.model if isinstance(leaf.type, List) else leaf.type.model
        if found != (feature.avro, feature.nullable) or feature.kind not in (kind, "category"):
            raise PackageError(
                f"{place}: field {feature.path!r} is {found[0]} ({'nullable' if found[1] else 'never null'}), the "
                f"manifest says {feature.avro} ({'nullable' if feature.nullable else 'never null'}) as {feature.kind}",
                step="manifest",
                hint="pack the model again",
            )
